"""An audit message as a value and as XML: element by element the schema of PS3.15 A.5.1.1.

Times, source and the order of participants are given; nothing here decides who did what. Characters that XML 1.0 does
not have become U+FFFD: a name that holds them must not keep its message from being told.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from openmodality.audit.codes import (
    EVENT_IDS,
    SOURCE_TYPE,
    AuditCode,
    EventKind,
    EventType,
    ExportMedia,
    ObjectIdType,
    ObjectRole,
    ObjectType,
    Outcome,
    ParticipantRole,
)
from openmodality.value_class import dataclass

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ADDRESS: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
AE_TITLES_PREFIX: Final = "AETITLES="
"""How the AlternativeUserID of a process begins (A.5.2)."""
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True, slots=True)
class Participant:
    """Who takes part: a person, a process, a node or a medium. ``access_point`` is an address or a host name."""

    user_id: str
    is_requestor: bool = False
    role: ParticipantRole | None = None
    alternative_id: str = ""
    name: str = ""
    access_point: str = ""
    media: ExportMedia | None = None

    @property
    def shown(self) -> str:
        """The name to show: a process or node by its AE titles, all else by its User ID."""
        titles = self.alternative_id.removeprefix(AE_TITLES_PREFIX)
        return clean_xml(self.user_id if titles == self.alternative_id else titles).replace("\n", " ")


@dataclass(frozen=True, slots=True)
class ParticipantObject:
    """What an event is about. ``classes`` are numbers of instances by SOP Class UID, ``details`` what A.5.3 names."""

    id: str
    type: ObjectType
    role: ObjectRole
    id_type: ObjectIdType
    name: str = ""
    query: bytes | None = None
    details: Mapping[str, bytes] = field(default_factory=dict)
    accession_number: str = ""
    mpps: Sequence[str] = ()
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditSource:
    """What tells of events: AuditSourceID and AuditEnterpriseSiteID."""

    id: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class AuditMessage:
    """One event; who notes it knows when, and by which source."""

    kind: EventKind
    action: str
    participants: tuple[Participant, ...]
    objects: tuple[ParticipantObject, ...] = ()
    type: EventType | None = None
    outcome: Outcome = Outcome.SUCCESS
    description: str = ""

    @property
    def users(self) -> tuple[str, ...]:
        """The names of all participants."""
        return tuple(dict.fromkeys(each.shown for each in self.participants))

    @property
    def patients(self) -> tuple[str, ...]:
        """The Patient IDs of those whom the event is about."""
        found = (clean_xml(each.id).replace("\n", " ") for each in self.objects if each.role is ObjectRole.PATIENT)
        return tuple(dict.fromkeys(found))


def clean_xml(text: str) -> str:
    """The text without characters that XML does not have."""
    return _NOT_XML.sub("\ufffd", text)


def encode_audit(message: AuditMessage, at: float, source: AuditSource) -> str:
    """The message as XML; ``at`` is when it happened, in seconds since the epoch."""
    root = Element("AuditMessage")
    _add_event(root, message, at)
    for participant in message.participants:
        _add_participant(root, participant)
    _add_source(root, source)
    for each in message.objects:
        _add_object(root, each)
    return _DECLARATION + tostring(root, encoding="unicode")


def _add_event(root: Element, message: AuditMessage, at: float) -> None:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attributes = {
        "EventActionCode": message.action,
        "EventDateTime": moment,
        "EventOutcomeIndicator": str(message.outcome.value),
    }
    event = SubElement(root, "EventIdentification", attributes)
    _add_code(event, "EventID", EVENT_IDS[message.kind])
    if message.type is not None:
        _add_code(event, "EventTypeCode", message.type.value)
    if message.description:
        SubElement(event, "EventOutcomeDescription").text = clean_xml(message.description)


def _add_participant(root: Element, participant: Participant) -> None:
    attributes = {"UserID": clean_xml(participant.user_id)}
    if participant.alternative_id:
        attributes["AlternativeUserID"] = clean_xml(participant.alternative_id)
    if participant.name:
        attributes["UserName"] = clean_xml(participant.name)
    attributes["UserIsRequestor"] = str(participant.is_requestor).lower()
    if participant.access_point:
        attributes["NetworkAccessPointID"] = clean_xml(participant.access_point)
        attributes["NetworkAccessPointTypeCode"] = "2" if _ADDRESS.fullmatch(participant.access_point) else "1"
    element = SubElement(root, "ActiveParticipant", attributes)
    if participant.role is not None:
        _add_code(element, "RoleIDCode", participant.role.value)
    if participant.media is not None:
        _add_code(SubElement(element, "MediaIdentifier"), "MediaType", participant.media.value)


def _add_source(root: Element, source: AuditSource) -> None:
    attributes = {"AuditEnterpriseSiteID": clean_xml(source.site)} if source.site else {}
    element = SubElement(root, "AuditSourceIdentification", attributes | {"AuditSourceID": clean_xml(source.id)})
    SubElement(element, "AuditSourceTypeCode", {"csd-code": SOURCE_TYPE})


def _add_object(root: Element, each: ParticipantObject) -> None:
    attributes = {
        "ParticipantObjectID": clean_xml(each.id),
        "ParticipantObjectTypeCode": str(each.type.value),
        "ParticipantObjectTypeCodeRole": str(each.role.value),
    }
    element = SubElement(root, "ParticipantObjectIdentification", attributes)
    _add_code(element, "ParticipantObjectIDTypeCode", each.id_type.value)
    if each.query is None:
        SubElement(element, "ParticipantObjectName").text = clean_xml(each.name)
    else:
        SubElement(element, "ParticipantObjectQuery").text = b64encode(each.query).decode()
    for kind, value in each.details.items():
        pair = {"type": clean_xml(kind), "value": b64encode(value).decode()}
        SubElement(element, "ParticipantObjectDetail", pair)
    if each.mpps or each.accession_number or each.classes:
        _add_description(element, each)


def _add_description(element: Element, each: ParticipantObject) -> None:
    description = SubElement(element, "ParticipantObjectDescription")
    for uid in each.mpps:
        SubElement(description, "MPPS", {"UID": uid})
    if each.accession_number:
        SubElement(description, "Accession", {"Number": clean_xml(each.accession_number)})
    for uid, count in each.classes.items():
        SubElement(description, "SOPClass", {"UID": uid, "NumberOfInstances": str(count)})


def _add_code(parent: Element, name: str, code: AuditCode) -> None:
    attributes = {"csd-code": code.value, "codeSystemName": code.scheme, "originalText": code.meaning}
    SubElement(parent, name, attributes)
