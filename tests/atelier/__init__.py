"""A made-up system: `Location`, ETags, no upsert of its own, records in several requests."""
