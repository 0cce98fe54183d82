"""PS3.5 and PS3.10 bytes: data elements, transfer syntaxes and the Part 10 head, streamed."""
