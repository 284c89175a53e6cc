"""Personal fields: which places of a payload have the mark, and how values are masked."""
