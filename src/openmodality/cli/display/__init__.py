"""How things are shown to a person or a program: what several commands print."""
