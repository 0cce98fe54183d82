"""Reads the local database for lists: queries as SQL text, so that a list needs no SQLAlchemy (ADR 32)."""
