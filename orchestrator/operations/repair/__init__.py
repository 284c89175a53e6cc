"""What is wrong with quarantined events, and what mends them: diagnosis, fixes, recipes."""
