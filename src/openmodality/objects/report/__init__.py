"""Structured reports and what they are made of (PS3.16)."""
