"""The addresses of sources: what vendors and forms send by themselves."""
