"""Whether the list that a look-up got is whole, and how it is read on."""
