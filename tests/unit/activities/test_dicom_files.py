"""Which files are meant, and in which order."""

from __future__ import annotations

from pathlib import Path

from openmodality.activities.dicom_files import Unreadable, list_dicom_files


def test_files_of_a_folder_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("s10/img1", "s2/img10", "s2/img2", "DICOMDIR", "s2/DICOMDIR"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    named = tmp_path / "DICOMDIR"
    closed: list[Unreadable] = []
    listed = list(list_dicom_files([tmp_path, named], closed))
    assert [(str(path.relative_to(tmp_path)), is_named) for path, is_named in listed] == [
        ("s2/img2", False),
        ("s2/img10", False),
        ("s10/img1", False),
        ("DICOMDIR", True),
    ]
    assert closed == []
