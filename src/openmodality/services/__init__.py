"""PS3.4 service classes, one file each, both roles."""
