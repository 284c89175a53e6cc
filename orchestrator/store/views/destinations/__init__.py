"""What people read of destinations: all of them, or one."""
