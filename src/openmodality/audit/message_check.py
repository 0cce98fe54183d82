"""Checks an audit message that was received: its XML, the schema of A.5.1, the participants of A.5.3.

For the virtual hospital's audit repository. What it says names elements and codes, never values: those are patients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from openmodality.audit.codes import (
    EVENT_IDS,
    EventKind,
    EventType,
    ObjectIdType,
    ParticipantRole,
)
from openmodality.value_class import dataclass

_CODE: Final = ("csd-code", "codeSystemName", "originalText")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_KINDS: Final = {code.value: kind for kind, code in EVENT_IDS.items()}


@dataclass(frozen=True, slots=True)
class _Shape:
    """An element: its attributes, those that must be there, and how often which child may come, in order."""

    required: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    children: tuple[tuple[str, int, int], ...] = ()


_MANY: Final = 1 << 30
_SHAPES: Final[Mapping[str, _Shape]] = {
    "AuditMessage": _Shape(children=(
        ("EventIdentification", 1, 1), ("ActiveParticipant", 1, _MANY), ("AuditSourceIdentification", 1, 1),
        ("ParticipantObjectIdentification", 0, _MANY),
    )),
    "EventIdentification": _Shape(
        ("EventDateTime", "EventOutcomeIndicator"), ("EventActionCode",),
        (("EventID", 1, 1), ("EventTypeCode", 0, _MANY), ("EventOutcomeDescription", 0, 1)),
    ),
    "ActiveParticipant": _Shape(
        ("UserID", "UserIsRequestor"),
        ("AlternativeUserID", "UserName", "NetworkAccessPointID", "NetworkAccessPointTypeCode"),
        (("RoleIDCode", 0, _MANY), ("MediaIdentifier", 0, 1)),
    ),
    "MediaIdentifier": _Shape(children=(("MediaType", 1, 1),)),
    "AuditSourceIdentification": _Shape(
        ("AuditSourceID",), ("AuditEnterpriseSiteID",), (("AuditSourceTypeCode", 0, _MANY),)
    ),
    "AuditSourceTypeCode": _Shape(("csd-code",), ("codeSystemName", "displayName", "originalText")),
    "ParticipantObjectIdentification": _Shape(
        ("ParticipantObjectID",),
        ("ParticipantObjectTypeCode", "ParticipantObjectTypeCodeRole", "ParticipantObjectDataLifeCycle",
         "ParticipantObjectSensitivity"),
        (("ParticipantObjectIDTypeCode", 1, 1), ("ParticipantObjectName", 0, 1), ("ParticipantObjectQuery", 0, 1),
         ("ParticipantObjectDetail", 0, _MANY), ("ParticipantObjectDescription", 0, _MANY)),
    ),
    "ParticipantObjectDetail": _Shape(("type", "value")),
    "ParticipantObjectDescription": _Shape(children=(
        ("MPPS", 0, _MANY), ("Accession", 0, _MANY), ("SOPClass", 0, _MANY),
        ("ParticipantObjectContainsStudy", 0, 1), ("Encrypted", 0, 1), ("Anonymized", 0, 1),
    )),
    "MPPS": _Shape(("UID",)),
    "Accession": _Shape(("Number",)),
    "SOPClass": _Shape(("NumberOfInstances",), ("UID",), (("Instance", 0, _MANY),)),
    "Instance": _Shape(("UID",)),
    "ParticipantObjectContainsStudy": _Shape(children=(("StudyIDs", 0, _MANY),)),
    "StudyIDs": _Shape(("UID",)),
    **dict.fromkeys(
        ("EventID", "EventTypeCode", "RoleIDCode", "MediaType", "ParticipantObjectIDTypeCode"),
        _Shape(_CODE, ("displayName",)),
    ),
    **dict.fromkeys(
        ("EventOutcomeDescription", "ParticipantObjectName", "ParticipantObjectQuery", "Encrypted", "Anonymized"),
        _Shape(),
    ),
}  # fmt: skip
"""The schema of A.5.1.1, element by element."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What A.5.3 requires of an event: its action codes, roles of participants, kinds of objects, its types."""

    actions: str
    roles: tuple[ParticipantRole, ...] = ()
    objects: tuple[ObjectIdType, ...] = ()
    types: tuple[EventType, ...] = ()


_STUDY_AND_PATIENT: Final = (ObjectIdType.STUDY, ObjectIdType.PATIENT_NUMBER)
_BOTH_ENDS: Final = (ParticipantRole.SOURCE, ParticipantRole.DESTINATION)
_RULES: Final = {
    EventKind.APPLICATION: _Rule(
        "E", (ParticipantRole.APPLICATION,), (), (EventType.APPLICATION_START, EventType.APPLICATION_STOP)
    ),
    EventKind.AUDIT_LOG: _Rule("R", (), (ObjectIdType.URI,)),
    EventKind.BEGIN_TRANSFER: _Rule("E", _BOTH_ENDS, _STUDY_AND_PATIENT),
    EventKind.ACCESS: _Rule("CRUD", (), _STUDY_AND_PATIENT),
    EventKind.TRANSFER: _Rule("CRU", _BOTH_ENDS, _STUDY_AND_PATIENT),
    EventKind.DELETE: _Rule("D", (), _STUDY_AND_PATIENT),
    EventKind.EXPORT: _Rule("R", (ParticipantRole.SOURCE, ParticipantRole.DESTINATION_MEDIA)),
    EventKind.IMPORT: _Rule("C", (ParticipantRole.DESTINATION, ParticipantRole.SOURCE_MEDIA)),
    EventKind.ORDER: _Rule("CRUD", (), (ObjectIdType.PATIENT_NUMBER,)),
    EventKind.PATIENT: _Rule("CRUD", (), (ObjectIdType.PATIENT_NUMBER,)),
    EventKind.PROCEDURE: _Rule("CRUD", (), (ObjectIdType.PATIENT_NUMBER,)),
    EventKind.QUERY: _Rule("E", _BOTH_ENDS, (ObjectIdType.SOP_CLASS,)),
    EventKind.ALERT: _Rule("E", (), (), tuple(EventType)[4:]),
    EventKind.AUTHENTICATION: _Rule("E", (), (), (EventType.LOGIN, EventType.LOGOUT)),
}


@dataclass(frozen=True, slots=True)
class CheckedMessage:
    """The kind of a message, and its faults."""

    kind: EventKind | None
    outcome: str
    faults: tuple[str, ...]


def check_audit_message(content: bytes) -> CheckedMessage:
    """Look hard at an audit message."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return CheckedMessage(None, "", ("it has a document type, which no audit message has",))
    try:
        root = fromstring(content)
    except (ParseError, ValueError):
        return CheckedMessage(None, "", ("it is no XML",))
    if root.tag != "AuditMessage":
        return CheckedMessage(None, "", ("its root is no AuditMessage",))
    event = root.find("EventIdentification")
    kind = _KINDS.get(_find_code(event, "EventID"))
    outcome = "" if event is None else event.get("EventOutcomeIndicator", "")
    faults = [*_check_shape(root), *_check_values(root), *([] if event is None else _check_rule(root, event, kind))]
    return CheckedMessage(kind, outcome, tuple(dict.fromkeys(faults)))


def _check_shape(element: Element) -> Iterator[str]:
    shape = _SHAPES.get(element.tag)
    if shape is None:
        yield f"{element.tag} is no element of an audit message"
        return
    for name in shape.required:
        if name not in element.attrib:
            yield f"{element.tag} has no {name}"
    if any(name not in (*shape.required, *shape.allowed) for name in element.attrib):
        yield f"{element.tag} has an attribute that the schema does not have"
    order = [name for name, _, _ in shape.children]
    places = [order.index(child.tag) if child.tag in order else -1 for child in element]
    if -1 in places:
        yield f"{element.tag} holds an element that the schema does not have"
    elif places != sorted(places):
        yield f"the elements of {element.tag} are in another order"
    for name, fewest, most in shape.children:
        if not fewest <= len(element.findall(name)) <= most:
            yield f"{element.tag} has {len(element.findall(name))} {name}"
    for child in element:
        yield from _check_shape(child)


def _check_values(root: Element) -> Iterator[str]:
    event = root.find("EventIdentification")
    if event is not None and not _MOMENT.fullmatch(event.get("EventDateTime", "")):
        yield "EventDateTime is no date and time with a zone"
    if event is not None and event.get("EventOutcomeIndicator") not in ("0", "4", "8", "12"):
        yield "EventOutcomeIndicator is not one of 0, 4, 8, 12"
    for participant in root.findall("ActiveParticipant"):
        if participant.get("UserIsRequestor") not in ("true", "false", "1", "0"):
            yield "UserIsRequestor is neither true nor false"
        if "NetworkAccessPointID" in participant.attrib and "NetworkAccessPointTypeCode" not in participant.attrib:
            yield "NetworkAccessPointID without NetworkAccessPointTypeCode"
    for each in root.findall("ParticipantObjectIdentification"):
        if (each.find("ParticipantObjectName") is None) == (each.find("ParticipantObjectQuery") is None):
            yield "ParticipantObjectIdentification needs one of name and query"


def _check_rule(root: Element, event: Element, kind: EventKind | None) -> Iterator[str]:
    if kind is None:
        yield "EventID is not one that a modality sends (CID 400)"
        return
    rule, name = _RULES[kind], EVENT_IDS[kind].meaning
    if event.get("EventActionCode", "") not in tuple(rule.actions):
        yield f"{name}: EventActionCode is not one of {', '.join(rule.actions)}"
    if rule.types and _find_code(event, "EventTypeCode") not in {each.value.value for each in rule.types}:
        yield f"{name}: EventTypeCode is not one of CID 401 and 403 for it"
    roles = {_find_code(each, "RoleIDCode") for each in root.findall("ActiveParticipant")}
    objects = {
        _find_code(each, "ParticipantObjectIDTypeCode") for each in root.findall("ParticipantObjectIdentification")
    }
    yield from (
        f"{name}: no participant is {role.value.meaning}" for role in rule.roles if role.value.value not in roles
    )
    yield from (f"{name}: no {each.value.meaning}" for each in rule.objects if each.value.value not in objects)


def _find_code(parent: Element | None, name: str) -> str:
    found = None if parent is None else parent.find(name)
    return "" if found is None else found.get("csd-code", "")
