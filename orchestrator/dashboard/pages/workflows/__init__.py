"""Pages of workflows: all of them, one with its drawn map, and the inventory."""
