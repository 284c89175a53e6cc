"""Pages of events that wait for a person's yes."""
