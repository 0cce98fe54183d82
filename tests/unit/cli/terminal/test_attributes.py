"""Keys as they are typed: what a date is, and what is told of one that is none."""

from __future__ import annotations

import pytest

from openmodality.cli.terminal.attributes import say_odd_keys


@pytest.mark.parametrize("value", ["", "*", "20261130", "20261130-", "-20261130", "20261101-20261130"])
def test_a_date_in_dicoms_words_is_not_spoken_of(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    say_odd_keys([f"StudyDate={value}", "StudyTime=08", "StudyTime=0800-", "StudyDate", "NoSuchName=2026-11-30"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("StudyDate=2026-11-30", "--key StudyDate: a date is YYYYMMDD, a range YYYYMMDD-YYYYMMDD"),
        ("StudyDate=30.11.2026", "--key StudyDate: a date is"),
        ("StudyDate=20261301", "--key StudyDate: a date is"),
        ("(0008,0020)=yesterday", "--key (0008,0020): a date is"),
        ("ScheduledProcedureStepSequence>ScheduledProcedureStepStartTime=8:00", "a time is HHMMSS"),
    ],
)
def test_a_date_as_people_write_it_is_told(key: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A list shows dates so, and a peer that finds nothing looks the same as one that has nothing."""
    say_odd_keys([key])
    assert told in capsys.readouterr().err
