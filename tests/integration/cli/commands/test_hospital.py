from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from openmodality.cli.commands import hospital
from openmodality.cli.display.hospital_lines import format_event_line
from openmodality.cli.display.hospital_table import _make_texts
from openmodality.hospital.journal import JournalEntry
from openmodality.hospital.orders import Orders
from tests import hospital_scu as scu


def test_a_fault_of_an_order_does_not_end_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with scu.hospital(tmp_path / "hospital") as made:
        orders = Orders(made, lambda: None)
        monkeypatch.setattr(made, "misbehave", lambda *_: 1 / 0)
        hospital._obey_line(orders, ["misbehave", "pacs:a700"])
        hospital._obey_line(orders, ["status", "x"])
        hospital._obey_line(orders, ["status"])
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == [
        "openmodality: internal error: ZeroDivisionError",
        "openmodality: status takes no words; leave out what follows it",
    ]
    assert said[2].startswith("behaves; devices: ")


def test_what_a_device_says_does_nothing_to_a_terminal() -> None:
    event = JournalEntry(datetime(2026, 11, 28, 8, 30), "pacs", "stored", "of \x1b[31mDOE\n08:31:00 pacs forged")
    assert format_event_line(event) == "08:30:00 pacs    of \ufffd[31mDOE\ufffd08:31:00 pacs forged"
    assert [text.plain for text in _make_texts("\x1b[31mDOE", 1)] == ["\ufffd[31mDOE", "1"]
