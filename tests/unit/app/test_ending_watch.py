"""The thread that ends exams for a process that died: no error, foreseen or not, keeps it from the next exam."""

from __future__ import annotations

import logging
import threading
from typing import cast

import pytest

from openmodality.app import ending_watch
from openmodality.app.ending_watch import EndingWatch
from openmodality.errors import UsageError
from openmodality.exam.workflow import Workflow
from openmodality.standard.performed_step import StepStatus
from openmodality.store.listing.exams import Ending

ENDING = Ending(StepStatus.COMPLETED, 1.7e9)


class Endings:
    """A workflow whose first exam cannot be ended; ``told`` is set when the last one was, for the second time."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.ended: list[int] = []
        self.told = threading.Event()

    def carry_out(self, exam_id: int) -> None:
        if exam_id == 1:
            raise self.error
        self.ended.append(exam_id)
        if len(self.ended) == 2:
            self.told.set()


@pytest.mark.parametrize("error", [KeyError("Doe^Jane"), UsageError("no such exam")])
def test_an_exam_that_cannot_be_ended_keeps_no_other_from_its_end(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ending_watch, "find_noted_endings", lambda workflow: {1: ENDING, 2: ENDING})
    workflow = Endings(error)
    with caplog.at_level(logging.ERROR), EndingWatch(cast("Workflow", workflow), look_s=0.001):
        assert workflow.told.wait(10)
    assert set(workflow.ended) == {2}
    (record,) = caplog.records
    assert record.message == "exam.not_ended"
    assert vars(record)["exam"] == 1
    if isinstance(error, KeyError):
        assert vars(record)["error"] == "KeyError"
        assert vars(record)["place"].startswith("test_ending_watch.py:")
        assert "Doe" not in str(vars(record))


def test_a_fault_at_a_look_is_reported_and_the_next_look_follows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = iter([KeyError("Doe^Jane")])

    def look() -> None:
        for error in looks:
            raise error

    monkeypatch.setattr(ending_watch, "find_noted_endings", lambda workflow: {2: ENDING})
    workflow = Endings(KeyError())
    with caplog.at_level(logging.ERROR), EndingWatch(cast("Workflow", workflow), look, look_s=0.001):
        assert workflow.told.wait(10)
    assert [(record.message, vars(record)["error"]) for record in caplog.records] == [("endings.crashed", "KeyError")]
