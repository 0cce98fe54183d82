"""Makes the sheets of an order: reads instances of the local database and composes them sheet by sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from pydicom import Dataset

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.activities.film_order import FilmOrder, make_session
from openmodality.device.site.site import Printer, Site
from openmodality.dimse.file_reading import read_bounded_file
from openmodality.errors import ObjectInvalid, StoreError, UsageError
from openmodality.imaging.film.compose import Composition, FilmSource, compose_films
from openmodality.imaging.film.layout import place_boxes
from openmodality.imaging.frames import count_frames
from openmodality.imaging.presentation import Presentation, read_image_presentation, read_state_presentation
from openmodality.objects.film import Film, FilmImage, FilmSession
from openmodality.objects.selection import SelectedImage, read_state_images
from openmodality.standard.sop_classes import GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE
from openmodality.value_class import dataclass

FindPath = Callable[[str], Path]
"""Returns the file of an instance by its SOP Instance UID, whether it is there or not."""

_PLANE: Final = ("SOPInstanceUID", "FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient",
                 "PixelSpacing", "Rows", "Columns", "InstanceNumber")  # fmt: skip
"""The attributes that tell where a slice lies."""


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """A frame that is printed: the instance, its file and the number of the frame."""

    sop_instance_uid: str
    path: Path
    number: int


@dataclass(frozen=True, slots=True)
class PresentationState:
    """A presentation state, and the images that it is for."""

    data_set: Dataset
    images: tuple[SelectedImage, ...]

    def covers(self, sop_instance_uid: str, number: int) -> bool:
        """Whether it says how this frame is shown."""
        return any(
            image.sop_instance_uid == sop_instance_uid and (not image.frames or number in image.frames)
            for image in self.images
        )


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """All sheets of an order, none of them composed yet.

    ``session`` has one film without images, which is the pattern of all sheets. ``slices`` are the images that cut a
    scout.
    """

    site: Site
    printer: Printer
    order: FilmOrder
    session: FilmSession
    frames: tuple[FilmFrame, ...]
    states: tuple[PresentationState, ...]
    slices: tuple[Dataset, ...]
    box_count: int

    @property
    def total(self) -> int:
        """How many sheets there are."""
        return -(-len(self.frames) // self.box_count)

    def list_frames_of(self, first: int, last: int) -> tuple[FilmFrame, ...]:
        """The frames on the sheets from ``first`` up to, but not with, ``last``; the first sheet is 0."""
        return self.frames[first * self.box_count : last * self.box_count]

    def check_sheet(self) -> None:
        """Compose the first sheet to see what is wrong, without the texts in its pictures, which can always be written.

        Raises what :func:`openmodality.imaging.film.compose.compose_films` raises.
        """
        sources = [self._make_source(frame) for frame in self.list_frames_of(0, 1)]
        compose_films(sources, self.session.films[0], replace(self._find_composition(), annotation=False))

    def make_sheets(self, first: int = 0) -> Iterator[Film]:
        """The sheets from ``first`` on, composed one after the other, with pixels as the printer takes them.

        Raises what :func:`openmodality.imaging.film.compose.compose_films` raises.
        """
        how = self._find_composition()
        for number in range(first, self.total):
            sources = [self._make_source(frame) for frame in self.list_frames_of(number, number + 1)]
            for sheet in compose_films(sources, self.session.films[0], how):
                yield replace(sheet, images=tuple(_fit_printer(image, self.printer) for image in sheet.images))

    def _find_composition(self) -> Composition:
        return make_composition(self.site, self.printer, self.order)

    def _make_source(self, frame: FilmFrame) -> FilmSource:
        data_set = _read(frame.path)
        covering = (each for each in self.states if each.covers(frame.sop_instance_uid, frame.number))
        state = next(covering, None)
        is_scout = frame.sop_instance_uid in self.order.scouts
        return FilmSource(
            data_set,
            frame.number,
            self._choose_presentation(data_set, frame, state),
            cut_by=self.slices if is_scout else (),
            state=state.data_set if state else None,
        )

    def _choose_presentation(
        self, data_set: Dataset, frame: FilmFrame, state: PresentationState | None
    ) -> Presentation | None:
        """That of the state, else the image's own; with the operator's window."""
        if state is None and not self.order.window:
            return None
        shown = (
            read_image_presentation(data_set, frame.number)
            if state is None
            else read_state_presentation(state.data_set, data_set, frame.number)
        )
        return shown.with_window(*self.order.window) if self.order.window else shown


def plan_sheets(
    site: Site, printer: Printer, order: FilmOrder, images: Sequence[str], find_path: FindPath
) -> SheetPlan:  # fmt: skip
    """Plan the sheets for these images, by their SOP Instance UIDs and in their order.

    Raises :class:`UsageError` for what the printer does not have and for a presentation state that is for none of the
    images, and :class:`StoreError` or :class:`ObjectInvalid` for an instance that cannot be read.
    """
    frames = tuple(_list_frames(images, order, find_path))
    states = tuple(_read_state(uid, find_path) for uid in order.states)
    for uid, state in zip(order.states, states, strict=True):
        if not any(state.covers(frame.sop_instance_uid, frame.number) for frame in frames):
            raise UsageError(
                f"presentation state {uid} is for none of the images that are chosen",
                advice="without --study, --series, --instance and --key-object its own images are printed",
            )
    session = make_session(site, printer, order, len(frames))
    return SheetPlan(
        site=site,
        printer=printer,
        order=order,
        session=session,
        frames=frames,
        states=states,
        slices=tuple(_read_slices(images, order, find_path)),
        box_count=len(place_boxes(session.films[0])),
    )


def read_document(uid: str, path: Path, sop_class_uid: str, name: str) -> Dataset:
    """A document of the local database, without pixels; ``name`` says what it is to be.

    Raises :class:`UsageError` where it is of another SOP Class, and :class:`StoreError` or :class:`ObjectInvalid` where
    it cannot be read.
    """
    data_set = _read(path)
    if str(data_set.get("SOPClassUID") or "") != sop_class_uid:
        raise UsageError(f"{uid} is no {name}")
    return data_set


def read_state(uid: str, path: Path) -> Dataset:
    """A presentation state; raises as :func:`read_document` does."""
    name = "Grayscale Softcopy Presentation State"
    return read_document(uid, path, GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE, name)


def make_composition(site: Site, printer: Printer, order: FilmOrder) -> Composition:
    """How pictures are made for a printer; with the only sizes of a picture where the profile has such."""
    allowed: dict[str, tuple[int, ...]] = {
        each.rule.keyword: tuple(map(int, each.rule.values))
        for each in site.profile.print_attributes
        if each.operation == "N-SET" and each.rule.keyword in ("Rows", "Columns") and each.rule.values
    }
    rows, columns = allowed.get("Rows", ()), allowed.get("Columns", ())
    is_sent = printer.peer is not None
    return Composition(
        bits=printer.settings.bits,
        colour=printer.is_color,
        matrices=tuple((each_rows, each_columns) for each_rows in rows for each_columns in columns) if is_sent else (),
        annotation=order.annotation and printer.settings.annotation,
        true_size=order.true_size,
        mixed=order.mixed,
    )


def _list_frames(images: Sequence[str], order: FilmOrder, find_path: FindPath) -> Iterator[FilmFrame]:
    """The frames of these images that were chosen; all where none were."""
    for uid in images:
        path = find_path(uid)
        count = count_frames(_read(path, stop_before_pixels=True))
        for number in order.frames.get(uid) or range(1, count + 1):
            if not 1 <= number <= count:
                raise UsageError(f"image {uid} has no frame {number}, only {count}")
            yield FilmFrame(uid, path, number)


def _read_state(uid: str, find_path: FindPath) -> PresentationState:
    data_set = read_state(uid, find_path(uid))
    return PresentationState(data_set, read_state_images(data_set))


def _read_slices(images: Sequence[str], order: FilmOrder, find_path: FindPath) -> Iterator[Dataset]:
    """Where the images lie that may cut a scout; none where there is no scout."""
    for uid in images if order.scouts else ():
        if uid not in order.scouts:
            data_set, plane = _read(find_path(uid), stop_before_pixels=True), Dataset()
            for keyword in filter(data_set.__contains__, _PLANE):
                setattr(plane, keyword, data_set[keyword].value)
            yield plane


def _fit_printer(image: FilmImage, printer: Printer) -> FilmImage:
    """The image with black and white turned for a printer that takes MONOCHROME1."""
    if printer.settings.photometric_interpretation == "MONOCHROME2" or image.photometric_interpretation == "RGB":
        return image
    greatest = (1 << image.bits) - 1
    pixels = np.subtract(image.pixels.dtype.type(greatest), image.pixels)
    return replace(image, pixels=pixels, photometric_interpretation="MONOCHROME1")


def _read(path: Path, *, stop_before_pixels: bool = False) -> Dataset:
    try:
        return read_bounded_file(path, stop_before_pixels=stop_before_pixels)
    except ObjectInvalid as error:
        raise ObjectInvalid(f"{path.name}: {error.message}", advice=error.advice) from error
    except OSError as error:
        raise StoreError(f"cannot read {path.name}: {error.strerror}") from error
    except Exception as error:
        raise ObjectInvalid(f"{path.name} cannot be read as an image") from error
