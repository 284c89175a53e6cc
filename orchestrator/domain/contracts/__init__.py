"""Contracts: the JSON Schema of a payload, what it allows, and what checking it costs."""
