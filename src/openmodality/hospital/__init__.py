"""Virtual RIS, PACS, printer and audit repository: the peers of a device."""
