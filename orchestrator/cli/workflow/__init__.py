"""`meshline workflow`: files, published versions, and drawings of workflows."""
