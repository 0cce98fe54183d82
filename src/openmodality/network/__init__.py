"""Sockets, TLS and threads around the upper layer."""
