"""Text for people: masked, shortened, folded, and names that resemble each other."""
