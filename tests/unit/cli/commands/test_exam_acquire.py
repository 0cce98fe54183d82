"""What ``openmodality exam acquire`` counts and says: its own images, while another one makes some, and at Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom.uid import MRImageStorage

from openmodality.cli.commands.exam_acquire import acquire_source
from openmodality.exam.ingest import IngestOptions


class _Exam:
    """Acquires three images while another command makes one."""

    id = 2

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error
        self._uids: list[str] = []

    def instances(self) -> list[Any]:
        return [SimpleNamespace(SOPClassUID=MRImageStorage, SOPInstanceUID=uid) for uid in self._uids]

    def acquire(self, source: object, progress: Callable[[int, int], None], **options: object) -> list[Any]:
        self._uids += ["1.1", "1.2", "1.3"]
        if self._error is not None:
            raise self._error
        self._uids += ["1.4"]
        record = SimpleNamespace(number=1, description="T1")
        said: dict[str, Any] = {"notices": (), "unused": {}, "left_out": (), "unstated": (), "overridden": ()}
        phase = SimpleNamespace(made=["1.3"])
        return [SimpleNamespace(record=record, object_name="MR Image", made=["1.1", "1.2"], phase=phase, **said)]


def test_images_that_another_command_makes_meanwhile_are_not_counted() -> None:
    exam: Any = _Exam()
    assert acquire_source(exam, ["t1.nii"], IngestOptions()) == {"1.1", "1.2", "1.3"}


def test_ctrl_c_says_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    exam: Any = _Exam(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        acquire_source(exam, ["t1.nii"], IngestOptions())
    assert capsys.readouterr().err == "interrupted; exam 2 keeps the 3 images made so far\n"
