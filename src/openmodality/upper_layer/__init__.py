"""PS3.8: PDUs, negotiation and the state machine. No socket, no thread, no clock."""
