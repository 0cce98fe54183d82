"""C-STORE at the speed of the socket: instances read, sent ahead of their responses, and followed up."""
