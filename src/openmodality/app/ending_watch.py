"""Carries out endings of exams that a dead process has noted, while the device serves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from openmodality.app.background import BackgroundThread
from openmodality.errors import OpenModalityError, describe_fault
from openmodality.exam.recovery import find_noted_endings
from openmodality.exam.workflow import Workflow

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
"""How often it looks. What it sees twice is left to nobody: who notes an ending carries it out at once."""


class EndingWatch(BackgroundThread):
    """A thread of the process that works the queue. Where two processes carry out the same ending, it is done once.

    ``look`` is called as often as it looks.
    """

    def __init__(
        self, workflow: Workflow, look: Callable[[], object] = lambda: None, *, look_s: float = LOOK_S
    ) -> None:
        super().__init__("endings")
        self._workflow = workflow
        self._look = look
        self._look_s = look_s
        self._failed: set[int] = set()

    def run(self) -> None:
        """Look again and again."""
        before: dict[int, object] = {}
        while not self.stopping.wait(self._look_s):
            try:
                noted = find_noted_endings(self._workflow)
                self._look()
            except OpenModalityError as error:
                log.warning("endings.failed", extra={"reason": error.message})
                continue
            except Exception as error:  # noqa: BLE001 - the thread's boundary: reported, and tried again
                log.error("endings.crashed", extra=describe_fault(error))
                continue
            for exam_id, ending in noted.items():
                if before.get(exam_id) == ending:
                    self._carry_out(exam_id)
            before = dict(noted)

    def _carry_out(self, exam_id: int) -> None:
        try:
            self._workflow.carry_out(exam_id)
        except OpenModalityError as error:
            self._report(exam_id, {"reason": error.message})
        except Exception as error:  # noqa: BLE001 - the boundary of one exam: the next one is ended all the same
            self._report(exam_id, describe_fault(error))
        else:
            log.info("exam.ended_for_another", extra={"exam": exam_id})

    def _report(self, exam_id: int, fields: dict[str, str]) -> None:
        """Once for each exam, although its ending is tried again and again."""
        if exam_id not in self._failed:
            log.error("exam.not_ended", extra={"exam": exam_id, **fields})
        self._failed.add(exam_id)
