"""`meshline events` and `meshline audit`: where events are, and who did what to them."""
