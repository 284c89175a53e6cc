"""Order per key: which event of a line goes, and which wait behind it."""
