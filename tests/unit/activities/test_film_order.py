"""What an order becomes: chosen values, else the printer's usual; and what a printer does not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openmodality.activities.film_order import FilmOrder, make_session
from openmodality.device.site.site_loader import load_site
from openmodality.errors import UsageError
from openmodality.objects.film import FilmSession

SITE = """
[peers.film]
ae_title = "FILM"
host = "printer.example.org"
port = 104
services = ["print"]

[printers.film]
"""
SMALL = 'film_sizes = ["A4", "A3"]\nmedium_types = ["PAPER"]\nsmoothing_types = ["SHARP", "SOFT"]\n'


def make(
    folder: Path, order: FilmOrder, *, count: int = 1, profile: str = "mr", lines: str = SMALL, head: str = ""
) -> FilmSession:
    (folder / "site.toml").write_text(f'profile = "{profile}"\n{head}{SITE}{lines}', encoding="utf-8")
    site = load_site(folder)
    return make_session(site, site.printer("film"), order, count)


def test_what_is_not_chosen_is_as_usual(tmp_path: Path) -> None:
    session = make(tmp_path, FilmOrder())
    (film,) = session.films
    assert (session.number_of_copies, session.print_priority, session.medium_type) == (1, "MED", "PAPER")
    assert (session.film_destination, session.label, session.memory_allocation) == ("PROCESSOR", None, None)
    assert (film.film_size_id, film.film_orientation, film.smoothing_type) == ("A4", "PORTRAIT", "SHARP")
    assert (film.min_density, film.max_density, film.trim) == (20, 300, "NO")
    assert (film.configuration_information, film.illumination, film.presentation_lut_shape) == (None, None, None)


def test_what_is_chosen_holds(tmp_path: Path) -> None:
    order = FilmOrder("2x3", 5, "HIGH", "PAPER", "MAGAZINE", "A3", "LANDSCAPE", "NONE", "SOFT", label="Köpfe")
    session = make(tmp_path, order)
    (film,) = session.films
    assert (session.number_of_copies, session.print_priority, session.film_destination) == (5, "HIGH", "MAGAZINE")
    assert (film.image_display_format, film.film_size_id, film.film_orientation) == ("STANDARD\\2,3", "A3", "LANDSCAPE")
    assert (film.magnification_type, film.smoothing_type, session.label) == ("NONE", "SOFT", "Köpfe")


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        ({"size": "14INX17IN"}, "printer film has no film size '14INX17IN'"),
        ({"medium": "BLUE FILM"}, "has no medium 'BLUE FILM'"),
        ({"destination": "BIN_9"}, "has no destination 'BIN_9'"),
        ({"smoothing": "X"}, "has no smoothing 'X'"),
        ({"configuration": "X"}, "has no configuration 'X'"),
        ({"priority": "NOW"}, "is no print priority"),
        ({"layout": "0x3"}, "is no layout"),
        ({"layout": "99x99"}, "more than the 20 columns"),
        ({"layout": "CUSTOM\\1"}, "not of the kinds"),
    ],
)
def test_what_the_printer_does_not_have_is_refused(tmp_path: Path, order: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        make(tmp_path, FilmOrder(**order))


@pytest.mark.parametrize(
    ("count", "expected"), [(1, "1,1"), (2, "1,2"), (3, "2,2"), (5, "2,3"), (9, "3,3"), (13, "4,4"), (99, "4,4")]
)
def test_the_smallest_grid_that_holds_all_is_taken(tmp_path: Path, count: int, expected: str) -> None:
    assert make(tmp_path, FilmOrder(), count=count).films[0].image_display_format == f"STANDARD\\{expected}"


def test_a_printer_with_layouts_takes_these_alone(tmp_path: Path) -> None:
    lines = f'{SMALL}layouts = ["STANDARD\\\\3,4", "ROW\\\\1,2"]\n'
    assert make(tmp_path, FilmOrder(), count=2, lines=lines).films[0].image_display_format == "ROW\\1,2"
    assert make(tmp_path, FilmOrder(), count=20, lines=lines).films[0].image_display_format == "STANDARD\\3,4"
    with pytest.raises(UsageError, match="printer film does not take"):
        make(tmp_path, FilmOrder("1x1"), lines=lines)


def test_a_device_without_labels_refuses_one(tmp_path: Path) -> None:
    lines = 'smoothing_types = ["A"]\nconfiguration_information = ["B"]\n'
    with pytest.raises(UsageError, match="sends no Film Session Label"):
        make(tmp_path, FilmOrder(label="x"), profile="rf", lines=lines)


def test_a_presentation_lut_is_used_where_the_device_uses_any(tmp_path: Path) -> None:
    on = "[parameters.print]\npresentation_lut = true\n"
    assert make(tmp_path, FilmOrder(), head=on).films[0].presentation_lut_shape == "IDENTITY"
    assert make(tmp_path, FilmOrder(), head=on, lines='presentation_lut = ""\n').films[0].presentation_lut_shape is None
