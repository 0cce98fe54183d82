"""Prints the conformance statement and checks peers."""
