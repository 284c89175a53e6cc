"""JSON, YAML and files that strangers write, read within bounds."""
