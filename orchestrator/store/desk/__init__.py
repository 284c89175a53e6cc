"""What operators and retention keep and do: plans, recipes, keys, erasing, heartbeats."""
