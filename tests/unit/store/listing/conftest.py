"""A database with two patients, to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openmodality.store.local import LocalStore
from tests.peers.objects import ct_image, mr_image
from tests.unit.store.conftest import fill, open_copy


@pytest.fixture(scope="module")
def filled_folder(empty_folder: Path) -> Path:
    """Two patients; the first has a study with an MR series of 11 and a CT series of 2 instances."""
    first: dict[str, Any] = {
        "PatientID": "1",
        "PatientName": "Doe^Jane",
        "StudyInstanceUID": "1.1",
        "StudyDate": "20260102",
    }
    images = [
        mr_image(rows=4, columns=4, **first, SeriesInstanceUID="1.1.1", InstanceNumber=n, SOPInstanceUID=f"1.1.1.{n}")
        for n in range(1, 12)
    ]
    images += [ct_image(rows=4, columns=4, **first, SeriesInstanceUID="1.1.2") for _ in range(2)]
    second: dict[str, Any] = {
        "PatientID": "2",
        "PatientName": "Müller^Jörg=山田^太郎",
        "SpecificCharacterSet": "ISO_IR 192",
    }
    second |= {"StudyDate": "20260203", "StudyTime": "143059.12", "AccessionNumber": "A[1]%_x"}
    images.append(mr_image(rows=4, columns=4, **second, StudyInstanceUID="1.2", OtherPatientIDs=["22", "33"]))
    return fill(empty_folder, images)


@pytest.fixture
def filled(filled_folder: Path, folder: Path) -> Iterator[LocalStore]:
    with open_copy(filled_folder, folder) as opened:
        yield opened
