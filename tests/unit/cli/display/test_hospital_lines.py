"""Event lines of the virtual hospital."""

from __future__ import annotations

from datetime import datetime

from openmodality.cli.display.hospital_lines import format_event_line
from openmodality.hospital.journal import JournalEntry


def test_the_texts_of_all_three_systems_stand_in_one_column() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5)
    lines = [format_event_line(JournalEntry(now, place, "echo", "said")) for place in ("RIS", "PACS", "PRINTER")]
    assert lines == ["03:04:05 RIS     said", "03:04:05 PACS    said", "03:04:05 PRINTER said"]
    assert format_event_line(JournalEntry(now, "RIS", "complaint", "said")) == "03:04:05 RIS     ! said"
