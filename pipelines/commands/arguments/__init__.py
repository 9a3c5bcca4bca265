"""What the words of a command line mean: inputs and the options that commands share."""
