"""Who acts: roles, and the actor that an operation is given."""
