"""Tells browsers of changes as they happen, by server-sent events from the rows of ``events``."""
