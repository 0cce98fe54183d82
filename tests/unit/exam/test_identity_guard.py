"""Whom pixels show, against whom the exam is of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openmodality.acquisition.drop_folder import DropFolder, DroppedFile, FolderState
from openmodality.errors import OtherIdentity
from openmodality.exam.session import Exam

BeginExam = Callable[..., Exam]


def begin(begin_exam: BeginExam) -> Exam:
    return begin_exam(PatientName="Doe^Jane", PatientID="T1", PatientBirthDate="19800102")


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"PatientName": "DOE^JANE^^", "PatientID": "T1 ", "PatientBirthDate": "1980-01-02"},
        {"PatientName": "Doe, Jane"},
        {"PatientName": "", "AccessionNumber": ""},
    ],
)
def test_the_same_identity_may_be_written_otherwise(begin_exam: BeginExam, identity: dict[str, str]) -> None:
    begin(begin_exam).check_identity(identity, "a.nii")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PatientName", "DOE^JOHN"), ("PatientID", "T2"), ("PatientBirthDate", "19800103"), ("AccessionNumber", "A1")],
)
def test_another_identity_is_held_with_both_shown(begin_exam: BeginExam, keyword: str, value: str) -> None:
    with pytest.raises(OtherIdentity) as caught:
        begin(begin_exam).check_identity({keyword: value}, "a.nii")
    assert caught.value.message.startswith(f"a.nii: {keyword} is not that of exam")
    assert value not in caught.value.message, "a message may be logged"
    assert f"the input says {keyword} {value}" in caught.value.advice
    assert "the exam says" in caught.value.advice
    assert "--accept-identity" in caught.value.advice


@pytest.mark.parametrize("accept", [False, True])
def test_files_of_others_are_held_in_a_watched_folder(begin_exam: BeginExam, tmp_path: Path, accept: bool) -> None:
    exam = begin(begin_exam)
    np.save(tmp_path / "a.npy", np.ones((4, 4), np.uint16))
    (tmp_path / "a.json").write_text('{"PatientID": "T2"}')

    def deliver(arrival: DroppedFile) -> None:
        exam.take(arrival, accept_identity=accept)

    folder: Any = DropFolder(tmp_path, deliver, settle_s=0)
    folder.step(folder.step(FolderState(), 0), 1)
    place = tmp_path / ("done" if accept else "held")
    assert sorted(each.name for each in place.iterdir()) == ["a.json", "a.npy", *([] if accept else ["a.npy.txt"])]
    assert len(exam.instances()) == int(accept)
    if not accept:
        text = (place / "a.npy.txt").read_text()
        assert "PatientID T2" in text
        assert "PatientID T1" in text
        assert (place / "a.npy.txt").stat().st_mode & 0o077 == 0
