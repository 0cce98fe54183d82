"""PS3.3 information objects, built and checked from module tables."""
