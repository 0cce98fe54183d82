"""Filters of instances: what is kept when they are received or sent."""
