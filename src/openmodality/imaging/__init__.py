"""Pixels to display or film."""
