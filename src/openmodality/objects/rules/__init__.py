"""The rule tables of information objects: read, built by, checked against (PS3.3)."""
