"""The pages that a user follows: each command and script in them is run, and prints what they show."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.documents import ROOT, Typed, blocks_of, fits, typed_in
from tests.acceptance.reader import reader
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.process import HOST, free_port

DOCS: Final = ROOT / "docs"
PAGES: Final = ("getting-started.md", "your-own-pixels.md", "your-own-scanner.md", "connect-your-hospital.md")
ELSEWHERE: Final = {
    "make demo": "tests/acceptance/test_cli_demo.py runs the command",
    "make test": "what .ci/run calls",
    ". .venv/bin/activate": "the tests have their own command",
}


def test_readme(tmp_path: Path) -> None:
    assert reader(tmp_path, ELSEWHERE).follow(ROOT / "README.md")


def test_getting_started(tmp_path: Path) -> None:
    assert reader(tmp_path, ELSEWHERE).follow(DOCS / "getting-started.md")


@pytest.mark.timeout(180)  # as many commands as there are forms
def test_your_own_pixels(tmp_path: Path) -> None:
    assert reader(tmp_path, ELSEWHERE).follow(DOCS / "your-own-pixels.md")


@pytest.mark.timeout(180)
def test_your_own_scanner(tmp_path: Path) -> None:
    assert reader(tmp_path, ELSEWHERE).follow(DOCS / "your-own-scanner.md")


@pytest.mark.needs("dciodvfy")
def test_your_own_device(tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(DOCS)
    assert reader(tmp_path, ELSEWHERE, {"11122": str(free_port())}).follow(DOCS / "your-own-device.md")
    images = sorted((tmp_path / "scanner" / "data").rglob("*.dcm"))
    assert [dciodvfy_errors(path) for path in images] == [[], [], []]


def test_connect_your_hospital(tmp_path: Path) -> None:
    """The hospital of the page is the virtual one, under other names and addresses."""
    usual = reader(tmp_path, ELSEWHERE)
    ports = {**usual.addresses, "11112": str(free_port())}
    renamed = {
        "3104": ports["11113"],
        "3105": ports["11114"],
        "11112": ports["11112"],
        "192.0.2.10": "127.0.0.2",
        "192.0.2.20": "127.0.0.3",
        "192.0.2.30": HOST,
        "HOSP_RIS": "OM_RIS",
        "HOSP_PACS": "OM_PACS",
    }
    options = [*usual.hospital_options, "--host=0.0.0.0", f"--peer=MR_ROOM2={HOST}:{ports['11112']}"]
    rehearsal = replace(usual, addresses=renamed, hospital_options=options)
    rehearsal.start(Typed("openmodality hospital --data hospital-data", "listening: ..."))
    assert rehearsal.follow(DOCS / "connect-your-hospital.md")


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a 1.2.840.10008.1.1 b", "a   1.2.840.10008.1.2  b", True),
        ("at 2026-11-22 03:29:48", "at 2027-01-01 12:00:00", True),
        ("first\n...\nlast", "first\nlast", True),
        ("first\n...\nlast", "first\nanything\nelse\nlast", True),
        ("9 images", "8 images", False),
        ("first", "first\nsecond", False),
        ("", "something", False),
    ],
)
def test_output_is_compared(shown: str, printed: str, expected: bool) -> None:
    assert fits(shown, printed) is expected


def test_a_wrong_page_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"page\.md:1: .*echo one"):
        reader(tmp_path, {}).follow(page)
    page.write_text("```sh\nls\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="a block of kind sh"):
        blocks_of(page)


def test_what_runs_elsewhere_is_in_a_page() -> None:
    pages = [ROOT / "README.md", *(DOCS / name for name in PAGES)]
    consoles = [block for page in pages for block in blocks_of(page) if block.kind == "console"]
    typed = {each.command for block in consoles if "ends" not in block.option for each in typed_in(block.text)}
    assert set(ELSEWHERE) <= typed


def test_each_control_of_usability_names_a_test_that_is_there() -> None:
    rows = [line for line in (DOCS / "usability.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 7
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row.rpartition(" | ")[2])
        assert named, row
        for path, test in named:
            assert f"def {test or 'test_'}" in (ROOT / path).read_text(), (path, test)
