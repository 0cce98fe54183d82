"""What is shown of the local database: queries as SQL text, so that a list needs no SQLAlchemy (ADR 32)."""
