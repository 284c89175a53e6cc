"""What people read of the store. Views never write."""
