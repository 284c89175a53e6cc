"""What comes in from vendors and forms: who signed it, its type and its key; all of it pure."""
