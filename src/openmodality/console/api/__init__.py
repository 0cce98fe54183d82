"""The REST API under ``/api/v1``, a file for each resource: the same calls and the same words as the command line."""
