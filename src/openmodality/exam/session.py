"""An exam and its series as a program or an operator holds them: thin handles over what is in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydicom import Dataset

from openmodality.acquisition.arrays import make_frames
from openmodality.acquisition.drop_folder import DroppedFile
from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries, Source
from openmodality.acquisition.spool import NumberedFrames
from openmodality.acquisition.stack import Stack, make_stack
from openmodality.acquisition.volume import HOW_NUMBERS_ARE_STORED, Volume
from openmodality.device.body_parts import check_body_part
from openmodality.device.modalities import check_asked_for, warn_of_other_modality
from openmodality.errors import OpenModalityError, UsageError
from openmodality.exam.checking import SeriesCheck, check_all_series
from openmodality.exam.documents import add_key_objects, add_presentation_state
from openmodality.exam.exposures import SILENTLY, Exposures, Making
from openmodality.exam.facts import describe_series
from openmodality.exam.identity_guard import check_identities
from openmodality.exam.ingest import IngestOptions, list_sources, make_file_source, make_found_source
from openmodality.exam.instances import list_instances
from openmodality.exam.irradiation_record import record_event
from openmodality.exam.producers.enhanced_images import make_image_maker, makes_one_image
from openmodality.exam.producers.images import ImageMaker, ImageSeriesPlan, choose_colour_object
from openmodality.exam.producers.volumes import (
    Component,
    choose_parts,
    is_plain,
    keep_walkable,
    prepare_part,
    walk_parts,
)
from openmodality.exam.workflow import Workflow
from openmodality.objects.image.scaling import Scaling, StoredForm
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.report.tid_2010 import Note
from openmodality.objects.site_objects import find_uid_maker
from openmodality.objects.state.presentation_state import Look
from openmodality.standard.performed_step import StepStatus
from openmodality.store.index_recovery import Progress
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord, read_exam, read_steps
from openmodality.store.rows.steps import find_open_step
from openmodality.store.states import ExamState


class Exam:
    """One exam. As a context manager it is COMPLETED at the end of the block, DISCONTINUED on an exception."""

    def __init__(self, workflow: Workflow, exam_id: int) -> None:
        self.id = exam_id
        self._workflow = workflow

    def __repr__(self) -> str:
        """Without what is known of the patient: it may get into a log."""
        try:
            record = self.record
        except OpenModalityError:
            return f"<Exam {self.id}, not to be read now>"
        return f"<Exam {self.id} {record.state}, series: {len(record.series)}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        record = self.record
        if not record.state.is_open or (error is not None and record.ending is not None):
            return  # it was ended inside the block, or is about to be
        if kind is None:
            self.complete()
        else:
            self.discontinue()

    @property
    def record(self) -> ExamRecord:
        """What is on record now."""
        with self._workflow.store.database.read() as snapshot:
            return read_exam(snapshot, self.id)

    @property
    def state(self) -> ExamState:
        """REGISTERED, IN PROGRESS, COMPLETED or DISCONTINUED."""
        return self.record.state

    @property
    def study_instance_uid(self) -> str:
        """(0020,000D) Study Instance UID."""
        return self.record.study_instance_uid

    @property
    def accession_number(self) -> str:
        """(0008,0050) Accession Number, the worklist's or made here."""
        return self.record.accession_number

    @property
    def notices(self) -> tuple[str, ...]:
        """What the operator is to know: what changed at the RIS, or could not be checked."""
        return self.record.notices

    @property
    def steps(self) -> list[StepRecord]:
        """The performed procedure steps, oldest first."""
        with self._workflow.store.database.read() as snapshot:
            return read_steps(snapshot, self.id)

    def instances(self) -> list[InstanceReference]:
        """Everything that was made, with what was made at the end of each step."""
        with self._workflow.store.read() as snapshot:
            return list_instances(snapshot, read_exam(snapshot, self.id))

    def check(self) -> list[SeriesCheck]:
        """Look over what was made: geometry, pixels, mandatory attributes and where they came from, for each series."""
        return check_all_series(self._workflow.site, self._workflow.store, self.record)

    def begin(self) -> Self:
        """Begin a registered exam, or append to one that has ended: a performed step is IN PROGRESS."""
        self._workflow.begin(self.id)
        return self

    def series(
        self,
        description: str = "",
        *,
        modality: str = "",
        sop_class_uid: str = "",
        images: int = 1,
        **attributes: object,
    ) -> Series:
        """Begin a series. ``attributes`` are DICOM keywords that all its images share, such as ``ProtocolName``.

        Raises :class:`UsageError` where the exam has ended, or the device has no such body part, or makes no images of
        this modality or SOP class, and :class:`ObjectInvalid` where a keyword or value is not DICOM's.
        """
        common = attributes_of(attributes, "series")
        profile = self._workflow.site.profile
        check_body_part(profile, common)
        check_asked_for(profile, modality, sop_class_uid)
        return self._find_or_add_series(ImageSeriesPlan(description, modality, sop_class_uid, images, common))

    def acquire(
        self,
        source: Source | str | Path | Iterable[str | Path],
        progress: Progress = lambda done, total: None,
        **options: Any,
    ) -> list[Series]:
        """Take all series of a source, storing each image as it comes.

        A source is a file or folder, several of them, or whatever hands over series. ``options`` are those of
        :class:`openmodality.exam.ingest.IngestOptions`, such as ``object="MR Image"``, for files.

        Raises :class:`ObjectInvalid` where an image lacks a mandatory attribute, or its pixels do not fit the object,
        and :class:`OtherIdentity` where a file names another patient than that of the exam.
        """
        chosen = IngestOptions.of(options)
        made = []
        for each in list_sources(self._workflow.site, source, chosen):
            for acquired in each.series():
                self._check_identity(acquired, chosen)
                with self._find_or_add_series(ImageSeriesPlan.of(acquired)) as series:
                    warn_of_other_modality(acquired.modality, series.record.modality)
                    series.add_all(acquired, progress)
                made.append(series)
        return made

    def make_source(self, found: Sequence[FoundSeries], **options: Any) -> Source:
        """Series that a reader has found, as a source for :meth:`acquire`; ``options`` are those of that."""
        return make_found_source(self._workflow.site, found, IngestOptions.of(options))

    def check_identity(self, identity: Mapping[str, str], where: str) -> None:
        """Raises :class:`OtherIdentity` where whom an input shows, by keyword, is not whom the exam is of."""
        check_identities(self._workflow.site, self.record, [identity], where)

    def _check_identity(self, acquired: AcquiredSeries, options: IngestOptions) -> None:
        if not options.accept_identity:
            check_identities(self._workflow.site, self.record, acquired.identities, acquired.description)

    def take(self, arrival: DroppedFile, **options: Any) -> list[Series]:
        """Take a file out of a watched folder; the same file gives the same instances when it comes again.

        ``options`` are those of :meth:`acquire`, which see for the errors.
        """
        uids = find_uid_maker(self._workflow.site)
        taken = []
        chosen = IngestOptions.of(options)
        source = make_file_source(self._workflow.site, arrival.path, chosen)
        for number, acquired in enumerate(source.series()):
            self._check_identity(acquired, chosen)
            key = f"{self.study_instance_uid}/{arrival.key}/{number}"
            series = self._find_or_add_series(ImageSeriesPlan.of(acquired, uids.derived(key)))
            taken.append(series)
            with series:
                series.add_all(acquired, keys=lambda image, key=key: uids.derived(f"{key}/{image}"))  # type: ignore[misc]
        return taken

    def key_objects(
        self,
        instances: Sequence[str] = (),
        *,
        series: Sequence[str] = (),
        title: str = "Of Interest",
        reason: str = "",
        description: str = "",
        observer: str = "",
    ) -> list[str]:
        """Note which instances, and those of which series, are of interest, and why: a Key Object Selection Document.

        ``title`` and ``reason`` are codes or meanings of CID 7010 and CID 7011 or 7012; ``observer`` is who chose, as a
        Person Name. Returns its SOP Instance UID, and that of the same document in each other study that it refers to.
        Raises :class:`UsageError` and :class:`NotFound` for what cannot be noted; nothing is stored then.
        """
        return add_key_objects(self._workflow, self.id, instances, series, Note(title, reason, description, observer))

    def present(self, instances: Sequence[str] = (), look: Look | None = None, *, series: Sequence[str] = ()) -> str:
        """Say how images of this exam are to be shown: a Grayscale Softcopy Presentation State, its SOP Instance UID.

        Raises :class:`UsageError` and :class:`NotFound` for what no state can say; nothing is stored then.
        """
        return add_presentation_state(self._workflow, self.id, instances, series, look or Look())

    def irradiation(self, event: IrradiationEvent | None = None, /, **attributes: object) -> IrradiationEvent:
        """Put an exposure without image on record, such as fluoroscopy that nobody kept; the event as it is on record.

        It is given as an event, or by the keywords of :class:`IrradiationEvent`. Raises :class:`ObjectInvalid` where it
        is impossible or overlaps another event, and :class:`UsageError` where the exam has ended.
        """
        stated = event if event is not None and not attributes else IrradiationEvent(**attributes)
        if self.state is ExamState.REGISTERED:
            self._workflow.begin(self.id)
        return record_event(self._workflow, self.id, stated, 0)

    def complete(self) -> Self:
        """End the exam: the step is COMPLETED with all that it made, images are queued for the archives."""
        self._workflow.end(self.id, StepStatus.COMPLETED)
        return self

    def discontinue(self, reason: str = "") -> Self:
        """End the exam as DISCONTINUED; ``reason`` is a code value of CID 9300, 110513 (unspecified) by default."""
        self._workflow.end(self.id, StepStatus.DISCONTINUED, reason)
        return self

    def deliver(self) -> None:
        """Queue for the archives what was made since the last time."""
        self._workflow.deliver(self.id)

    def exposures_of(self, series: SeriesRecord) -> Exposures:
        """The irradiation of a series of this exam."""
        return Exposures(self._workflow, self.id, series)

    def image_maker(self, series: SeriesRecord) -> ImageMaker:
        """What builds the images of a series of this exam."""
        workflow = self._workflow
        with workflow.store.database.read() as snapshot:
            exam, step = read_exam(snapshot, self.id), find_open_step(snapshot, self.id)
        return make_image_maker(workflow.site, workflow.store, exam, step, series)

    @property
    def data_folder(self) -> Path:
        """Where the device keeps its data."""
        return self._workflow.site.data_folder

    def find_or_add_series_like(self, record: SeriesRecord, what: str, uid: str = "") -> Series:
        """The series with this UID, else a new one: beside another, with ``what`` added to its description."""
        return self._find_or_add_series(ImageSeriesPlan.beside(self._workflow.site, record, what, uid))

    def change_to_colour(self, record: SeriesRecord) -> SeriesRecord:
        """The series as one of the object that has colour. Raises :class:`ObjectInvalid` where the device has none."""
        changed = choose_colour_object(self._workflow.site, record)
        self._workflow.change_series(self.id, changed)
        return changed

    def _find_or_add_series(self, plan: ImageSeriesPlan) -> Series:
        known = {each.series_instance_uid: each for each in self.record.series}
        if plan.series_instance_uid in known:
            return Series(self, known[plan.series_instance_uid])
        if self.state is ExamState.REGISTERED:
            self._workflow.begin(self.id, plan.modality)
        return Series(self, self._workflow.new_series(self.id, plan))


class Series:
    """One series. As a context manager its images are queued for the archives at the end of the block."""

    def __init__(self, exam: Exam, record: SeriesRecord) -> None:
        self.exam = exam
        self.record = record
        self._maker = exam.image_maker(record)
        self._images = 0
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
        """Keywords of what was given for the images so far, and their objects have no place for."""
        return tuple(self._maker.left_out)

    @property
    def overridden(self) -> tuple[str, ...]:
        """Keywords of what was given for the images so far, and for which their objects have other values."""
        return tuple(self._maker.overridden)

    @property
    def object_name(self) -> str:
        """What the images become, such as ``MR Image``."""
        return self._maker.object_name

    def add(self, pixels: NDArray[Any], *, irradiation: IrradiationEvent | Any = None, **attributes: Any) -> list[str]:
        """Make images of an array, shape (rows, columns) or (frames, rows, columns); their SOP Instance UIDs.

        ``attributes`` are DICOM keywords, such as ``SliceLocation=12.5``, and ``scale``, ``nan`` and ``parts`` as
        :meth:`add_volume` has them; the slope that the first call found holds for the series. ``irradiation`` is the
        exposure that made all the images of the array: one event, whose dose they share. An image is safe when this
        returns.

        Raises :class:`UsageError` where the exam has ended meanwhile, in this process or another, and
        :class:`ObjectInvalid` where pixels, a keyword or a value fit no image, or the exposure is not possible.
        """
        if is_plain(pixels) and not attributes.keys() & HOW_NUMBERS_ARE_STORED:
            frames = make_frames(pixels, attributes, f"image {self._images + 1}")
            event = None if irradiation is None else self._exposures.record(irradiation, len(frames))
            with self._exposures.withdraw_on_failure(event):
                if event is None or makes_one_image(self._maker):
                    return self._add_frames(frames, event=event)
                exposed = self._exposures.expose_all(frames, event, self._images)
                uids = self._maker.make_together(exposed, SILENTLY.keys)
            self._images += len(uids)
            return uids
        if irradiation is not None:
            raise UsageError("an exposure makes unsigned numbers of 8 or 16 bits, in grey, without a scale")
        how = {name: attributes.pop(name) for name in HOW_NUMBERS_ARE_STORED & attributes.keys()}
        return self._add_volume(Volume(array=np.asarray(pixels), **how), attributes=attributes)

    def add_volume(
        self, volume: Volume | NDArray[Any] | Iterable[NDArray[Any]], affine: ArrayLike | None = None, **given: Any
    ) -> list[str]:
        """Make the images of a volume, all of them or none; their SOP Instance UIDs, by their Instance Numbers.

        ``given`` are the options of :class:`openmodality.acquisition.volume.Volume`, such as ``space`` and ``axes``,
        and DICOM keywords. With ``parts="magnitude+phase"`` the phase becomes a series of its own, :attr:`phase`.

        Raises :class:`ObjectInvalid` where geometry, values or attributes do not make images; nothing is stored then.
        """
        if not isinstance(volume, Volume):
            volume = Volume.of(volume, affine, **given)
        elif affine is not None or given:
            raise UsageError("the volume says itself where it lies and what belongs to it")
        return self._add_volume(volume)

    def _add_volume(
        self, volume: Volume, how: Making = SILENTLY, attributes: Mapping[str, object] | None = None
    ) -> list[str]:
        where = f"volume after image {self._images}" if self._images else "volume"
        stack = make_stack(volume, where)
        stack.shared.update(attributes_of(attributes or {}, where))
        if volume.is_colour:
            self._change_to_colour()
        frames = keep_walkable(stack, self.exam.data_folder)
        dtype = next(iter(frames))[1].dtype
        part, *others = choose_parts(dtype, volume.parts)
        if others and makes_one_image(self._maker):
            return self._add_components(volume, stack, frames, (part, *others), how)
        uids = self._add_part(volume, stack, frames, part, how)
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
        self._images += 1
        if event is None:
            return self._maker.make(self._images, frame, uid)
        return self._maker.make_exposed(self._images, frame, uid, self._exposures.describe_next(event))

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
        self._add_frames(acquired.frames, lambda number: progress(number, acquired.number_of_frames), keys, recorded)

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
        numbered = list(enumerate(frames, 1))
        self._images += len(numbered)
        uids = self._maker.make_together(numbered, keys)
        progress(len(numbered))
        return uids

    def close(self) -> None:
        """Queue the images of this series for the archives now, without waiting for the end of the exam."""
        self.exam.deliver()


_HAS_ITS_OWN: Final = "the exam has its own"
