"""Changes that are proposed, one of them whole, and what waits for whoever has logged in."""
