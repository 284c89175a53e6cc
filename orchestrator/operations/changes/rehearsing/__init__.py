"""Rehearsals of changes: what they are run with, and what is kept of them."""
