"""How often the drift diagnosis is right: generated mutations, and a vendor's real breaks."""
