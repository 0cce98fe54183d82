"""What the page of a disc is given for each kind of image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UID

from openmodality.activities.disc_pages import make_page_studies, make_viewer_image
from openmodality.errors import ObjectInvalid
from openmodality.media.application_profile import USB
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_set import FileSetOptions, create_file_set
from tests.peers import objects
from tests.unit.imaging.images import RAMP, colour_image, grey_image


def test_a_grey_image_keeps_its_window() -> None:
    made = make_viewer_image(
        grey_image(RAMP, WindowCenter="40", WindowWidth="400", RescaleSlope="2", RescaleIntercept="-1")
    )
    assert made.shades is not None
    assert (made.shades.center, made.shades.width, made.shades.slope, made.shades.intercept) == (40, 400, 2, -1)


def test_without_a_window_all_values_are_shown() -> None:
    made = make_viewer_image(grey_image(RAMP))
    assert made.shades is not None
    assert (made.shades.center, made.shades.width) == (2048, 4096)


def test_a_signed_image_has_an_offset() -> None:
    made = make_viewer_image(grey_image(RAMP.astype(np.int16) - 2048))
    assert made.shades is not None
    assert made.shades.offset == -2048


def test_an_image_under_a_table_is_rendered() -> None:
    data_set = grey_image(RAMP)
    item = type(data_set)()
    item.LUTDescriptor, item.LUTData = [4, 0, 8], [0, 1, 2, 255]
    data_set.VOILUTSequence = [item]
    assert make_viewer_image(data_set).shades is None


def test_an_image_of_one_bit_has_a_table_of_the_page() -> None:
    assert make_viewer_image(grey_image(RAMP // RAMP.max(), BitsStored=1, HighBit=0)).shades is not None


def test_a_colour_image_is_rendered() -> None:
    """Eight bits would fit the page's table, three colours do not."""
    assert make_viewer_image(colour_image(np.zeros((2, 2, 3), np.uint8))).shades is None


def test_pixels_that_cannot_be_read_are_refused() -> None:
    data_set = grey_image(RAMP)
    del data_set.PixelData
    with pytest.raises(ObjectInvalid):
        make_viewer_image(data_set)


def test_studies_of_a_file_set(tmp_path: Path) -> None:
    sources = objects.mr_series(tmp_path / "source", 2, rows=8, columns=8, PatientName="Yamada^Tarou=山田^太郎",
                                SpecificCharacterSet="ISO_IR 192", SeriesDescription="T1")  # fmt: skip
    broken = dcmread(sources[0])
    broken.SOPInstanceUID = broken.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    broken.PixelData = b"\0\0"
    broken.save_as(tmp_path / "source" / "broken.dcm", enforce_file_format=True)
    options = FileSetOptions(USB, ("1.2.3", "TEST"), durable=False)
    create_file_set(tmp_path / "disc", [*sources, tmp_path / "source" / "broken.dcm"], options)
    (study,) = make_page_studies(tmp_path / "disc", read_directory(tmp_path / "disc" / "DICOMDIR"))
    assert study.patient[0] == ("Patient", "Yamada Tarou / 山田 太郎")
    assert study.patient[2] == ("Born", "1970-01-01")
    assert study.study == [("Study", ""), ("Date", "2026-11-22"), ("Accession", "A0001")]
    (series,) = study.series
    assert (series.heading, series.thumbnail[1:4]) == ("1 MR T1", b"PNG")
    assert [made.label for made in series.images] == ["Instance 1", "Instance 2"]
