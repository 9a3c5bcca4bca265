"""The laws of scaling, each fitted to the results of runs: a line on its own axes."""
