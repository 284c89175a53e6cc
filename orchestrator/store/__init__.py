"""The only truth, and the only SQLAlchemy: SQLite or PostgreSQL through one code path."""
