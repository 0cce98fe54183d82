"""Shows things to a person or a program, for several commands."""
