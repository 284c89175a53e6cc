"""People at the command line."""
