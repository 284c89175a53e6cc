"""What people and the keeper do about incidents, and the alerts of them."""
