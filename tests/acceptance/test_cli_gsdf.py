"""``openmodality gsdf`` as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.acceptance.in_process import openmodality


def test_a_pattern_is_a_picture_of_the_size_that_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "pattern.png"
    ended = openmodality("gsdf", "pattern", file, "--rows", "200", "--columns", "300")
    assert (ended.status, ended.err) == (0, "")
    with Image.open(file) as picture:
        assert (picture.size, picture.mode) == ((300, 200), "L")


def test_a_measured_display_gets_its_table(tmp_path: Path) -> None:
    file = tmp_path / "measured.csv"
    lines = [f"{level},{0.3 + 250 * (level / 255) ** 2.2:.4f}" for level in range(256)]
    file.write_text("level,luminance\n" + "\n".join(lines) + "\n")
    plain = openmodality("gsdf", "table", file, "--ambient", "0.2")
    machine = openmodality("gsdf", "table", file, "--ambient", "0.2", "--json")
    assert (plain.status, machine.status) == (0, 0)
    rows = [line.split(",") for line in plain.out.splitlines()]
    assert (rows[0], rows[-1][:2]) == (["0", "0", "0.5000"], ["255", "255"])
    assert [int(row[1]) for row in rows] == [item["level"] for item in machine.items]
    assert 0 < machine.json["greatest_deviation_in_jnd"] < 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\n2\nx\n", "line 3: 'x' is no number"),
        ("1\n-2\n", "line 2: -2 is no luminance"),
        ("1\nnan\n", "line 2: nan is no luminance"),
        ("1\n", "has 1 luminances"),
        ("3\n2\n1\n", "have to rise"),
        ("\x00\xff", "has 0 luminances"),
    ],
)
def test_what_is_no_measurement_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "measured.csv"
    file.write_text(text, encoding="latin-1")
    ended = openmodality("gsdf", "table", file)
    assert ended.status == 2
    assert said in ended.error_line


def test_the_densities_of_a_film_fall_between_its_limits() -> None:
    ended = openmodality("gsdf", "film", "--least", "0.2", "--greatest", "3", "--levels", "3")
    densities = [float(line.split(",")[1]) for line in ended.out.splitlines()]
    assert densities == sorted(densities, reverse=True)
    assert (densities[0], densities[-1]) == pytest.approx((3, 0.2), abs=0.02)
    refused = openmodality("gsdf", "film", "--least", "3", "--greatest", "1")
    assert refused.status == 2
    assert "are not a part of the display function" in refused.error_line
