"""One function for each event of PS3.15 A.5.3 that this device can tell of, with the participants it requires."""

from __future__ import annotations

from collections.abc import Sequence

from openmodality.audit.codes import (
    EventKind,
    EventType,
    ExportMedia,
    ObjectIdType,
    ObjectRole,
    ObjectType,
    Outcome,
    ParticipantRole,
)
from openmodality.audit.message import AE_TITLES_PREFIX, AuditMessage, Participant, ParticipantObject
from openmodality.audit.subjects import StudySubject
from openmodality.value_class import dataclass

AUDIT_LOG_URI = "openmodality:audit"
SETTINGS_URI = "openmodality:site-file"


@dataclass(frozen=True, slots=True)
class DeviceNode:
    """This device as it takes part: its process, its AE titles and where it is."""

    process_id: str
    ae_titles: tuple[str, ...]
    host: str

    @property
    def alternative_id(self) -> str:
        """The AE titles as A.5.2 writes them."""
        return f"{AE_TITLES_PREFIX}{';'.join(self.ae_titles)}"


@dataclass(frozen=True, slots=True)
class ActingPerson:
    """Who acts: a user of the console, a program with a token, or a user of the machine."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """The participants on this side: the device, and the person for whom it acts, where there is one."""

    node: DeviceNode
    person: ActingPerson | None = None

    def make_process(self, role: ParticipantRole | None = None, *, ae_title: str = "") -> Participant:
        """This device as a participant; it is the requestor where no person is."""
        node = self.node
        return Participant(
            node.process_id,
            self.person is None,
            role,
            f"{AE_TITLES_PREFIX}{ae_title}" if ae_title else node.alternative_id,
            access_point=node.host,
        )

    def make_users(self) -> tuple[Participant, ...]:
        """The person, where there is one."""
        return () if self.person is None else (_make_user(self.person, is_requestor=True),)


@dataclass(frozen=True, slots=True)
class Partner:
    """The other side of an association: its AE title and where it is; ``own_title`` is ours towards it.

    Without ``is_entity`` it is a user or program that asks over HTTP, by its name.
    """

    ae_title: str
    address: str = ""
    own_title: str = ""
    is_entity: bool = True


def tell_application(who: Who, *, starts: bool) -> AuditMessage:
    """The device starts, or stops (A.5.3.1)."""
    application = Participant(
        who.node.process_id, False, ParticipantRole.APPLICATION, who.node.alternative_id, access_point=who.node.host
    )
    person = who.person
    launcher = () if person is None else (_make_user(person, is_requestor=True, role=ParticipantRole.LAUNCHER),)
    kind = EventType.APPLICATION_START if starts else EventType.APPLICATION_STOP
    return AuditMessage(EventKind.APPLICATION, "E", (application, *launcher), type=kind)


def tell_log_used(who: Who, purpose: str) -> AuditMessage:
    """Somebody reads the audit trail (A.5.3.2); ``purpose`` says how."""
    log = ParticipantObject(
        AUDIT_LOG_URI, ObjectType.SYSTEM, ObjectRole.SECURITY_RESOURCE, ObjectIdType.URI, "Security Audit Log"
    )
    return AuditMessage(EventKind.AUDIT_LOG, "R", (*who.make_users(), who.make_process()), (log,), description=purpose)


def tell_transfer_begun(who: Who, partner: Partner, subject: StudySubject, *, sends: bool) -> AuditMessage:
    """The transfer of instances of one study begins (A.5.3.3)."""
    return AuditMessage(
        EventKind.BEGIN_TRANSFER, "E", _make_ends(who, partner, sends=sends), _make_objects([subject], instances=sends)
    )


def tell_transferred(
    who: Who, partner: Partner, subject: StudySubject, *, sends: bool, failed: int = 0
) -> AuditMessage:
    """Instances of one study were transferred (A.5.3.7); ``failed`` is how many others were not."""
    done = subject.instances
    outcome = Outcome.SUCCESS if not failed else Outcome.MINOR_FAILURE if done else Outcome.SERIOUS_FAILURE
    description = f"{failed} of {done + failed} instances were not transferred" if failed else ""
    return AuditMessage(
        EventKind.TRANSFER,
        "R" if sends else "C",
        _make_ends(who, partner, sends=sends),
        _make_objects([subject]),
        outcome=outcome,
        description=description,
    )


def tell_accessed(who: Who, action: str, subject: StudySubject) -> AuditMessage:
    """Instances of a study are made, looked at, changed or deleted (A.5.3.6): ``action`` C, R, U or D."""
    return AuditMessage(EventKind.ACCESS, action, (*who.make_users(), who.make_process()), _make_objects([subject]))


def tell_study_deleted(who: Who, subject: StudySubject) -> AuditMessage:
    """A whole study is deleted here (A.5.3.8)."""
    return AuditMessage(EventKind.DELETE, "D", (*who.make_users(), who.make_process()), _make_objects([subject]))


def tell_exported(
    who: Who, target: str, media: ExportMedia, subjects: Sequence[StudySubject], failure: str = ""
) -> AuditMessage:
    """Instances left the device on a medium, film or paper (A.5.3.4)."""
    medium = Participant(target, False, ParticipantRole.DESTINATION_MEDIA, media=media)
    exporting = (*who.make_users(), who.make_process(ParticipantRole.SOURCE))
    return AuditMessage(
        EventKind.EXPORT,
        "R",
        (*exporting, medium),
        _make_objects(subjects),
        outcome=Outcome.SERIOUS_FAILURE if failure else Outcome.SUCCESS,
        description=failure,
    )


def tell_imported(who: Who, source: str, subjects: Sequence[StudySubject], refused: int) -> AuditMessage:
    """Instances were copied from files or a medium (A.5.3.5)."""
    medium = Participant(source, False, ParticipantRole.SOURCE_MEDIA, media=ExportMedia.URI)
    importing = (*who.make_users(), who.make_process(ParticipantRole.DESTINATION))
    return AuditMessage(
        EventKind.IMPORT,
        "C",
        (*importing, medium),
        _make_objects(subjects),
        outcome=Outcome.MINOR_FAILURE if refused else Outcome.SUCCESS,
        description=f"{refused} files were not taken" if refused else "",
    )


def tell_record(who: Who, kind: EventKind, action: str, subject: StudySubject, mpps: str = "") -> AuditMessage:
    """An order, a patient or a procedure is used, made or changed here (A.5.3.9, A.5.3.10, A.5.3.12)."""
    study = [] if kind is EventKind.PATIENT else [_make_study(subject, mpps=mpps)]
    patient = _make_patient(subject)
    return AuditMessage(kind, action, (*who.make_users(), who.make_process()), (*study, patient))


def tell_query(
    who: Who, partner: Partner, sop_class_uid: str, identifier: bytes, transfer_syntax: str, *, asks: bool
) -> AuditMessage:
    """A query is sent, or answered (A.5.3.11); ``identifier`` is what was asked for, encoded."""
    queried = ParticipantObject(
        sop_class_uid,
        ObjectType.SYSTEM,
        ObjectRole.QUERY,
        ObjectIdType.SOP_CLASS,
        query=identifier,
        details={"TransferSyntax": transfer_syntax.encode()},
    )
    return AuditMessage(EventKind.QUERY, "E", _make_ends(who, partner, sends=asks), (queried,))


def tell_alert(
    who: Who, kind: EventType, subject: str, description: str, *, outcome: Outcome = Outcome.SUCCESS
) -> AuditMessage:
    """Something that concerns security (A.5.3.13): ``subject`` is what, such as a node, a user or the site file."""
    role, id_type, object_type = _ALERTS[kind]
    about = ParticipantObject(
        subject, object_type, role, id_type, details={"Alert Description": description.encode("utf-8", "replace")}
    )
    return AuditMessage(
        EventKind.ALERT, "E", (*who.make_users(), who.make_process()), (about,), kind, outcome, description
    )


def tell_authentication(who: Who, user: ActingPerson, kind: EventType, failure: str = "") -> AuditMessage:
    """A user logs in, tries to, or logs out (A.5.3.14)."""
    node = Participant(who.node.process_id, False, None, who.node.alternative_id, access_point=who.node.host)
    return AuditMessage(
        EventKind.AUTHENTICATION,
        "E",
        (_make_user(user, is_requestor=True), node),
        type=kind,
        outcome=Outcome.SERIOUS_FAILURE if failure else Outcome.SUCCESS,
        description=failure,
    )


_ALERTS = {
    EventType.NODE_AUTHENTICATION: (ObjectRole.SECURITY_RESOURCE, ObjectIdType.NODE, ObjectType.SYSTEM),
    EventType.EMERGENCY_OVERRIDE: (ObjectRole.SECURITY_RESOURCE, ObjectIdType.URI, ObjectType.SYSTEM),
    EventType.SECURITY_CONFIGURATION: (ObjectRole.SECURITY_RESOURCE, ObjectIdType.URI, ObjectType.SYSTEM),
    EventType.SOFTWARE_CONFIGURATION: (ObjectRole.SECURITY_RESOURCE, ObjectIdType.URI, ObjectType.SYSTEM),
    EventType.SECURITY_ROLES: (ObjectRole.SECURITY_USER, ObjectIdType.USER, ObjectType.SYSTEM),
    EventType.USER_SECURITY: (ObjectRole.SECURITY_USER, ObjectIdType.USER, ObjectType.SYSTEM),
}
"""What the object of an alert is."""


def _make_user(person: ActingPerson, *, is_requestor: bool, role: ParticipantRole | None = None) -> Participant:
    return Participant(person.name or "unknown", is_requestor, role, access_point=person.address)


def _make_ends(who: Who, partner: Partner, *, sends: bool) -> tuple[Participant, ...]:
    """The two sides of an association: the one that sends (or asks) first."""
    ours, theirs = (
        (ParticipantRole.SOURCE, ParticipantRole.DESTINATION)
        if sends
        else (ParticipantRole.DESTINATION, ParticipantRole.SOURCE)
    )
    node = who.node
    own_id = f"{AE_TITLES_PREFIX}{partner.own_title}" if partner.own_title else node.alternative_id
    own = Participant(node.process_id, sends and who.person is None, ours, own_id, access_point=node.host)
    title = partner.ae_title or "unknown"
    alternative = f"{AE_TITLES_PREFIX}{title}" if partner.is_entity else ""
    other = Participant(title, not sends, theirs, alternative, access_point=partner.address)
    return (*((own, other) if sends else (other, own)), *(who.make_users() if sends else ()))


def _make_objects(subjects: Sequence[StudySubject], *, instances: bool = True) -> tuple[ParticipantObject, ...]:
    studies = [_make_study(each, instances=instances) for each in subjects]
    patients = {(each.patient_id, each.patient_name): _make_patient(each) for each in subjects}
    return (*studies, *patients.values())


def _make_study(subject: StudySubject, *, instances: bool = True, mpps: str = "") -> ParticipantObject:
    return ParticipantObject(
        subject.study_instance_uid,
        ObjectType.SYSTEM,
        ObjectRole.REPORT,
        ObjectIdType.STUDY,
        accession_number=subject.accession_number,
        mpps=(mpps,) if mpps else (),
        classes=subject.classes if instances else {},
    )


def _make_patient(subject: StudySubject) -> ParticipantObject:
    return ParticipantObject(
        subject.patient_id or "unknown",
        ObjectType.PERSON,
        ObjectRole.PATIENT,
        ObjectIdType.PATIENT_NUMBER,
        subject.patient_name,
    )
