"""The pages of a disc: escaped, of level 1 names, whole without JavaScript."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from openmodality.errors import UsageError
from openmodality.media.pdi.pages import DiscWords, PageSeries, PageStudy, write_pages
from openmodality.media.pdi.viewer_image import Shades, ViewerImage

WORDS = DiscWords("Test & Hospital", "<MR>", "2026-11-29", "OpenModality")
SHADES = Shades(-5, 2.0, 1.0, 40.0, 400.0, "LINEAR", inverse=False)
EVIL = "<img src=x onerror=alert(1)>"


def image(label: str = "Instance 1") -> ViewerImage:
    return ViewerImage(b"\x89PNG", 2, 3, 1.0, label, SHADES)


def study(*series: PageSeries) -> PageStudy:
    return PageStudy([("Patient", EVIL), ("ID", '"1"')], [("Study", EVIL)], series)


def test_all_text_is_escaped(tmp_path: Path) -> None:
    write_pages(tmp_path, [study(PageSeries(EVIL, EVIL, [image(EVIL)], b"png"))], WORDS)
    page = (tmp_path / "INDEX.HTM").read_text(encoding="utf-8")
    assert EVIL not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "Test &amp; Hospital - &lt;MR&gt;" in page
    assert re.search(r"Content-Security-Policy", page)
    assert "unsafe" not in page


def test_names_are_iso_9660_level_1(tmp_path: Path) -> None:
    length = write_pages(tmp_path, [study(PageSeries("1", "2 images", [image(), image()], b"png"))], WORDS)
    names = [path.name for path in tmp_path.rglob("*")]
    assert sorted(names) == [
        "CONTENT.JS", "IHE_PDI", "IM000001.JS", "IM000002.JS", "INDEX.HTM", "README.TXT", "SE000001", "TH000001.PNG",
        "VIEWER.CSS", "VIEWER.JS",
    ]  # fmt: skip
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert length == sum(path.stat().st_size for path in files)
    assert all(re.fullmatch(r"[A-Z0-9_]{1,8}(\.[A-Z]{3}|\.JS)?", name) for name in names)


def test_series_without_images_cannot_be_opened(tmp_path: Path) -> None:
    write_pages(tmp_path, [study(PageSeries("SR", "", []), PageSeries("MR", "", [image()]))], WORDS)
    page = (tmp_path / "INDEX.HTM").read_text(encoding="utf-8")
    assert '<button type="button" data-series="0" disabled>' in page
    assert '<button type="button" data-series="1">' in page
    content = (tmp_path / "IHE_PDI" / "CONTENT.JS").read_text(encoding="ascii")
    assert json.loads(content.removeprefix("omContent(").removesuffix(");\n")) == [[], ["SE000002/IM000001.JS"]]


def test_a_patient_stands_once_above_all_of_their_studies(tmp_path: Path) -> None:
    other = PageStudy([("Patient", "Jane Doe")], [("Study", "Knee")], [])
    write_pages(tmp_path, [study(), study(), other], WORDS)
    page = (tmp_path / "INDEX.HTM").read_text(encoding="utf-8")
    assert page.count('<dl class="patient">') == 2
    assert page.count("<section data-patient=") == 3


def test_a_disc_of_nobody_in_particular_names_the_device(tmp_path: Path) -> None:
    write_pages(tmp_path, [], DiscWords("", "MR", "2026-11-29", "OpenModality"))
    assert b"Made with MR on 2026-11-29." in (tmp_path / "README.TXT").read_bytes()
    assert "<p>MR - 2026-11-29</p>" in (tmp_path / "INDEX.HTM").read_text(encoding="utf-8")


def test_the_readme_is_plain_text_with_the_ends_of_lines_of_all_systems(tmp_path: Path) -> None:
    write_pages(tmp_path, [], DiscWords("Klinik Süd", "MR", "2026-11-29", "OpenModality"))
    text = (tmp_path / "README.TXT").read_bytes()
    assert b"Made by Klinik S?d with MR on 2026-11-29." in text
    assert text.count(b"\n") == text.count(b"\r\n")


def test_a_script_hands_over_what_the_image_is() -> None:
    script = image(EVIL + "\u2028山").encode_script("I000001X000001").decode("ascii")
    assert script.startswith('omImage("I000001X000001",')
    values = json.loads(script.removeprefix('omImage("I000001X000001",').removesuffix(");\n"))
    assert values["label"] == EVIL + "\u2028山"
    assert values["shades"]["center"] == 40.0
    with pytest.raises(UsageError):
        image().encode_script('"); alert(1); ("')
