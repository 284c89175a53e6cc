"""What people read of events: one, a list of them, their numbers and what holds them."""
