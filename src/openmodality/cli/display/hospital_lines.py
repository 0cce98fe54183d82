"""What happens in the virtual hospital, line by line."""

from __future__ import annotations

from typing import Final

from openmodality.cli.terminal.output import clean
from openmodality.hospital.journal import COMPLAINT, JournalEntry

_WIDTH: Final = len("PRINTER")
SERVERS: Final = ("ris", "pacs", "printer")
"""Of the virtual hospital, in the order in which they are shown."""


def format_event_line(event: JournalEntry) -> str:
    """An event for a log or a table."""
    mark = "! " if event.kind == COMPLAINT else ""
    return clean(f"{event.time:%H:%M:%S} {event.place:{_WIDTH}} {mark}{event.text}")
