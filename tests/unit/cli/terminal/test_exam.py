"""Which exam is meant."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from openmodality.app.view import LocalView
from openmodality.cli.terminal.exam import find_exam_number
from openmodality.errors import NotFound, UsageError
from openmodality.store.listing.exams import ExamRecord
from openmodality.store.states import ExamState


class Exams:
    def exams(self) -> list[ExamRecord]:
        return [
            ExamRecord(number, ExamState.COMPLETED, uid, accession, True, 0.0, None, "", {}, ())
            for number, uid, accession in ((1, "1.2.3", "A1"), (2, "1.2.4", "2"), (12, "2.5", "A1"))
        ]


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("2", 2), ("1.2.3", 1), ("2.", 12)])
def test_a_number_goes_before_an_accession_number_and_a_uid(text: str, number: int) -> None:
    assert find_exam_number(cast(LocalView, Exams()), text) == number


def test_several_are_named_and_none_is_said() -> None:
    with pytest.raises(UsageError, match="A1 fits the exams 1 and 12"):
        find_exam_number(cast(LocalView, Exams()), "A1")
    with pytest.raises(NotFound, match="there is no exam 99"):
        find_exam_number(cast(LocalView, Exams()), "99")


def test_a_number_is_no_beginning_of_a_uid() -> None:
    """Exam complete 2 would else end exam 1, where that is the only one: its UID begins with 2.25."""
    exams = cast(LocalView, SimpleNamespace(exams=lambda: Exams().exams()[2:]))
    with pytest.raises(NotFound, match="there is no exam 2;"):
        find_exam_number(exams, "2")
