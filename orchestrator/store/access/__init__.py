"""People, their roles, sessions and invitations, and keys."""
