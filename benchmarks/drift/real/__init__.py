"""Real changes: payloads and schemas of two versions, and what a person read off them."""
