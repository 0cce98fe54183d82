"""What a command says and reads: arguments, tables, progress, signals."""
