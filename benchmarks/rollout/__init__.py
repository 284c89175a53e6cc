"""What a rollout costs the drain beside it."""
