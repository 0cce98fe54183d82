"""An exam as a person sees it."""

from __future__ import annotations

import pytest

from openmodality.app.records.exams import ExamDetails
from openmodality.cli.display.exams import print_exam
from openmodality.standard.performed_step import StepStatus
from openmodality.store.listing.exams import ExamRecord, StepRecord
from openmodality.store.states import ExamState


def test_what_the_ris_said_does_nothing_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exam = ExamRecord(1, ExamState.IN_PROGRESS, "1.2.3", "A1", False, 0.0, None, "1", {}, ())
    step = StepRecord(1, "1.2.4", "1.2\x1b[2J", "S1", StepStatus.IN_PROGRESS, {}, None, 0.0, None)
    monkeypatch.setattr(
        ExamDetails, "list_reports", lambda _, __: ["IN PROGRESS to ris: failed, bad\x1b[31mred\nforged"]
    )
    print_exam(ExamDetails(exam, [step], [], []))
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "",
        "performed step S1 IN PROGRESS  1.2\ufffd[2J",
        "  IN PROGRESS to ris: failed, bad\ufffd[31mred\ufffdforged",
    ]
