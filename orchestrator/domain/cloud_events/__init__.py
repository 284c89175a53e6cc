"""What the CloudEvents specification asks of an event's attributes."""
