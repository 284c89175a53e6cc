"""What waits in producers' spools and outboxes, as they say: a door cannot see it."""
