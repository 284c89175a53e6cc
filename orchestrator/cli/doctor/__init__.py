"""`meshline doctor`: one file for each kind of check, and what they say."""
