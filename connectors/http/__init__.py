"""The declarative HTTP connector: its definition, its requests, and what answers mean."""
