"""What /openapi.json says, held against what the door answers."""
