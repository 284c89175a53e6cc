"""Order per key: the keys of a file that ask for it, and what they read from a payload."""
