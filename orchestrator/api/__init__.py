"""The HTTP door: takes triggers, commits them, and only then answers."""
