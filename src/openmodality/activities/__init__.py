"""The acts of a device with a peer, one file each: used by jobs, console, command line and API alike."""
