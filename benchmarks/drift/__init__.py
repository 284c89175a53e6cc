"""How often the drift doctor is right: generated mutations, and a vendor's real breaks."""
