"""What shells and manuals know of the command line, made of the parsers that read it."""
