"""Changes: proposed, decided about by somebody else, and live in one way only."""
