"""What lets deliveries out or holds them: breakers, pauses, rate budgets, held deliveries."""
