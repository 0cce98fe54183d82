"""PS3.7: DIMSE messages, streamed. No socket."""
