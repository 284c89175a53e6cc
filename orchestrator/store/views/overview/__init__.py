"""What people read of all events together: what needs somebody, where events are, how many came."""
