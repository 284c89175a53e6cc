"""One HTTP request out and one answer back: which addresses, how it is signed, how it is sent."""
