from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openmodality.cli.terminal.choice import follow_job
from openmodality.store.states import JobState


class _Jobs:
    """A job that is being done until somebody cancels it; Ctrl-C comes at the first look."""

    def __init__(self) -> None:
        self.states = [JobState.DOING, JobState.CANCELLED, JobState.CANCELLED]
        self.is_cancelled = False

    def show(self, job_id: int) -> Any:
        return SimpleNamespace(job=SimpleNamespace(id=job_id, state=self.states.pop(0)))

    def results(self, jobs: list[Any]) -> dict[int, dict[str, int]]:
        raise KeyboardInterrupt

    def cancel(self, job_id: int) -> None:
        self.is_cancelled = True


def test_ctrl_c_cancels_the_job_and_says_so_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    modality: Any = SimpleNamespace(jobs=_Jobs())
    with pytest.raises(KeyboardInterrupt):
        follow_job(modality, 7, "written")
    assert modality.jobs.is_cancelled
    assert capsys.readouterr().err.splitlines() == ["job 7 is being cancelled", "job 7 is cancelled"]
