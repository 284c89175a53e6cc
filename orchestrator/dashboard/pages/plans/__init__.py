"""Pages of replay plans."""
