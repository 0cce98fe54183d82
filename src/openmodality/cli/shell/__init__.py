"""Makes completion scripts and manual pages from the parsers that read the command line."""
