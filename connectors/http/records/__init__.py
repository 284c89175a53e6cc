"""Records of an HTTP system: what they are called, found, read, made, changed, and completed."""
