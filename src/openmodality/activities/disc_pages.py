"""Makes the pages of a disc from its file-set: each series with its images, rendered as previews and film are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from pydicom import Dataset

from openmodality.dimse.file_reading import read_bounded_file
from openmodality.errors import ObjectInvalid
from openmodality.imaging.exchange import encode_png, encode_stored_values
from openmodality.imaging.frames import count_frames, read_frame
from openmodality.imaging.lookup import Rescale, Window
from openmodality.imaging.presentation import Presentation, find_pixel_aspect, read_image_presentation
from openmodality.imaging.preview import draw_preview
from openmodality.imaging.render import render
from openmodality.media.directory import DirectoryRecord
from openmodality.media.directory_reader import Directory
from openmodality.media.file_ids import find_file
from openmodality.media.pdi.pages import PageSeries, PageStudy
from openmodality.media.pdi.viewer_image import Shades, ViewerImage
from openmodality.media.records import RecordType

THUMBNAIL_PIXELS: Final = 96
_TABLE_BITS: Final = 16


def make_page_studies(
    root: Path, directory: Directory, before_image: Callable[[], object] = lambda: None
) -> list[PageStudy]:
    """The studies of a file-set for its pages; ``before_image`` is called before each image is read."""
    return [
        _make_page_study(root, directory, directory.keys_of(patient), study, before_image)
        for patient in directory.patients
        for study in patient.children
    ]


def _make_page_study(
    root: Path, directory: Directory, patient: Dataset, study: DirectoryRecord, before_image: Callable[[], object]
) -> PageStudy:
    keys = directory.keys_of(study)
    return PageStudy(
        patient=_list_words(
            patient,
            ("Patient", "PatientName"),
            ("ID", "PatientID"),
            ("Born", "PatientBirthDate"),
            ("Sex", "PatientSex"),
        ),
        study=_list_words(keys, ("Study", "StudyDescription"), ("Date", "StudyDate"), ("Accession", "AccessionNumber")),
        series=[_make_page_series(root, directory, series, before_image) for series in study.children],
    )


def _make_page_series(
    root: Path, directory: Directory, series: DirectoryRecord, before_image: Callable[[], object]
) -> PageSeries:
    keys = directory.keys_of(series)
    files = [
        path
        for record in series.children
        if record.record_type == RecordType.IMAGE and (path := find_file(root, record.file_id)) is not None
    ]
    heading = " ".join(str(keys.get(keyword) or "") for keyword in ("SeriesNumber", "Modality", "SeriesDescription"))
    content = f"{len(files)} image{'s' if len(files) > 1 else ''}" if files else "no images that this page shows"
    return PageSeries(heading.strip(), content, _make_viewer_images(files, before_image), _draw_thumbnail(files))


def _list_words(keys: Dataset, *wanted: tuple[str, str]) -> list[tuple[str, str]]:
    return [(heading, _describe_for_people(str(keys.get(keyword) or ""), keyword)) for heading, keyword in wanted]


def _describe_for_people(value: str, keyword: str) -> str:
    """A name without its delimiters, a date with hyphens."""
    if keyword.endswith("Name"):
        groups = (" ".join(part for part in group.split("^") if part) for group in value.split("="))
        return " / ".join(group for group in groups if group)
    if keyword.endswith("Date") and len(value) == 8 and value.isdigit():
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return value


def _draw_thumbnail(files: Sequence[Path]) -> bytes:
    """A small picture of the image in the middle; empty where it cannot be read."""
    if not files:
        return b""
    try:
        return draw_preview(read_bounded_file(files[len(files) // 2]), longest_side=THUMBNAIL_PIXELS)
    except ObjectInvalid:
        return b""


def _make_viewer_images(files: Sequence[Path], before_image: Callable[[], object]) -> Iterator[ViewerImage]:
    """Each frame of each file; one that cannot be read is left out, the DICOM file is on the disc all the same."""
    for path in files:
        try:
            data_set = read_bounded_file(path)
        except ObjectInvalid:
            continue
        frames = count_frames(data_set)
        for number in range(1, frames + 1):
            before_image()
            try:
                yield make_viewer_image(data_set, number, frames)
            except ObjectInvalid:
                continue


def make_viewer_image(data_set: Dataset, number: int = 1, frames: int = 1) -> ViewerImage:
    """A frame for the page of a disc. Raises :class:`ObjectInvalid` where its pixels cannot be read."""
    frame, presentation = read_frame(data_set, number), read_image_presentation(data_set, number)
    label = f"Instance {data_set.get('InstanceNumber', '')}" + (f", frame {number}" if frames > 1 else "")
    size = (frame.pixels.shape[0], frame.pixels.shape[1], find_pixel_aspect(data_set), label)
    has_table = not 0 < frame.bits_stored <= _TABLE_BITS or frame.has_colour or presentation.palette is not None
    shades = None if has_table else _find_shades(frame.limits, presentation, frame.pixels.min(), frame.pixels.max())
    if shades is None:
        return ViewerImage(encode_png(render(frame, presentation)), *size)
    png, _ = encode_stored_values(frame, presentation)
    return ViewerImage(png, *size, shades)


def _find_shades(limits: tuple[int, int], presentation: Presentation, least: float, greatest: float) -> Shades | None:
    """How the page shows stored values; ``None`` where it takes more than a rescale and a window."""
    if not isinstance(presentation.modality, Rescale) or presentation.presentation is not None:
        return None
    rescale = presentation.modality
    voi = presentation.voi
    if voi is None:
        low, high = rescale.output((float(least), float(greatest)))
        voi = Window((low + high + 1) / 2, high - low + 1)
    if not isinstance(voi, Window):
        return None
    offset = min(limits[0], 0)
    return Shades(offset, rescale.slope, rescale.intercept, voi.center, voi.width, voi.function, presentation.inverse)
