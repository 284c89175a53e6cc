"""The drift diagnosis: what a sender changed, from payloads that passed and payloads that broke."""
