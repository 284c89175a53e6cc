"""Who may do what, and the people, sessions and keys by which it is known."""
