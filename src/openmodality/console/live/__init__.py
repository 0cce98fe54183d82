"""What changes, told to browsers as it happens: server-sent events of the rows of ``events``."""
