"""Names and addresses of hosts, without the tables of IDNA where none is needed: they take 2 ms of an echo."""

from __future__ import annotations

from typing import Final

_MAX_LABEL: Final = 63


def is_host(host: str) -> bool:
    """Whether a resolver can be asked: no label is empty, but for one after the last dot, or above 63 characters."""
    if not host or not host.isprintable() or " " in host:
        return False
    if not host.isascii():
        try:
            host.encode("idna")
        except UnicodeError:
            return False
        return True
    *labels, last = host.split(".")
    return len(last) <= _MAX_LABEL and all(0 < len(label) <= _MAX_LABEL for label in labels)


def prepare_for_resolver(host: str) -> bytes | str:
    """The host as sockets take it. What is no host is passed on too: they raise ``UnicodeError`` or ``OSError`` for
    it.
    """
    return host.encode("ascii") if host.isascii() and is_host(host) else host
