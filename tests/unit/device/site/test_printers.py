"""Printers in the site file: what they have, and what does not fit the device, said with line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError

PEER = """
[peers.film]
ae_title = "FILM"
host = "printer.example.org"
port = 104
services = ["print"]
"""
NEEDED = 'smoothing_types = ["MEDIUM"]\nconfiguration_information = ["CS000"]\n'


def load(folder: Path, profile: str, printer: str, more: str = "") -> Site:
    text = f'profile = "{profile}"\n{more}{PEER}\n[printers.film]\n{printer}'
    (folder / "site.toml").write_text(text, encoding="utf-8")
    return load_site(folder)


def test_a_printer_has_what_the_parameters_say_where_it_says_nothing(tmp_path: Path) -> None:
    more = "[parameters.print]\nfilm_sizes = ['A4']\nmedium_types = ['PAPER']\nmin_density = 30\n"
    printer = load(tmp_path, "mr", "max_density = 250\n", more).printer("film")
    assert (printer.film_sizes, printer.medium_types) == (("A4",), ("PAPER",))
    assert (printer.min_density, printer.max_density) == (30, 250)
    assert not printer.is_color
    more = '[peers.film]\nae_title = "FILM"\nhost = "h"\nport = 104\nservices = ["print"]\nprint_color = "color"\n'
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{more}', encoding="utf-8")
    assert load_site(tmp_path).printer("film").is_color


def test_a_printer_is_found_by_its_name_by_its_peer_and_as_the_first(tmp_path: Path) -> None:
    site = load(tmp_path, "mr", "bits = 12\n")
    assert site.printer().name == site.printer("film").name == "film"
    assert site.printer("film").settings.bits == 12
    text = (tmp_path / "site.toml").read_text(encoding="utf-8").replace("[printers.film]\nbits = 12", "")
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    assert load_site(tmp_path).printer("film").settings.bits == 8
    with pytest.raises(ConfigurationError, match="no peer 'other'; its printers are: film"):
        load_site(tmp_path).printer("other")


def test_a_peer_that_prints_nothing_is_no_printer(tmp_path: Path) -> None:
    site = load(tmp_path, "mr", 'peer = "film"\n', '[peers.pacs]\nae_title = "P"\nhost = "h"\nport = 1\n')
    with pytest.raises(ConfigurationError, match="peer 'pacs' has no service print; its printers are: film"):
        site.printer("pacs")


@pytest.mark.parametrize(
    ("profile", "lines", "problem"),
    [
        ("mr", 'peer = "x"\n', "printers.film.peer: there is no peer 'x'"),
        ("mr", 'film_sizes = ["9INX9IN"]\n', "printers.film.film_sizes.*'9INX9IN' is not one of 8INX10IN"),
        ("mr", 'layouts = ["3x4"]\n', "printers.film.layouts"),
        ("mr", 'layouts = ["CUSTOM\\\\1"]\n', "is not of the kinds of this device"),
        ("mr", "bits = 10\n", "printers.film.bits"),
        ("mr", 'medium_types = ["blue film"]\n', "printers.film.medium_types"),
        ("mr", "min_density = 10000\n", "printers.film.min_density"),
        ("mr", 'border_density = "GREY"\n', "a density is BLACK, WHITE or hundredths"),
        ("mr", "colour = true\n", "printers.film.colour"),
        ("rf", "", "printers.film.smoothing_types: is empty: profile rf always sends SmoothingType"),
        ("rf", NEEDED + 'border_density = "150"\n', "printers.film.border_density: '150' is not one of BLACK, WHITE"),
        ("rf", NEEDED + 'empty_image_density = "9"\n', "film.empty_image_density: '9' is not one of BLACK, WHITE"),
        ("rf", 'smoothing_types = ["A"]\n', "printers.film.configuration_information: is empty"),
        ("rf", f'{NEEDED}layouts = ["STANDARD\\\\5,1"]\n', "more than the 4 columns and 5 rows"),
        ("rf", f'{NEEDED}layouts = ["ROW\\\\1,2"]\n', "is not of the kinds of this device: STANDARD"),
        ("rf", f'{NEEDED}print_by = "session"\n', "profile rf prints film by film"),
        ("rf", f"{NEEDED}bits = 12\n", "'12' is not one of 8"),
        ("rf", f'{NEEDED}photometric_interpretation = "MONOCHROME1"\n', "is not one of MONOCHROME2"),
        ("rf", f'{NEEDED}film_sizes = ["A4"]\n', "'A4' is not one of 8INX10IN"),
        ("rf", f'{NEEDED}film_destinations = ["BIN_1"]\n', "'BIN_1' is not one of MAGAZINE, PROCESSOR"),
        ("rf", f'{NEEDED}trim = ""\n', "printers.film.trim: is empty"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, profile: str, lines: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        load(tmp_path, profile, lines)
    assert "site.toml" in str(caught.value)


def test_a_device_that_prints_only_grey_has_no_color_printer(tmp_path: Path) -> None:
    text = f'profile = "rf"\n{PEER}print_color = "color"\n'
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="leave nothing for print"):
        load_site(tmp_path)


@pytest.mark.parametrize("density", ["WHITE", "BLACK", "150"])
def test_a_density_is_a_word_or_a_number(tmp_path: Path, density: str) -> None:
    printer = load(tmp_path, "mr", f'border_density = "{density}"\nempty_image_density = "{density}"\n').printer("film")
    assert (printer.settings.border_density, printer.settings.empty_image_density) == (density, density)
