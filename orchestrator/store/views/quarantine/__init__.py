"""What people read of the quarantine, and how they choose of it: events and dead letters."""
