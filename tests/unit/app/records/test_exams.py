from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from openmodality.app.records.exams import ExamDetails


def test_series_stand_in_the_order_of_their_numbers_whichever_had_its_first_image_first() -> None:
    """Two commands that acquire into one exam end in any order; the database knows them by their first image."""
    record = SimpleNamespace(
        study_instance_uid="1.2", series=[SimpleNamespace(series_instance_uid=f"1.2.{number}") for number in (1, 2, 3)]
    )
    view: Any = SimpleNamespace(
        exam=lambda exam_id: record,
        steps=lambda exam_id: [],
        find=lambda level, keys: [{"SeriesInstanceUID": uid} for uid in ("1.2.3", "1.2.1", "1.2.9", "1.2.2")],
        jobs=SimpleNamespace(list=lambda kinds: []),
    )
    shown = [series["SeriesInstanceUID"] for series in ExamDetails.of(view, 1).series]
    assert shown == ["1.2.1", "1.2.2", "1.2.3"]
