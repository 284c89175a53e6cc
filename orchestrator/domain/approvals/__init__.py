"""Approval of an event: what a person says yes to, whose word counts, and groups of requests."""
