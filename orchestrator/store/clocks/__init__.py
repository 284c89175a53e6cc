"""What the keeper does at the store: deadlines, escalation, alerts, incidents that are over."""
