"""Tokens of logins that all processes share: sealed in the store, refreshed by one at a time."""
