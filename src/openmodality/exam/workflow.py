"""The life of an exam: registered, in progress, completed or discontinued; each change is one transaction.

Rules, so that a process may die at any moment:
- a change of state and the jobs that tell others of it are in one transaction;
- a step that ends is first noted as ending, with its moment and reason; carrying that out can be repeated;
- what is made at the end of a step has UIDs derived from the step's, so that making it twice makes one.

RIS and archive are never waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pydicom import Dataset

from openmodality.activities.audit import AuditTrail
from openmodality.activities.performed_step import make_n_create_job, make_n_set_job
from openmodality.activities.print_record import list_used_films
from openmodality.device.body_parts import describe_unknown_body_parts
from openmodality.device.modalities import describe_other_modalities
from openmodality.device.site.site import Peer, Site
from openmodality.errors import UsageError, WrongState
from openmodality.exam.audit import ExamTrail
from openmodality.exam.delivery import Delivery
from openmodality.exam.given import check_given_birth_date, check_given_body_part
from openmodality.exam.instances import keep_instance, list_instances
from openmodality.exam.producers.producer import Producer, SeriesPlan, StepWork
from openmodality.exam.step_facts import SeriesContent, build_n_create, build_n_set
from openmodality.jobs.queue import Queue
from openmodality.objects.performed_step.film_consumption import describe_films
from openmodality.objects.site_objects import find_uid_maker
from openmodality.standard.discontinuation_reasons import DISCONTINUATION_REASONS, UNSPECIFIED, describe_reasons
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.statuses import ServiceName
from openmodality.store.data_set_json import to_json
from openmodality.store.listing.exams import Ending, ExamRecord, SeriesRecord, StepRecord, read_exam, read_steps
from openmodality.store.listing.irradiation import read_irradiation
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import (
    ServedItem,
    add_series,
    describe_appending,
    insert_exam,
    lock_exam,
    lock_exam_to_add_to,
    replace_series,
    save_exam,
)
from openmodality.store.rows.patients import DEMOGRAPHICS, keep_patient
from openmodality.store.rows.served import check_unserved, describe_defects
from openmodality.store.rows.steps import end_step, find_open_step, insert_step
from openmodality.store.rows.worklist import WorklistItem, value_of
from openmodality.store.states import ExamState, Subject
from openmodality.store.transaction import Snapshot, Transaction


class Workflow:
    """Moves the exams of one device through their states."""

    def __init__(
        self,
        site: Site,
        store: LocalStore,
        queue: Queue,
        producers: Sequence[Producer],
        trail: AuditTrail | None = None,
    ) -> None:
        self.site = site
        self.store = store
        self.queue = queue
        self.delivery = Delivery(site, queue)
        self._producers = tuple(producers)
        self._trail = ExamTrail(trail or AuditTrail(site, queue))

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.store.database.clock()

    def register(self, items: Sequence[WorklistItem], user: Dataset, notices: Sequence[str] = ()) -> ExamRecord:
        """A new exam, not yet begun: for worklist items, or without any for a patient registered by hand.

        Raises :class:`UsageError` where the items belong to several patients, an open exam serves one, nothing names a
        patient, or the operator gave a body part that the device does not have.
        """
        _check_patient(items, user)
        check_given_body_part(self.site.profile, user.get("BodyPartExamined"))
        check_given_birth_date(user, datetime.fromtimestamp(self.now).date())
        numbered = [(item.id, item.attributes) for item in items]
        unknown_parts = describe_unknown_body_parts(self.site.profile, numbered)
        others = describe_other_modalities(self.site.profile, numbered)
        study_uids = [uid for item in items if (uid := item["StudyInstanceUID"])]
        study_uid = study_uids[0] if study_uids else find_uid_maker(self.site).new()
        served = [ServedItem(item.id, item["ScheduledProcedureStepID"], to_json(item.attributes)) for item in items]
        with self.store.write() as transaction:
            check_unserved(transaction, items)
            patient_id = keep_patient(transaction, _collect_demographics(items, user))
            exam = insert_exam(transaction, patient_id, study_uid, to_json(user), served)
            accession = items[0]["AccessionNumber"] if items else str(user.get("AccessionNumber") or "")
            exam = replace(
                exam,
                study_id=str(exam.id),
                accession_number=accession or ("" if items else _make_local_accession(exam)),
                notices=(*filter(None, notices), *describe_defects(items), *unknown_parts, *others),
            )
            save_exam(transaction, exam)
            self._trail.note_registered(transaction, exam)
            self._add_event(transaction, exam, ExamState.REGISTERED)
            return exam

    def begin(self, exam_id: int, modality: str = "") -> ExamRecord:
        """Begin the exam, or go on with it: its performed step is IN PROGRESS from now on (DECISIONS MR 18).

        An exam that has ended is appended to, with a further performed step.
        """
        self.store.reserve.keep()
        with self.store.write() as transaction:
            exam = lock_exam(transaction, exam_id)
            if exam.state is ExamState.IN_PROGRESS:
                return exam
            self._add_step(transaction, exam, modality)
            begun = replace(exam, state=ExamState.IN_PROGRESS, ended_at=None, ending=None)
            save_exam(transaction, begun)
            self._add_event(transaction, begun, ExamState.IN_PROGRESS)
            return begun

    def new_series(self, exam_id: int, plan: SeriesPlan) -> SeriesRecord:
        """Put a series on record before its first instance.

        Raises :class:`UsageError` where the exam takes no images.
        """
        with self.store.write() as transaction:
            exam, step = lock_exam_to_add_to(transaction, exam_id)
            series = plan.make_record(self.site, exam, step, self.now)
            add_series(transaction, exam_id, series)
            return series

    def change_series(self, exam_id: int, series: SeriesRecord) -> None:
        """Put another plan of a series on record, which has no instance yet."""
        with self.store.write() as transaction:
            replace_series(transaction, exam_id, series)

    def deliver(self, exam_id: int) -> None:
        """Queue for the archives what was made since the last time, with what producers add to an open step."""
        self._make_meanwhile(exam_id)
        with self.store.write() as transaction:
            self.delivery.deliver(transaction, read_exam(transaction, exam_id))

    def end(self, exam_id: int, state: StepStatus, reason: str = "") -> ExamRecord:
        """End the exam as COMPLETED or DISCONTINUED.

        Raises :class:`UsageError` where it has ended already or is about to end otherwise, it has no image to be
        completed with, or the reason is not in CID 9300. A disk that is full keeps no exam open (``store.reserve``).
        """
        if state is StepStatus.DISCONTINUED:
            reason = reason or UNSPECIFIED
            if reason not in DISCONTINUATION_REASONS:
                raise UsageError(
                    f"{reason!r} is no reason for a procedure to be discontinued (PS3.16 CID 9300)",
                    advice=f"give the code of one of these: {describe_reasons()}",
                )
        return self.store.reserve.run(lambda: self._end(exam_id, state, reason))

    def _end(self, exam_id: int, state: StepStatus, reason: str) -> ExamRecord:
        with self.store.write() as transaction:
            exam = lock_exam(transaction, exam_id)
            if not exam.state.is_open:
                raise WrongState(f"exam {exam_id} is {exam.state} already", advice=describe_appending(exam_id))
            work = _find_work(transaction, exam, find_open_step(transaction, exam_id))
            if state is StepStatus.COMPLETED and not (_list_content(work) or work.events):
                raise WrongState(f"exam {exam_id} has no image: discontinue it instead")
            ending = exam.ending or Ending(state, _find_end(work, self.now), reason)
            if (ending.state, ending.reason) != (state, reason):
                raise WrongState(
                    f"exam {exam_id} is about to be {_describe_ending(ending)}",
                    advice=f"end it that way, or let serve do it; then {describe_appending(exam_id)}",
                )
            save_exam(transaction, replace(exam, ending=ending))
        return self.carry_out(exam_id)

    def carry_out(self, exam_id: int) -> ExamRecord:
        """Do what the noted ending asks for; can be repeated at any point, by several processes too."""
        with self.store.read() as snapshot:
            exam, step = read_exam(snapshot, exam_id), find_open_step(snapshot, exam_id)
        ending = exam.ending
        if ending is None or not exam.state.is_open:
            return exam
        for producer in self._producers:
            exam = self._make_at_end(producer, exam, step, ending)
        with self.store.write() as transaction:
            exam = lock_exam(transaction, exam_id)
            if exam.ending != ending or _get_id(find_open_step(transaction, exam_id)) != _get_id(step):
                return exam  # another process did it meanwhile
            work = _find_work(transaction, exam, step)
            if step is not None:
                self._end_step(transaction, work, step, ending)
                self._trail.note_ended(transaction, work, step)
            if ending.state is StepStatus.COMPLETED:
                made = [each for series in work.series for each in work.instances_of(series)]
                self.delivery.print_automatically(transaction, made)
            ended = replace(exam, state=ExamState(ending.state), ended_at=ending.at, ending=None)
            save_exam(transaction, ended)
            self.delivery.deliver(transaction, ended)
            self._add_event(transaction, ended, ending.state, _describe_reason(ending))
            return ended

    def _add_step(self, transaction: Transaction, exam: ExamRecord, modality: str) -> None:
        peers = self.list_mpps_peers()
        number = sum(1 for _ in read_steps(transaction, exam.id)) + 1
        step_id = f"{exam.id}" if number == 1 else f"{exam.id}.{number}"
        now = datetime.fromtimestamp(self.now)
        attributes = build_n_create(self.site, exam, step_id, modality, now) if peers else Dataset()
        uid = find_uid_maker(self.site).new()
        insert_step(transaction, exam.id, uid, step_id, to_json(attributes))
        self._trail.note_begun(transaction, exam, uid)
        for peer in peers:
            self.queue.enqueue(transaction, make_n_create_job(peer, uid))

    def _end_step(self, transaction: Transaction, work: StepWork, step: StepRecord, ending: Ending) -> None:
        peers = self.list_mpps_peers()
        attributes = Dataset()
        if peers:
            added = Dataset()
            for producer in self._producers:
                added.update(producer.describe_step(work))
            content = _list_content(work) or [self._make_empty_series(step)]
            series_uids = [series.series_instance_uid for series in work.exam.series]
            added.update(describe_films(list_used_films(transaction, series_uids, step.started_at)))
            attributes = build_n_set(self.site, work.exam, step, ending, content, added)
        end_step(transaction, step, ending.state, ending.at, to_json(attributes))
        for peer in peers:
            self.queue.enqueue(transaction, make_n_set_job(peer, step.sop_instance_uid))

    def _make_empty_series(self, step: StepRecord) -> SeriesContent:
        """A step that ends before its first image still has to name a series (PS3.4 Table F.7.2-1)."""
        uid = find_uid_maker(self.site).derived(f"{step.sop_instance_uid}/no series")
        return SeriesContent(SeriesRecord(uid, 0, "", "", "no images", step.started_at, step.sop_instance_uid), ())

    def _make_at_end(self, producer: Producer, exam: ExamRecord, step: StepRecord | None, ending: Ending) -> ExamRecord:
        """Let a producer add its series and instances; what it has added before stays as it is."""
        with self.store.read() as snapshot:
            work = _find_work(snapshot, exam, step)
        planned = producer.plan_series_at_end(work, ending.at)
        if planned is None:
            return exam
        uid = planned.series_instance_uid
        series = next((each for each in exam.series if each.series_instance_uid == uid), None)
        if series is None:
            series = planned
            with self.store.write() as transaction:
                exam = add_series(transaction, exam.id, series)
        made = {each.SOPInstanceUID for each in work.instances_of(series)}
        for data_set in producer.build_at_end(work, series):
            if data_set.SOPInstanceUID not in made:
                keep_instance(self.site, self.store, data_set)
        return exam

    def _make_meanwhile(self, exam_id: int) -> None:
        """Let the producers add to a step in progress; where it ends meanwhile, they add at its end."""
        with self.store.read() as snapshot:
            exam, step = read_exam(snapshot, exam_id), find_open_step(snapshot, exam_id)
            work = _find_work(snapshot, exam, step)
        if step is None or exam.ending is not None:
            return
        for producer in self._producers:
            planned = producer.plan_series_meanwhile(work, self.now)
            if planned is not None:
                with suppress(WrongState):
                    self._add_meanwhile(producer, work, planned, step.sop_instance_uid)

    def _add_meanwhile(self, producer: Producer, work: StepWork, planned: SeriesRecord, step_uid: str) -> None:
        def check(transaction: Transaction) -> None:
            lock_exam_to_add_to(transaction, work.exam.id, step_uid)

        with self.store.write() as transaction:
            check(transaction)
            exam = add_series(transaction, work.exam.id, planned)
        uid = planned.series_instance_uid
        series = next(each for each in exam.series if each.series_instance_uid == uid)
        made = {each.SOPInstanceUID for each in work.instances_of(series)}
        for data_set in producer.build_meanwhile(work, series, self.now):
            if data_set.SOPInstanceUID not in made:
                keep_instance(self.site, self.store, data_set, check)

    def list_mpps_peers(self) -> list[Peer]:
        """The peers that are told of performed steps: all with this service, where the device has it."""
        service: ServiceName = "mpps"
        return [peer for peer in self.site.peers_for(service) if self.site.list_proposed(service, peer)]

    def _add_event(self, transaction: Transaction, exam: ExamRecord, name: str, detail: str = "") -> None:
        transaction.add_event(Subject.EXAM, exam.id, name, detail)


def _find_work(snapshot: Snapshot, exam: ExamRecord, step: StepRecord | None) -> StepWork:
    return StepWork(exam, step, list_instances(snapshot, exam), read_irradiation(snapshot, exam.id))


def _find_end(work: StepWork, now: float) -> float:
    """When the work ends: not before what is on record of it, where the clock was set back meanwhile."""
    begun = work.exam.created_at if work.step is None else work.step.started_at
    return max([now, begun, *(series.started for series in work.series)])


def _list_content(work: StepWork) -> list[SeriesContent]:
    """The series of a step that hold instances, with these."""
    content = [SeriesContent(series, work.instances_of(series)) for series in work.series]
    return [each for each in content if each.instances]


def _check_patient(items: Sequence[WorklistItem], user: Dataset) -> None:
    named = {(item["PatientID"], item["IssuerOfPatientID"]) for item in items}
    if len(named) > 1:
        raise UsageError("the worklist items belong to several patients", advice="start one exam for each patient")
    if not items and not str(user.get("PatientID") or "").strip():
        raise UsageError("an exam needs a worklist item or a patient with a Patient ID")


def _collect_demographics(items: Sequence[WorklistItem], user: Dataset) -> dict[str, str]:
    known = {keyword: str(user.get(keyword) or "") for keyword in DEMOGRAPHICS}
    for item in items[:1]:
        known |= {keyword: value for keyword in known if (value := value_of(item.attributes, keyword))}
    return known


def _make_local_accession(exam: ExamRecord) -> str:
    """An Accession Number (SH, 16 characters) that this device makes for an unscheduled exam."""
    return f"L{exam.started:%y%m%d}{exam.id:06d}"[:16]


def _get_id(step: StepRecord | None) -> int | None:
    return step.id if step else None


def _describe_ending(ending: Ending) -> str:
    return f"{ending.state} with reason {ending.reason}" if ending.reason else ending.state


def _describe_reason(ending: Ending) -> str:
    return DISCONTINUATION_REASONS[ending.reason].meaning if ending.reason else ""
