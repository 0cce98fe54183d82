"""What is written into pictures on film."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset

from openmodality.imaging.film.annotation import Annotation, burn_in, read_annotation, read_directions

GREY = np.full((400, 400), 100, dtype=np.uint8)


def image(**values: object) -> Dataset:
    data_set = Dataset()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


def changed(picture: np.ndarray[tuple[int, ...], np.dtype[np.unsignedinteger]]) -> set[tuple[int, int]]:
    """Which ninths of the picture, by row and column, are not what they were."""
    rows, columns = np.nonzero(picture != GREY)
    return set(zip((rows * 3 // 400).tolist(), (columns * 3 // 400).tolist(), strict=True))


def test_patient_place_and_image_are_read() -> None:
    data_set = image(
        PatientName="Yamada^Tarou=山田^太郎", PatientID="7", PatientBirthDate="19700102", PatientSex="M",
        InstitutionName="Hospital", StudyDate="20261129", SeriesDescription="T1", Modality="MR", SeriesNumber="2",
        InstanceNumber="5", NumberOfFrames="3", AccessionNumber="A1",
    )  # fmt: skip
    read = read_annotation(data_set, 3)
    assert read.upper_left == ("Yamada, Tarou", "7", "1970-01-02 M")
    assert read.upper_right == ("Hospital", "2026-11-29")
    assert read.lower_left == ("T1", "MR series 2 image 5 frame 3")
    assert read.lower_right == ("A1",)


@pytest.mark.parametrize(
    ("name", "written"),
    [("Müller^Jörg", "Müller, Jörg"), ("=Ивáн", "Ивáн"), ("\U0010fff0^A=Ivan^A", "Ivan, A"), ("^^^", "")],
)
def test_of_a_name_the_group_that_can_be_written_is(name: str, written: str) -> None:
    assert read_annotation(image(PatientName=name, PatientID="1")).upper_left[0] == (written or "1")


def test_control_characters_are_not_written() -> None:
    assert "\x1b" not in "".join(read_annotation(image(PatientID="a\x1b[31m")).upper_left)


@pytest.mark.parametrize(
    ("values", "directions"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}, ("R", "A", "L", "P")),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, ("A", "H", "P", "F")),
        ({"ImageOrientationPatient": [0.9, 0.43, 0, 0, 0, -1]}, ("RA", "H", "LP", "F")),
        ({"PatientOrientation": ["L", "F"]}, ("R", "H", "L", "F")),
        ({"PatientOrientation": ["", ""]}, ("", "", "", "")),
        ({}, ("", "", "", "")),
    ],
)
def test_directions_of_the_edges(values: dict[str, object], directions: tuple[str, ...]) -> None:
    assert read_directions(image(**values)) == directions


@pytest.mark.parametrize(
    ("annotation", "ninths"),
    [
        (Annotation(upper_left=("X",)), {(0, 0)}),
        (Annotation(upper_right=("X",)), {(0, 2)}),
        (Annotation(lower_left=("X",)), {(2, 0)}),
        (Annotation(lower_right=("X",)), {(2, 2)}),
        (Annotation(left="L"), {(1, 0)}),
        (Annotation(bottom="F"), {(2, 1)}),
        (Annotation(spacing=1.0), {(1, 2)}),
        (Annotation(lines=(((200, 150), (200, 250)),)), {(1, 1)}),
        (Annotation(), set()),
    ],
)
def test_each_part_has_its_place(annotation: Annotation, ninths: set[tuple[int, int]]) -> None:
    assert changed(burn_in(GREY, annotation, 255)) == ninths


def test_text_is_white_with_a_black_rim_in_all_bits() -> None:
    wide = np.full((400, 400), 2000, dtype=np.uint16)
    written = burn_in(wide, Annotation(left="L", upper_left=("WWWW",)), 4095)
    assert (str(written.dtype), written.max(), written.min()) == ("uint16", 4095, 0)
    colours = burn_in(np.full((400, 400, 3), 100, dtype=np.uint8), Annotation(left="L"), 255)
    assert colours.shape == (400, 400, 3)


def test_a_scale_of_a_tenth_millimetre_is_as_long_as_it_says() -> None:
    written = burn_in(GREY, Annotation(spacing=0.5), 255)
    column = written[:, 400 - 2 * 9]
    bright = np.flatnonzero(column == 255)
    bar = bright[bright < 270]
    assert bar.max() - bar.min() == pytest.approx(50 / 0.5, abs=2)


def test_a_long_name_goes_on_below_so_that_its_end_tells_two_patients_apart() -> None:
    name = "Wolfeschlegelsteinhausenbergerdorff, "
    one, other = (burn_in(GREY, Annotation(upper_left=(name + given, "4711")), 255) for given in ("Hubert", "Hilde"))
    assert np.any(one != other)
    lines = [
        len(set(np.nonzero(picture != GREY)[0]))
        for picture in (one, burn_in(GREY, Annotation(upper_left=("Wg", "Hg", "4")), 255))
    ]
    assert abs(lines[0] - lines[1]) <= 2  # rows of pixels: three lines of text
    long_id = [burn_in(GREY, Annotation(upper_left=("7" * 40 + end,)), 255) for end in "12"]
    assert np.any(long_id[0] != long_id[1])


def test_a_long_line_ends_with_an_ellipsis_and_leaves_the_other_corner() -> None:
    long = Annotation(upper_left=("W" * 300,))
    assert {column for _, column in changed(burn_in(GREY, long, 255))} <= {0, 1}
    both = replace(long, upper_right=("END",))
    assert np.any(burn_in(GREY, both, 255) != burn_in(GREY, long, 255))
