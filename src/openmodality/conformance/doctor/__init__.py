"""Examines a peer from the outside: what it offers, what it does, and what a device should know of it (ADR 67)."""
