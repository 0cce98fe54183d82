"""The scheduled workflow of an examination."""
