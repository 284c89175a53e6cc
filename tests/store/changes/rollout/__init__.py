"""Rollouts of changes."""
