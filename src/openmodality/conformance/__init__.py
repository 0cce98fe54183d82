"""The conformance statement of a device: made of what drives it, printed, compared with another."""
