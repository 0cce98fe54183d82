"""Image objects."""
