"""What share of the tokens comes from where."""
