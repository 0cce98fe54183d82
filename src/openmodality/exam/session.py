"""An exam and its series as a program or an operator holds them: thin handles over what is in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openmodality.acquisition.drop_folder import DroppedFile
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.source import AcquiredSeries, Source
from openmodality.device.modalities import check_asked_for, warn_of_other_modality
from openmodality.errors import NotFound, ObjectInvalid, OpenModalityError, UsageError
from openmodality.exam.checking import SeriesCheck, check_all_series
from openmodality.exam.documents import add_key_objects, add_presentation_state
from openmodality.exam.exposures import Exposures
from openmodality.exam.given import GivenAttributes, find_given
from openmodality.exam.identity_guard import check_identities
from openmodality.exam.ingest import (
    IngestOptions,
    expose_other_source,
    list_sources,
    make_file_source,
    make_found_source,
    name_source,
    raise_problems,
)
from openmodality.exam.instances import list_instances
from openmodality.exam.irradiation_record import record_event
from openmodality.exam.producers.enhanced_images import make_image_maker
from openmodality.exam.producers.images import ImageMaker, ImageSeriesPlan, choose_colour_object, choose_object
from openmodality.exam.series import Series
from openmodality.exam.workflow import Workflow
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.report.tid_2010 import Note
from openmodality.objects.site_objects import find_uid_maker
from openmodality.objects.state.presentation_state import Look
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.query_retrieve import Level
from openmodality.store.index_recovery import Progress
from openmodality.store.listing.entities import InstanceReference, count
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

    @cached_property
    def given(self) -> GivenAttributes:
        """Takes what is said of images of this device by keyword."""
        return find_given(self._workflow.site.profile)

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
        """Notices for the operator: what has changed at the RIS, or could not be checked."""
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
        common = self.given.read(attributes, "series", self.given.name_object(sop_class_uid))
        check_asked_for(self._workflow.site.profile, modality, sop_class_uid)
        return self._find_or_add_series(ImageSeriesPlan(description, modality, sop_class_uid, images, common))

    def acquire(
        self,
        source: Source | str | Path | Iterable[str | Path],
        progress: Progress = lambda done, total: None,
        **options: Any,
    ) -> list[Series]:
        """Take all series of a source, storing each image as it comes.

        A source is a file or folder, several of them, or whatever hands over series. ``options`` are those of
        :class:`openmodality.exam.ingest.IngestOptions`, such as ``object="MR Image"``, for files; ``irradiation`` is
        for any source that states no exposure itself.

        Raises :class:`ObjectInvalid` where an image lacks a mandatory attribute, or its pixels do not fit the object,
        and :class:`OtherIdentity` where a file names another patient than that of the exam. Of several files or folders
        the good ones are taken all the same; then it is :class:`PartlyTaken`, which has their series.
        """
        chosen = IngestOptions.of(options)
        sources = list_sources(self._workflow.site, source, chosen)
        made: list[Series] = []
        problems: dict[str, OpenModalityError] = {}
        for number, each in enumerate(sources, 1):
            try:
                for acquired in self.given.walk([each], chosen.keywords):
                    exposed = expose_other_source(self._workflow.site, source, acquired, chosen)
                    made.append(self._acquire_series(exposed, chosen, progress))
            except (ObjectInvalid, UsageError) as error:
                if len(sources) == 1 or not self.state.is_open:
                    raise
                problems[name_source(each, number)] = error
        raise_problems(made, problems)
        return made

    def _acquire_series(self, acquired: AcquiredSeries, options: IngestOptions, progress: Progress) -> Series:
        self._check_identity(acquired, options)
        with self._find_or_add_series(ImageSeriesPlan.of(acquired)) as series:
            warn_of_other_modality(acquired.modality, series.record.modality)
            series.add_all(acquired, progress)
        return series

    def make_source(self, found: Sequence[FoundSeries], **options: Any) -> Source:
        """Series that a reader has found, as a source for :meth:`acquire`; ``options`` are those of that."""
        return make_found_source(self._workflow.site, found, IngestOptions.of(options))

    def check_identity(self, identity: Mapping[str, str], where: str) -> None:
        """Raises :class:`OtherIdentity` where an input names, by keyword, another patient than that of the exam."""
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
        for number, acquired in enumerate(self.given.walk([source], chosen.keywords)):
            self._check_identity(acquired, chosen)
            key = f"{self.study_instance_uid}/{arrival.key}/{number}"
            series = self._find_or_add_series(ImageSeriesPlan.of(acquired, uids.derived(key)))
            taken.append(series)
            with series:
                series.add_all(acquired, keys=lambda image, key=key: uids.derived(f"{key}/{image}"))  # type: ignore[misc]
        return taken

    def take_into(self, number: int, arrival: DroppedFile, **options: Any) -> Series:
        """Take a file into a series that was begun, after the images that it has; the same file makes nothing twice.

        ``options`` are those of :meth:`acquire`, which see for the errors. Raises :class:`NotFound` where the exam has
        no series of this number.
        """
        record = next((each for each in self.record.series if each.number == number), None)
        if record is None:
            raise NotFound(f"exam {self.id} has no series {number}", advice="begin one first")
        uids, chosen = find_uid_maker(self._workflow.site), IngestOptions.of(options)
        with self._workflow.store.read() as snapshot:
            images = count(snapshot, Level.IMAGE, {"SeriesInstanceUID": record.series_instance_uid})
        series = Series(self, record, images)
        source = make_file_source(self._workflow.site, arrival.path, chosen)
        for place, acquired in enumerate(self.given.walk([source], chosen.keywords)):
            self._check_identity(acquired, chosen)
            key = f"{self.study_instance_uid}/{record.series_instance_uid}/{arrival.key}/{place}"
            series.add_all(acquired, keys=lambda image, key=key: uids.derived(f"{key}/{image}"))  # type: ignore[misc]
        return series

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
            made = choose_object(self._workflow.site, plan).modality  # of the images, which a source need not know
            self._workflow.begin(self.id, made if plan.modality else "")
        return Series(self, self._workflow.new_series(self.id, plan))
