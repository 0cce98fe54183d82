"""Virtual RIS, PACS and printer: the other side."""
