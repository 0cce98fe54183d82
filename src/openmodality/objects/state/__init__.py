"""Presentation states: how images are to be shown (PS3.3 A.33)."""
