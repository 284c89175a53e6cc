"""`meshline sources`: listing, checking, and trying one with a saved request."""
