"""The header of a stored instance is what pydicom reads of it, however the file is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement

from openmodality.errors import ObjectInvalid
from openmodality.hospital import header_reading
from openmodality.hospital.header_reading import KEPT, read_stored_header
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from tests.peers.objects import mr_image, save


def save_image(folder: Path, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN, **values: Any) -> Path:
    step = Dataset()
    step.ScheduledProcedureStepID, step.RequestedProcedureDescription = "S1", "Kopf, müde"
    image = mr_image(
        rows=4,
        columns=4,
        transfer_syntax=transfer_syntax,
        PatientName="Müller^Jörg",
        OtherPatientIDs=["1", "2"],
        RequestAttributesSequence=[step],
        PerformedProcedureStepID="P1",
        **values,
    )
    return save(image, folder)


def read_with_pydicom(path: Path) -> Dataset:
    return Dataset(dcmread(path, stop_before_pixels=True, specific_tags=list(KEPT)))


@pytest.mark.parametrize(
    "transfer_syntax", [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN]
)
@pytest.mark.parametrize("values", [{}, {"ImageComments": "x" * 10_000, "TextValue": "y" * 10_000}])
def test_it_is_what_pydicom_reads(tmp_path: Path, transfer_syntax: str, values: dict[str, str]) -> None:
    path = save_image(tmp_path, transfer_syntax, **values)
    header = read_stored_header(path)
    assert header == read_with_pydicom(path)
    assert (header.PatientName, header.PerformedProcedureStepID) == ("Müller^Jörg", "P1")
    assert "PixelData" not in header


def test_most_files_are_read_without_pydicom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(header_reading, "dcmread")
    assert read_stored_header(save_image(tmp_path)).PatientName == "Müller^Jörg"


@pytest.mark.parametrize("is_delimited", [False, True])
def test_sequences_of_both_kinds_and_what_is_private_are_passed(tmp_path: Path, is_delimited: bool) -> None:
    path = save_image(tmp_path)
    image = dcmread(path)
    image["RequestAttributesSequence"].is_undefined_length = is_delimited
    image.add(DataElement(0x00090010, "LO", "SOMEBODY"))
    image.add(DataElement(0x00091001, "UN", b"\1\2"))
    image.save_as(path)
    assert read_stored_header(path) == read_with_pydicom(path)


@pytest.mark.parametrize("cut", [100, 500, 700, 900])
def test_what_is_cut_off_is_read_as_pydicom_reads_it_or_refused(tmp_path: Path, cut: int) -> None:
    path = save_image(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    try:
        expected = read_with_pydicom(path)
    except Exception:  # noqa: BLE001 - pydicom raises many kinds for bytes that are no data set
        with pytest.raises(ObjectInvalid):
            read_stored_header(path)
    else:
        assert read_stored_header(path) == expected
