"""Amendments and recipes: what people change in payloads, as values."""
