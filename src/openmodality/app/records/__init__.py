"""The records of the device as JSON, the same for ``--json`` and for the REST API (docs/json.md, ADR 59)."""
