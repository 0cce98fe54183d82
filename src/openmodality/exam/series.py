"""A series as a program or an operator holds it: pixels become its images, one by one or many together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, Self

from numpy.typing import ArrayLike, NDArray
from pydicom import Dataset

from openmodality.acquisition.arrays import check_array, make_frames
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.acquisition.spool import NumberedFrames
from openmodality.acquisition.stack import Stack, find_turned, make_stack
from openmodality.acquisition.volume import HOW_NUMBERS_ARE_STORED, Volume
from openmodality.errors import UsageError
from openmodality.exam.exposures import SILENTLY, Exposures, Making
from openmodality.exam.facts import describe_series
from openmodality.exam.given import GivenAttributes
from openmodality.exam.producers.enhanced_images import makes_one_image
from openmodality.exam.producers.images import ImageMaker
from openmodality.exam.producers.volumes import (
    Component,
    choose_parts,
    is_plain,
    keep_walkable,
    prepare_part,
    walk_parts,
)
from openmodality.objects.image.scaling import Scaling, StoredForm
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.store.index_recovery import Progress
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.exams import SeriesRecord


class OwnExam(Protocol):
    """What a series requires of its exam, :class:`openmodality.exam.session.Exam`."""

    id: int

    @property
    def given(self) -> GivenAttributes:
        """Takes what is said of images by keyword."""
        ...

    @property
    def data_folder(self) -> Path:
        """Where the device keeps its data."""
        ...

    def image_maker(self, series: SeriesRecord) -> ImageMaker:
        """What builds the images of a series."""
        ...

    def exposures_of(self, series: SeriesRecord) -> Exposures:
        """The irradiation of a series."""
        ...

    def find_or_add_series_like(self, record: SeriesRecord, what: str, uid: str = "") -> Series:
        """The series with this UID, else a new one beside another."""
        ...

    def change_to_colour(self, record: SeriesRecord) -> SeriesRecord:
        """The series as one of the object that has colour."""
        ...

    def instances(self) -> list[InstanceReference]:
        """Everything that was made."""
        ...

    def deliver(self) -> None:
        """Queue for the archives what was made since the last time."""
        ...


class Series:
    """One series. As a context manager its images are queued for the archives at the end of the block."""

    def __init__(self, exam: OwnExam, record: SeriesRecord, images: int = 0) -> None:
        self.exam = exam
        self.record = record
        self._maker = exam.image_maker(record)
        self._images = images
        self.made: list[str] = []
        """The SOP Instance UIDs of the images that this handle has made."""
        self.notices: list[str] = []
        """What an operator is to know of the source of the images."""
        self.unused: dict[str, str] = {}
        """What was said of the images and is not used, by its name where it was said, with the reason."""
        self._form: StoredForm | None = None
        self.phase: Series | None = None
        """The series of the phase, where complex values gave one."""
        self._exposures = exam.exposures_of(record)

    def __repr__(self) -> str:
        what = f"{self.record.number} {self.record.description!r}"
        return f"<Series {what} of exam {self.exam.id}, {self.record.modality}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def series_instance_uid(self) -> str:
        """(0020,000E) Series Instance UID."""
        return self.record.series_instance_uid

    @property
    def left_out(self) -> tuple[str, ...]:
        """Keywords that were given for the images so far and for which their objects have no place."""
        return tuple(self._maker.left_out)

    @property
    def overridden(self) -> tuple[str, ...]:
        """Keywords that were given for the images so far and for which their objects have other values."""
        return tuple(self._maker.overridden)

    @property
    def unstated(self) -> tuple[str, ...]:
        """Keywords that are 0 in the images so far, since their objects require a number and none was stated."""
        return tuple(self._maker.unstated)

    @property
    def object_name(self) -> str:
        """What the images become, such as ``MR Image``."""
        return self._maker.object_name

    def add(self, pixels: NDArray[Any], *, irradiation: IrradiationEvent | Any = None, **attributes: Any) -> list[str]:
        """Make images of an array, shape (rows, columns) or (frames, rows, columns); their SOP Instance UIDs.

        ``attributes`` are DICOM keywords, such as ``SliceLocation=12.5``, and ``scale``, ``nan`` and ``parts`` as
        :meth:`add_volume` has them; the slope that the first call found holds for the series. ``irradiation`` is the
        exposure that made all the images of the array: one event, whose dose they share. All images are safe when this
        returns, or none is stored.

        Raises :class:`UsageError` where the exam has ended meanwhile, in this process or another, and
        :class:`ObjectInvalid` where pixels, a keyword or a value fit no image, or the exposure is not possible.
        """
        pixels = check_array(pixels, f"image {self._images + 1}")
        if is_plain(pixels) and not attributes.keys() & HOW_NUMBERS_ARE_STORED:
            with self.exam.given.explain_errors(self.object_name):
                return self._add_plain(pixels, attributes, irradiation)
        how = {name: attributes.pop(name) for name in HOW_NUMBERS_ARE_STORED & attributes.keys()}
        return self._add_volume(Volume(array=pixels, **how), Making(stated=irradiation), attributes=attributes)

    def _add_plain(self, pixels: NDArray[Any], attributes: Mapping[str, Any], irradiation: Any) -> list[str]:
        """Make images of whole numbers of 16 bits, which are stored as they are."""
        where = f"image {self._images + 1}"
        frames = make_frames(pixels, self.exam.given.take(attributes, where, self.object_name), where, is_kept=False)
        event = None if irradiation is None else self._exposures.record(irradiation, len(frames))
        with self._exposures.withdraw_on_failure(event):
            if (event is None and len(frames) == 1) or makes_one_image(self._maker):
                return self._add_frames(frames, event=event)
            numbered = list(enumerate(frames, self._images + 1))
            if event is not None:
                numbered = self._exposures.expose_all(frames, event, self._images)
            uids = self._maker.make_together(numbered, SILENTLY.keys)
        self._images += len(uids)
        self.made += uids
        return uids

    def add_volume(
        self,
        volume: Volume | NDArray[Any] | Iterable[NDArray[Any]],
        affine: ArrayLike | None = None,
        *,
        irradiation: IrradiationEvent | None = None,
        **given: Any,
    ) -> list[str]:
        """Make the images of a volume, all of them or none; their SOP Instance UIDs, by their Instance Numbers.

        ``given`` are the options of :class:`openmodality.acquisition.volume.Volume`, such as ``space`` and ``axes``,
        and DICOM keywords; ``irradiation`` is the exposure that made the images, as :meth:`add` has it. With
        ``parts="magnitude+phase"`` the phase becomes a series of its own, :attr:`phase`.

        Raises :class:`ObjectInvalid` where geometry, values or attributes do not make images; nothing is stored then.
        """
        if not isinstance(volume, Volume):
            volume = Volume.of(volume, affine, **self.exam.given.take(given, "volume", self.object_name))
        elif affine is not None or given:
            raise UsageError("the volume says itself where it lies and what belongs to it")
        return self._add_volume(volume, Making(stated=irradiation))

    def _add_volume(
        self, volume: Volume, how: Making = SILENTLY, attributes: Mapping[str, object] | None = None
    ) -> list[str]:
        with self.exam.given.explain_errors(self.object_name):
            return self._make_images_of(volume, how, attributes or {})

    def _make_images_of(self, volume: Volume, how: Making, attributes: Mapping[str, object]) -> list[str]:
        where = f"volume after image {self._images}" if self._images else "volume"
        stack = make_stack(volume, where)
        stack.shared.update(self.exam.given.read(attributes, where, self.object_name))
        self.unused |= stack.unused
        if stack.is_transposed:
            stack.shared.update(find_turned(describe_series(self.record).attributes, stack.shared))
        if volume.is_colour:
            self._change_to_colour()
        frames = keep_walkable(stack, self.exam.data_folder)
        dtype = next(iter(frames))[1].dtype
        part, *others = choose_parts(dtype, volume.parts)
        if others and makes_one_image(self._maker):
            return self._add_components(volume, stack, frames, (part, *others), how)
        with self._exposures.put_on_record(how, stack.shape[0]) as recorded:
            uids = self._add_part(volume, stack, frames, part, recorded)
        if others:
            count = stack.shape[0]  # keys of numbers that no image here has are those of the phase
            self.phase = self.exam.find_or_add_series_like(self.record, "phase", how.keys(2 * count + 1))
            self.phase._add_part(volume, stack, frames, others[0], Making(how.progress, lambda n: how.keys(count + n)))
        return uids

    def _add_components(
        self, volume: Volume, stack: Stack, frames: NumberedFrames, parts: Sequence[Component], how: Making
    ) -> list[str]:
        """Make one image of all parts of complex values, of which Complex Image Component says which a frame is."""
        said, scaling = self._find_said(stack), Scaling(volume.scale, volume.nan)
        prepared = [prepare_part(frames, part, said, self._maker.pixel_rules, scaling, None) for part in parts]
        uids = self._maker.make_together(walk_parts(prepared, stack, how.progress), how.keys)
        self._images += stack.shape[0] * len(prepared)
        self.made += uids
        for each in prepared:
            self.unused |= {**volume.unused, **each.unused}
        return uids

    def _add_part(
        self, volume: Volume, stack: Stack, frames: NumberedFrames, part: Component, how: Making
    ) -> list[str]:
        before, said, scaling = self._images, self._find_said(stack), Scaling(volume.scale, volume.nan)
        prepared = prepare_part(frames, part, said, self._maker.pixel_rules, scaling, self._form)

        def walk() -> Iterator[tuple[int, AcquiredFrame]]:
            for done, (number, frame) in enumerate(prepared.walk(stack), 1):
                yield before + number, self._exposures.expose(frame, how.event) if how.event else frame
                how.progress(done, stack.shape[0])

        uids = self._maker.make_together(walk(), lambda number: how.keys(number - before))
        self._images += stack.shape[0]
        self.made += uids
        if prepared.form is not None and prepared.form.is_scaled:
            self._form = prepared.form
        self.unused |= {**volume.unused, **prepared.unused}
        return uids

    def _find_said(self, stack: Stack) -> Dataset:
        said = describe_series(self.record).attributes
        said.update(stack.shared)
        return said

    def _change_to_colour(self) -> None:
        """Let the series be of the object that has colour, where it has no image yet."""
        if self._maker.pixel_rules.has_colour:
            return
        if self._images:
            raise UsageError("the series has images in grey", advice="begin a series of its own for those in colour")
        self.record = self.exam.change_to_colour(self.record)
        self._maker = self.exam.image_maker(self.record)

    def add_frame(self, frame: AcquiredFrame, uid: str = "", event: IrradiationEvent | None = None) -> str:
        """Make an image of a frame of a source; its SOP Instance UID. ``event`` is on record already."""
        number = self._images + 1
        if event is None:
            made = self._maker.make(number, frame, uid)
        else:
            made = self._maker.make_exposed(number, frame, uid, self._exposures.describe_next(event))
        self._images = number
        self.made.append(made)
        return made

    def add_all(
        self,
        acquired: AcquiredSeries,
        progress: Progress = lambda done, total: None,
        keys: Callable[[int], str] = lambda image: "",
    ) -> None:
        """Make images of all frames of a series, and put its irradiation on record; ``keys`` give their UIDs.

        The key of image 0 is that of the irradiation event of the series, and those below 0 of the frames' own.
        """
        self.notices += acquired.notices
        self.unused |= acquired.unused
        self.unused |= {keyword: _HAS_ITS_OWN for identity in acquired.identities for keyword in identity}
        event = acquired.irradiation
        recorded = self._exposures.record(event, acquired.number_of_frames, keys(0)) if event else None
        if acquired.volume is not None:
            with self._exposures.withdraw_on_failure(recorded):
                self._add_volume(acquired.volume, Making(progress, keys, recorded))
            return
        how = Making(progress, keys, recorded)
        with self.exam.given.explain_errors(self.object_name):
            if acquired.is_whole and not makes_one_image(self._maker):
                self._add_whole(acquired, how)
                return
            self._add_frames(
                acquired.frames, lambda number: progress(number, acquired.number_of_frames), keys, recorded
            )

    def _add_whole(self, acquired: AcquiredSeries, how: Making) -> None:
        """Make images of all frames that a source has, or none and no exposure."""
        before = self._images

        def walk() -> Iterator[tuple[int, AcquiredFrame]]:
            for done, frame in enumerate(acquired.frames, 1):
                yield before + done, self._exposures.expose(frame, how.event) if how.event else frame
                how.progress(done, acquired.number_of_frames)

        with self._exposures.withdraw_on_failure(how.event):
            uids = self._maker.make_together(walk(), lambda number: how.keys(number - before))
        self._images += len(uids)
        self.made += uids

    def _add_frames(
        self,
        frames: Iterable[AcquiredFrame],
        progress: Callable[[int], None] = lambda done: None,
        keys: Callable[[int], str] = lambda image: "",
        event: IrradiationEvent | None = None,
    ) -> list[str]:
        """Make images of frames, one by one as they come; or one of all of them, where the object has many frames."""
        if not makes_one_image(self._maker):
            made = []
            for number, frame in enumerate(frames, 1):
                exposed = self._exposures.find(frame.irradiation, event, keys(-number))
                made.append(self.add_frame(frame, keys(number), exposed))
                progress(number)
            return made
        before = self._images
        numbered = list(enumerate(frames, before + 1))
        uids = self._maker.make_together(numbered, lambda number: keys(number - before))
        self._images += len(numbered)
        self.made += uids
        progress(len(numbered))
        return uids

    def close(self) -> None:
        """Queue the images of this series for the archives now, without waiting for the end of the exam."""
        self.exam.deliver()


_HAS_ITS_OWN: Final = "the exam has its own"
