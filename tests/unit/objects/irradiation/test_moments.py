"""When an irradiation event started, in whichever form it is stated."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest

from openmodality import IrradiationEvent


def test_a_moment_in_the_forms_of_dicom() -> None:
    expected = datetime(2026, 11, 29, 8, 30, 1, 500000)
    for stated in (
        {"AcquisitionDateTime": "20261129083001.5"},
        {"AcquisitionDate": "20261129", "AcquisitionTime": "083001.500000"},
        {"DateTimeStarted": expected},
    ):
        assert IrradiationEvent(KVP=80, **stated).started == expected


@pytest.mark.parametrize(
    "stated",
    [
        "20261129083001.500000+0000",
        "20261129063001.5-0200",
        "2026-11-29T08:30:01.5Z",
        datetime(2026, 11, 29, 11, 30, 1, 500000, timezone(timedelta(hours=3))),
    ],
)
def test_a_moment_with_an_offset_is_taken_in_the_time_of_the_device(
    stated: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC-9")  # POSIX: nine hours before UTC
    time.tzset()
    try:
        event = IrradiationEvent(KVP=80, AcquisitionDateTime=stated)
        assert event.started == datetime(2026, 11, 29, 17, 30, 1, 500000)
    finally:
        monkeypatch.undo()
        time.tzset()
