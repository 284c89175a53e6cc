"""Replays of quarantined events: judged and foreseen, planned and run."""
