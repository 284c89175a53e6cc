"""What the quarantine desk costs with very many events in it, and that a cut plan loses none."""
