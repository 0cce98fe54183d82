"""Irradiation events as their maker states them, and their totals."""
