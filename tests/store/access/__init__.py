"""People, their roles, sessions and keys, and what each may do."""
