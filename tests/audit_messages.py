"""One audit message of each kind, and the schema of PS3.15 A.5.1 as an independent judge of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lxml import etree

from openmodality.audit.codes import EventKind, EventType, ExportMedia, Outcome
from openmodality.audit.events import (
    ActingPerson,
    DeviceNode,
    Partner,
    Who,
    tell_accessed,
    tell_alert,
    tell_application,
    tell_authentication,
    tell_exported,
    tell_imported,
    tell_log_used,
    tell_query,
    tell_record,
    tell_study_deleted,
    tell_transfer_begun,
    tell_transferred,
)
from openmodality.audit.message import AuditMessage, AuditSource, encode_audit
from openmodality.audit.subjects import StudySubject

_SCHEMA = Path(__file__).parent / "data" / "audit" / "audit-message.rng"
HOSTILE = "<img src=x onerror=alert(1)>^\"'&{{7*7}}\x00\x1b[31m\ud800\n"
"""What no name should be, and might be all the same."""
SUBJECT = StudySubject("1.2.3", "P-1", "DOE^JANE", "A1", {"1.2.840.10008.5.1.4.1.1.4": 9, "1.2.5": 1})
HOSTILE_SUBJECT = StudySubject("1.2.3", HOSTILE, HOSTILE, HOSTILE, {"1.2.5": 1})
AT = 1_796_000_000.25
SOURCE = AuditSource("OM_MR", "General Hospital")


@cache
def schema() -> etree.RelaxNG:
    """The schema of A.5.1.1."""
    return etree.RelaxNG(etree.parse(_SCHEMA))


def find_schema_faults(xml: str) -> list[str]:
    """What the schema finds wrong with a message."""
    judge = schema()
    judge.validate(etree.fromstring(xml.encode()))
    return [str(error) for error in judge.error_log]


def who(person: str = "") -> Who:
    """A device, and the person who has it do something."""
    node = DeviceNode("4711", ("OM_MR", "OM_MR2"), "10.0.0.7")
    return Who(node, ActingPerson(person, "10.0.0.8") if person else None)


def all_messages(person: str = "alice", subject: StudySubject = SUBJECT) -> dict[str, AuditMessage]:
    """A message for each function of ``audit.events`` in each of its ways."""
    by, partner = who(person), Partner("OM_PACS", "10.0.0.9", "OM_MR")
    return {
        "start": tell_application(by, starts=True),
        "stop": tell_application(by, starts=False),
        "log used": tell_log_used(by, "rows were listed"),
        "begin sending": tell_transfer_begun(by, partner, subject, sends=True),
        "begin receiving": tell_transfer_begun(by, partner, subject, sends=False),
        "sent": tell_transferred(by, partner, subject, sends=True),
        "sent in part": tell_transferred(by, partner, subject, sends=True, failed=3),
        "received": tell_transferred(by, partner, subject, sends=False),
        **{f"access {action}": tell_accessed(by, action, subject) for action in "CRUD"},
        "deleted": tell_study_deleted(by, subject),
        "film": tell_exported(by, "printer", ExportMedia.FILM, [subject]),
        "disc failed": tell_exported(by, "/dev/sr0", ExportMedia.DVD, [subject, subject], "job 7 has failed"),
        "import": tell_imported(by, "file:///media/disc", [subject], 2),
        "order": tell_record(by, EventKind.ORDER, "R", subject),
        "patient": tell_record(by, EventKind.PATIENT, "C", subject),
        "procedure": tell_record(by, EventKind.PROCEDURE, "C", subject, "2.25.7"),
        "query": tell_query(by, partner, "1.2.840.10008.5.1.4.31", b"\x08\x00", "1.2.840.10008.1.2.1", asks=True),
        "answer": tell_query(by, partner, "1.2.840.10008.5.1.4.31", b"", "1.2.840.10008.1.2.1", asks=False),
        **{
            f"alert {kind.name}": tell_alert(by, kind, "10.0.0.9", "it is so", outcome=Outcome.SERIOUS_FAILURE)
            for kind in tuple(EventType)[4:]
        },
        "login": tell_authentication(by, ActingPerson("bob", "10.0.0.8"), EventType.LOGIN),
        "failed login": tell_authentication(by, ActingPerson("bob"), EventType.LOGIN, "name or password is wrong"),
        "logout": tell_authentication(by, ActingPerson("bob", "10.0.0.8"), EventType.LOGOUT),
    }


def encode(message: AuditMessage) -> str:
    """The XML of a message."""
    return encode_audit(message, AT, SOURCE)
