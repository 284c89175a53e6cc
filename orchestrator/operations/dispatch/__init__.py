"""What is decided and saved around the calls of a run, and what they say of their systems."""
