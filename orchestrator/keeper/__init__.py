"""The keeper: settles incidents, keeps the clocks, and tells people."""
