"""Where a device stands: its site file, loaded and checked."""
