"""Migrations of the local database, applied when it is opened."""
