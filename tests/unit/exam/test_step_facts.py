"""What a RIS is told of the series of a performed step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydicom import Dataset

from openmodality.exam.session import Exam
from tests.devices import add_image


@pytest.mark.parametrize(
    ("description", "values", "said"),
    [("T1", {"ProtocolName": "HEAD"}, "HEAD"), ("T1", {}, "T1"), ("", {}, "MR"), ("", {"ProtocolName": "A"}, "A")],
)
def test_the_protocol_of_a_series_and_who_has_it(
    begin_exam: Callable[..., Exam], description: str, values: dict[str, Any], said: str
) -> None:
    exam = begin_exam()
    add_image(exam.series(description, **values))
    (step,) = exam.complete().steps
    assert step.n_set is not None
    (series,) = Dataset.from_json(step.n_set).PerformedSeriesSequence
    assert (series.ProtocolName, series.SeriesDescription) == (said, description)
    assert series.RetrieveAETitle == "HOSPITAL"
    assert len(series.ReferencedImageSequence) == 1
