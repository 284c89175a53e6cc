"""Servers that only tests and benchmarks start: never for production."""
