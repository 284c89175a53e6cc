"""`meshline connectors`: listing, checking, and trying one by a real call."""
