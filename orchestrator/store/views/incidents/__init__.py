"""What people read of incidents: one, a list of them, their numbers and what to do."""
