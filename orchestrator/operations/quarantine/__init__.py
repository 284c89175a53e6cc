"""What people do with quarantined events and messages: choose, discard, restore, close."""
