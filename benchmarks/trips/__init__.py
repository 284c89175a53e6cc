"""`make trace`: the files that one event passes, and how often a reader who follows it turns."""
