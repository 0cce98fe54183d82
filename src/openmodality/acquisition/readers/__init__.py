"""Readers of pixels in the forms in which people have them, one file a form."""
