"""What is personal of an event beside its payload: facts, what is sent, and sentences about it."""
