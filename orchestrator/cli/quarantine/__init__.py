"""`meshline quarantine`: one file for each group of its commands."""
