"""Instance files: whole or not there."""
