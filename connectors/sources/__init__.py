"""Sources: the YAML files that say how a vendor signs, and what its requests become."""
