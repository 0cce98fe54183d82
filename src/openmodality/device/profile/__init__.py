"""What a device is: a profile's tables, loaded and checked."""
