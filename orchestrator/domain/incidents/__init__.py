"""Incidents: their causes, their outcomes, and what to do about them."""
