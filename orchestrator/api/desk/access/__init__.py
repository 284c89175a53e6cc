"""Who may come in: people with their roles, and keys."""
