"""Sheets of film: which picture goes where, what is written into it, and how the sheet looks on a light box."""
