"""Changes: propose, decide, withdraw, and the one way in which a version goes live."""
