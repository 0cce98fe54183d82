"""The codes of audit messages: PS3.16 CID 400 to 405, and the values that PS3.15 A.5.1.2 gives."""

from __future__ import annotations

from enum import Enum, IntEnum, StrEnum
from typing import Final, NamedTuple


class AuditCode(NamedTuple):
    """A coded value of an audit message; ``scheme`` is what it is a code of."""

    value: str
    meaning: str
    scheme: str = "DCM"


class EventKind(StrEnum):
    """What an audit message tells of, in a word for people; :data:`EVENT_IDS` has its code."""

    APPLICATION = "application"
    AUDIT_LOG = "audit-log"
    BEGIN_TRANSFER = "begin-transfer"
    ACCESS = "access"
    TRANSFER = "transfer"
    DELETE = "delete"
    EXPORT = "export"
    IMPORT = "import"
    ORDER = "order"
    PATIENT = "patient"
    PROCEDURE = "procedure"
    QUERY = "query"
    ALERT = "alert"
    AUTHENTICATION = "authentication"


EVENT_IDS: Final = {
    EventKind.APPLICATION: AuditCode("110100", "Application Activity"),
    EventKind.AUDIT_LOG: AuditCode("110101", "Audit Log Used"),
    EventKind.BEGIN_TRANSFER: AuditCode("110102", "Begin Transferring DICOM Instances"),
    EventKind.ACCESS: AuditCode("110103", "DICOM Instances Accessed"),
    EventKind.TRANSFER: AuditCode("110104", "DICOM Instances Transferred"),
    EventKind.DELETE: AuditCode("110105", "DICOM Study Deleted"),
    EventKind.EXPORT: AuditCode("110106", "Export"),
    EventKind.IMPORT: AuditCode("110107", "Import"),
    EventKind.ORDER: AuditCode("110109", "Order Record"),
    EventKind.PATIENT: AuditCode("110110", "Patient Record"),
    EventKind.PROCEDURE: AuditCode("110111", "Procedure Record"),
    EventKind.QUERY: AuditCode("110112", "Query"),
    EventKind.ALERT: AuditCode("110113", "Security Alert"),
    EventKind.AUTHENTICATION: AuditCode("110114", "User Authentication"),
}
"""CID 400; this device has no Network Entry (110108): it leaves no network but with its own stop."""


class EventType(Enum):
    """CID 401, 403: what happened within a kind of event."""

    APPLICATION_START = AuditCode("110120", "Application Start")
    APPLICATION_STOP = AuditCode("110121", "Application Stop")
    LOGIN = AuditCode("110122", "Login")
    LOGOUT = AuditCode("110123", "Logout")
    NODE_AUTHENTICATION = AuditCode("110126", "Node Authentication")
    EMERGENCY_OVERRIDE = AuditCode("110127", "Emergency Override Started")
    SECURITY_CONFIGURATION = AuditCode("110129", "Security Configuration")
    SOFTWARE_CONFIGURATION = AuditCode("110131", "Software Configuration")
    SECURITY_ROLES = AuditCode("110136", "Security Roles Changed")
    USER_SECURITY = AuditCode("110137", "User security Attributes Changed")


class ParticipantRole(Enum):
    """CID 402: what an active participant does."""

    APPLICATION = AuditCode("110150", "Application")
    LAUNCHER = AuditCode("110151", "Application Launcher")
    DESTINATION = AuditCode("110152", "Destination Role ID")
    SOURCE = AuditCode("110153", "Source Role ID")
    DESTINATION_MEDIA = AuditCode("110154", "Destination Media")
    SOURCE_MEDIA = AuditCode("110155", "Source Media")


class ExportMedia(Enum):
    """CID 405: on what instances leave or come."""

    FILM = AuditCode("110010", "Film")
    DVD = AuditCode("110033", "DVD")
    URI = AuditCode("110037", "URI")
    PAPER = AuditCode("110038", "Paper Document")


class ObjectIdType(Enum):
    """CID 404 and A.5.1.2.4: what identifies an object that an event is about."""

    PATIENT_NUMBER = AuditCode("2", "Patient Number", "RFC-3881")
    USER = AuditCode("11", "User Identifier", "RFC-3881")
    URI = AuditCode("12", "URI", "RFC-3881")
    STUDY = AuditCode("110180", "Study Instance UID")
    SOP_CLASS = AuditCode("110181", "SOP Class UID")
    NODE = AuditCode("110182", "Node ID")


class ObjectType(IntEnum):
    """A.5.1.1, ParticipantObjectTypeCode."""

    PERSON = 1
    SYSTEM = 2


class ObjectRole(IntEnum):
    """A.5.1.2.2, ParticipantObjectTypeCodeRole."""

    PATIENT = 1
    REPORT = 3
    SECURITY_USER = 11
    SECURITY_RESOURCE = 13
    QUERY = 24


class Outcome(IntEnum):
    """A.5.2, EventOutcomeIndicator."""

    SUCCESS = 0
    MINOR_FAILURE = 4
    SERIOUS_FAILURE = 8

    @property
    def word(self) -> str:
        """The outcome for people."""
        return {0: "done", 4: "in part", 8: "failed"}[self.value]


SOURCE_TYPE: Final = "2"
"""AuditSourceTypeCode of a data acquisition device (A.5.1.2.1)."""
