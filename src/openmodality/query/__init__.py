"""What is asked for: identifiers of C-FIND and C-MOVE, their matching, and both sides of asking (PS3.4 C.2, C.4)."""
