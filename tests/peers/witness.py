"""Who stood by while a test ran: programs of others, their libraries, or only our own other side.

Peers are noted where they are started, so that no test has to say whom it was held against.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

PYNETDICOM: Final = "pynetdicom"
WIRE: Final = "wiretap"
"""The bytes between the two sides were recorded, and read by pynetdicom and pydicom."""
SOCKET: Final = "socket"
"""Something went through a socket, whoever was at its other end."""
DEVICE: Final = "device"
"""A device was built from a site file, as users run it; without it only parts of one were tried."""
OWN_PROCESS: Final = "openmodality"
"""A command of ours ran in a process of its own."""

PEERS: Final = frozenset({
    PYNETDICOM, "dcmprscp", "dcmprscu", "dcmqrscp", "echoscu", "findscu", "getscu", "movescu", "storescp", "storescu",
    "termscu", "wlmscpfs", "Orthanc", "dciodvfy",
})  # fmt: skip
"""Who speaks to the device as hospitals do, or judges its objects by the standard."""
READERS: Final = frozenset({
    WIRE, "dcm2pnm", "dcmconv", "dcmdjpeg", "dcmdrle", "dcmdump", "dcmftest", "dcmmkdir", "dcmp2pgm", "dsrdump",
    "dcdump", "dcdirdmp", "isoinfo", "7z", "xorriso", "chromium",
})  # fmt: skip
"""Who reads what the device wrote, with a decoder of their own."""

_noted: list[set[str]] = [set()]


def note(name: str) -> None:
    """Somebody takes part in what is running now."""
    _noted[-1].add(name)


@contextlib.contextmanager
def noting() -> Iterator[set[str]]:
    """Who takes part within the block; a block inside has notes of its own."""
    names: set[str] = set()
    _noted.append(names)
    try:
        yield names
    finally:
        _noted.pop()
