"""The three decisions of an event's life, as pure functions: validate, route, settle."""
