"""Approvals of events: look at what would be sent, say yes or no, and end what nobody answered."""
