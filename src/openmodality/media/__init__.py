"""PS3.10 file-sets and ISO images."""
