"""Requests for the approval of events: asked when routed, decided by people, ended by time."""
