"""The pages of a disc: README.TXT, INDEX.HTM and the folder IHE_PDI, which a browser opens from the disc itself.

Rules. File names are ISO 9660 level 1. All text is escaped; the page has a policy that forbids all but its own scripts.
Images are loaded one by one as classic scripts when they are looked at: modules and fetch do not work from a file.
Without JavaScript the page still lists what is on the disc, with a thumbnail for each series.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Final

from openmodality.media.pdi.viewer_image import ViewerImage
from openmodality.value_class import dataclass

PDI_FOLDER: Final = "IHE_PDI"
INDEX_NAME: Final = "INDEX.HTM"
README_NAME: Final = "README.TXT"
_STATIC: Final = ("VIEWER.JS", "VIEWER.CSS")


@dataclass(frozen=True, slots=True)
class PageSeries:
    """A series on the page. ``heading`` and ``content`` are words to show; ``thumbnail`` is a PNG, or empty.

    ``images`` are made one by one while they are written.
    """

    heading: str
    content: str
    images: Iterable[ViewerImage]
    thumbnail: bytes = b""


@dataclass(frozen=True, slots=True)
class PageStudy:
    """A study of a patient: what is known of both in words, and its series."""

    patient: Sequence[tuple[str, str]]
    study: Sequence[tuple[str, str]]
    series: Sequence[PageSeries]


@dataclass(frozen=True, slots=True)
class DiscWords:
    """Who made the disc, for people: institution or nothing, device, date, and the version of the program."""

    institution: str
    device: str
    made_on: str
    program: str


def write_pages(root: Path, studies: Sequence[PageStudy], words: DiscWords) -> int:
    """Write the pages into a file-set's folder; the bytes that they take.

    Raises :class:`OSError` where the folder cannot be written.
    """
    folder = root / PDI_FOLDER
    folder.mkdir(exist_ok=True)
    written = 0
    for name in _STATIC:
        written += (folder / name).write_bytes(files(__package__).joinpath("static", name).read_bytes())
    content: list[list[str]] = []
    sections: list[str] = []
    for study, before in zip(studies, [None, *studies], strict=False):
        series_parts = []
        for series in study.series:
            number = len(content) + 1
            keys, length = _write_series(folder, number, series)
            content.append(keys)
            written += length
            series_parts.append(_series_html(number, series, len(keys)))
        is_same_patient = before is not None and before.patient == study.patient
        sections.append(_study_html(study, series_parts, with_patient=not is_same_patient))
    manifest = f"omContent({json.dumps(content, ensure_ascii=True)});\n"
    written += (folder / "CONTENT.JS").write_bytes(manifest.encode("ascii"))
    made_by = " - ".join(word for word in (words.institution, words.device, words.made_on) if word)
    page = _PAGE.format(words=escape(made_by), sections="\n".join(sections))
    written += (root / INDEX_NAME).write_bytes(page.encode("utf-8"))
    written += (root / README_NAME).write_bytes(_readme(words).encode("ascii", "replace"))
    return written


def _write_series(folder: Path, number: int, series: PageSeries) -> tuple[list[str], int]:
    """The files of a series; the keys of its images and the bytes written."""
    own = folder / f"SE{number:06d}"
    own.mkdir(exist_ok=True)
    keys, written = [], 0
    for place, image in enumerate(series.images, start=1):
        key = f"I{number:06d}X{place:06d}"
        keys.append(f"SE{number:06d}/IM{place:06d}.JS")
        written += (own / f"IM{place:06d}.JS").write_bytes(image.encode_script(key))
    if series.thumbnail:
        written += (folder / f"TH{number:06d}.PNG").write_bytes(series.thumbnail)
    return keys, written


def _facts_html(facts: Sequence[tuple[str, str]]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)


def _series_html(number: int, series: PageSeries, images: int) -> str:
    picture = f'<img src="{PDI_FOLDER}/TH{number:06d}.PNG" alt="" width="96" height="96">' if series.thumbnail else ""
    button = f'<button type="button" data-series="{number - 1}"' + ("" if images else " disabled") + ">"
    words = f"{escape(series.heading)}<small>{escape(series.content)}</small>"
    return f"<li>{button}{picture}<span>{words}</span></button></li>"


def _study_html(study: PageStudy, series: Sequence[str], *, with_patient: bool) -> str:
    """A study with its series; the patient stands once above all of their studies."""
    banner = escape(" | ".join(value for _, value in study.patient if value))
    patient = f'<dl class="patient">{_facts_html(study.patient)}</dl>' if with_patient else ""
    return (
        f'{patient}<section data-patient="{banner}">'
        f"<dl>{_facts_html(study.study)}</dl><ul>{''.join(series)}</ul></section>"
    )


def _readme(words: DiscWords) -> str:
    made_by = f"Made by {words.institution} with" if words.institution else "Made with"
    lines = [
        "This disc holds medical images in the DICOM format.",
        "",
        f"{made_by} {words.device} on {words.made_on}.",
        "",
        "DICOMDIR       the directory that DICOM viewers and PACS read; the images lie in the folder DICOM",
        "INDEX.HTM      open it in a browser to look at the images; nothing is installed",
        "IHE_PDI        what INDEX.HTM needs",
        "",
        "The page is for a first look, not for diagnosis.",
        f"Written by {words.program}. The disc follows IHE Portable Data for Imaging.",
    ]
    return "\r\n".join(lines) + "\r\n"


_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self' data: file:; script-src 'self' file:; style-src 'self' file:">
<title>Images on this disc</title>
<link rel="stylesheet" href="IHE_PDI/VIEWER.CSS">
</head>
<body>
<header><h1>Images on this disc</h1><p>{words}</p></header>
<main>
<nav aria-label="Series">
{sections}
</nav>
<div id="viewer" hidden>
<p id="banner"></p>
<canvas id="picture" tabindex="0" aria-label="Image. Arrow keys change the image, drag changes the window."></canvas>
<form id="controls">
<label class="slices"><span>Image <output id="place"></output></span>
<input id="slice" type="range" min="1" value="1"></label>
<label>Window center <input id="center" type="number" step="any"></label>
<label>Window width <input id="width" type="number" step="any" min="1"></label>
<button type="button" id="reset">Reset</button>
<button type="button" id="invert">Invert</button>
</form>
<p id="message" role="status"></p>
</div>
</main>
<footer>For a first look, not for diagnosis.</footer>
<script src="IHE_PDI/VIEWER.JS"></script>
<script src="IHE_PDI/CONTENT.JS"></script>
</body>
</html>
"""
