"""Headers by which a sender says how a request is taken, and by which the door says how it was."""
