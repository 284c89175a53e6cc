"""Meshline's server side: the store, the pipeline, the use cases and the ways in."""

__version__ = "0.1.0"
