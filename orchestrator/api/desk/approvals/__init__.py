"""Events that wait for a yes: one by one, and in groups."""
