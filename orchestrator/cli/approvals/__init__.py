"""`meshline approvals`: events that wait for a person's yes, and what they would send."""
