"""Input and output of commands: arguments, tables, progress, signals."""
