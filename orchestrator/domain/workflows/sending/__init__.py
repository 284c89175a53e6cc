"""What destinations are sent, and which destination comes after which."""
