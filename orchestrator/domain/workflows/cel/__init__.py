"""CEL, the language of facts, routes and fields: compiled, bounded, and read as text."""
