"""Moves of events, the quarantine, and its incidents: written in one transaction."""
