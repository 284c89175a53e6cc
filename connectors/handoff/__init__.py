"""From a delivery to its proof: one alone, several at once, or several in one request."""
