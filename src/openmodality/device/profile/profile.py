"""What a device is: the values that a profile folder holds, checked and frozen.

A profile is data only. It drives the behaviour and also prints the conformance statement, so each class here is one
kind of row of such a statement. ``openmodality.device.profile.loader`` reads them; ``docs/your-own-device.md``
describes the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydicom.uid import UID

from openmodality.device.paths import TagPath
from openmodality.device.profile.parameters import Parameter
from openmodality.dimse.status import StatusCategory
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import is_image
from openmodality.standard.statuses import Effect, ServiceName
from openmodality.upper_layer.rejections import Rejections
from openmodality.value_class import dataclass

FailureKind: TypeAlias = Literal["timeout", "aborted"]
QueryRoot: TypeAlias = Literal["PATIENT", "STUDY"]
KeyType: TypeAlias = Literal["U", "R", "O"]
ModuleUsage: TypeAlias = Literal["M", "C", "U", "C/U"]
ModulePresence: TypeAlias = Literal["ALWAYS", "ANAP", "EMPTY"]
ServiceRole: TypeAlias = Literal["SCU", "SCP"]
ValueRule: TypeAlias = Literal["", "fixed", "enumerated", "defined", "range"]
ValueSource: TypeAlias = Literal["MWL", "USER", "AUTO", "CONFIG", "ACQ"]
Requirement: TypeAlias = Literal["1", "1C", "2", "2C", "3", "ALWAYS", "VNAP", "ANAP", "EMPTY", ""]


@dataclass(frozen=True, slots=True)
class ApplicationEntity:
    """A local AE: the title it uses and, where it listens, its port.

    ``statement_port`` is the port that the conformance statement names where the profile's default is another one,
    because ports below 1024 need privileges.
    """

    role: str
    ae_title: str
    port: int | None = None
    statement_port: int | None = None


@dataclass(frozen=True, slots=True)
class InformationObject:
    """A kind of instance that the device creates or keeps: ``MR Image``, with the SOP class it is an instance of."""

    name: str
    sop_class_uid: UID
    modality: str

    @property
    def is_image(self) -> bool:
        """Whether instances have pixels."""
        return is_image(self.sop_class_uid)


@dataclass(frozen=True, slots=True)
class PresentationContextEntry:
    """An abstract syntax that an AE of this device proposes as requestor or accepts as acceptor (PS3.8 9.3.2.2).

    ``enabled_by`` names switches among the parameters, such as ``kits.mpps``; one of them must be on, none means
    always.
    """

    ae: str
    service: ServiceName
    accepted: bool
    role: ServiceRole
    sop_class_uid: UID
    transfer_syntaxes: tuple[UID, ...]
    role_selection: bool
    enabled_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorklistKey:
    """An attribute of the worklist request identifier (PS3.4 Table K.6-1).

    ``matching`` holds S (single value), L (list of UID), W (wild card), R (range), U (universal: asked for, not
    matched). Each is asked for; ``displayed`` as the statement marks it.
    """

    path: TagPath
    keyword: str
    vr: str
    matching: tuple[str, ...]
    required: bool
    displayed: bool
    configurable: bool


@dataclass(frozen=True, slots=True)
class QueryKey:
    """A key of a Query/Retrieve level (PS3.4 C.6); ``type`` is U (unique), R (required) or O (optional)."""

    role: ServiceRole
    model: QueryRoot
    level: Level
    path: TagPath
    type: KeyType


@dataclass(frozen=True, slots=True)
class MppsAttribute:
    """An attribute of a Modality Performed Procedure Step (PS3.4 Table F.7.2-1).

    ``n_create`` and ``n_set`` say whether it is sent: a type, ``EMPTY`` (sent without value), or empty for never.
    ``final`` is what holds once the step is COMPLETED or DISCONTINUED. ``value`` is a fixed value.
    """

    path: TagPath
    keyword: str
    vr: str
    n_create: Requirement
    n_set: Requirement
    final: Requirement
    sources: tuple[ValueSource, ...]
    value: str
    condition: str


@dataclass(frozen=True, slots=True)
class ModuleUse:
    """A module of an object: M (mandatory), C (conditional), U (user option), and whether this device writes it.

    ``presence`` is ALWAYS, ANAP (when there is something to say) or EMPTY (never).
    """

    object: str
    ie: str
    module: str
    usage: ModuleUsage
    presence: ModulePresence
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRule:
    """What an object of this device holds at ``path``: the unit of the module tables of PS3.3.

    ``requirement`` is a type (1, 1C, 2, 2C, 3) or a presence (ALWAYS; VNAP: empty when there is no value; ANAP:
    absent when there is no value; EMPTY). ``values`` are the fixed value (one), the enumerated values, the defined
    terms, or the least and the greatest of a range, by ``value_rule``. In a functional group module, ``path`` starts at
    the functional group's sequence.
    """

    object: str = ""
    ie: str = ""
    module: str = ""
    usage: str = "M"
    path: TagPath
    keyword: str
    vr: str
    requirement: Requirement
    sources: tuple[ValueSource, ...] = ()
    value_rule: ValueRule = ""
    values: tuple[str, ...] = ()
    example: str = ""
    condition: str = ""


@dataclass(frozen=True, slots=True)
class PrintAttribute:
    """An attribute that a print request carries or asks for; ``rule`` says when and with which values (PS3.4 H.4)."""

    sop_class: str
    operation: str
    rule: AttributeRule


@dataclass(frozen=True, slots=True)
class MappingRule:
    """Where a worklist attribute goes in images and in the MPPS (R/F Table 8.1-29); None where it does not go."""

    worklist: TagPath
    image: TagPath | None
    mpps: TagPath | None


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What a DIMSE status, or an event type, that a peer sends means (PS3.7 Annex C and the service's annex of PS3.4).

    ``code`` is four hexadecimal digits with ``x`` for any, or ``*`` for any other. ``success_if`` names the switch that
    turns the effect into ``succeed``.
    """

    service: ServiceName
    operation: str
    code: str
    category: StatusCategory
    meaning: str
    transient: bool
    abort: bool
    effect: Effect
    success_if: str


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """A status that the device itself answers an operation with, and when: for the conformance statement.

    The services answer; a test holds this table to them.
    """

    service: ServiceName
    operation: str
    code: str
    category: StatusCategory
    meaning: str


@dataclass(frozen=True, slots=True)
class BeyondStatement:
    """Something that the device does and its conformance statement does not have, with the decision on it.

    ``enabled_by`` is a switch among the parameters or an extension of the site file (``extensions.c_get``); empty:
    always. ``concerns`` are rows of the statement's tables that are more, or others, for it: ``table:row``, where
    ``*`` stands for any characters.
    """

    name: str
    meaning: str
    decision: str
    enabled_by: str
    concerns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """A cipher suite of TLS by its OpenSSL name and that of its RFC; the order of the table is that of preference.

    ``group`` is the secure transport connection profile, or what else it is for (PS3.15 Annex B). ``is_legacy``: used
    only where the site has ``tls.allow_legacy_tls``.
    """

    name: str
    standard_name: str
    group: str
    is_legacy: bool


@dataclass(frozen=True, slots=True)
class FailureRule:
    """What a communication failure means to a job: a time-out, or an association lost to the peer or the network.

    ``transient``: the same job may succeed later. The association is over: with A-ABORT where it still stands.
    """

    service: ServiceName
    failure: FailureKind
    transient: bool


@dataclass(frozen=True, slots=True)
class CharacterSetEntry:
    """A defined term of (0008,0005) Specific Character Set that the device supports.

    ``code_extensions``: it may stand beside other terms (PS3.3 C.12.1.1.2).
    """

    term: str
    code_extensions: bool


@dataclass(frozen=True, slots=True)
class BodyPart:
    """A term of (0018,0015) Body Part Examined; one that is not ``offered`` is accepted, but not shown for choice."""

    term: str
    offered: bool


@dataclass(frozen=True, slots=True)
class PrivateAttribute:
    """A private data element: ``creator``, group and the low byte of its element number (PS3.5 7.8.1).

    ``mirrors`` is the path of the standard attribute whose value it repeats; empty where it repeats none.
    """

    creator: str
    group: int
    offset: int
    vr: str
    name: str
    mirrors: TagPath = ()


@dataclass(frozen=True, slots=True)
class MediaUse:
    """A media storage application profile (PS3.11) and what the device does under it.

    Several lines of one ``profile`` add up. ``activities``: create, update, query, retrieve. ``enabled_by`` is a switch
    that the line depends on; empty: always.
    """

    profile: str
    capacity_mb: int
    activities: tuple[str, ...]
    sop_classes: tuple[UID, ...]
    enabled_by: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A device. Lookups that need more than a field are methods."""

    name: str
    title: str
    statement: str
    application: str
    modalities: tuple[str, ...]
    implementation_class_uid: str
    implementation_version_name: str
    equipment_examples: Mapping[str, str]
    character_sets: tuple[tuple[str, ...], ...]
    acceptor_transfer_syntaxes: tuple[UID, ...]
    application_entities: tuple[ApplicationEntity, ...]
    objects: tuple[InformationObject, ...]
    parameters: Mapping[str, Parameter]
    setting_sections: Mapping[str, str]
    presentation_contexts: tuple[PresentationContextEntry, ...]
    worklist_keys: tuple[WorklistKey, ...]
    query_keys: tuple[QueryKey, ...]
    mpps_attributes: tuple[MppsAttribute, ...]
    module_uses: tuple[ModuleUse, ...]
    attribute_rules: tuple[AttributeRule, ...]
    mapping: tuple[MappingRule, ...]
    statuses: tuple[StatusRule, ...]
    failures: tuple[FailureRule, ...]
    answers: tuple[AnswerRule, ...]
    beyond_statement: tuple[BeyondStatement, ...]
    rejections: Rejections
    charsets: tuple[CharacterSetEntry, ...]
    charset_attributes: tuple[TagPath, ...]
    body_parts: tuple[BodyPart, ...]
    private_attributes: tuple[PrivateAttribute, ...]
    media: tuple[MediaUse, ...]
    print_attributes: tuple[PrintAttribute, ...]
    cipher_suites: tuple[CipherSuite, ...]

    def makes(self, name: str) -> bool:
        """Whether the device makes the object of this name."""
        return any(item.name == name for item in self.objects)

    def find_object(self, name: str) -> InformationObject:
        """The object of this name. Raises :class:`KeyError` where the device has none."""
        return {item.name: item for item in self.objects}[name]

    def rules_of(self, object_name: str) -> tuple[AttributeRule, ...]:
        """The attribute rules of an object in the order of its modules, without those of modules it never writes."""
        return tuple(rule for rule in self.attribute_rules if rule.object == object_name)

    def statuses_of(self, service: ServiceName, operation: str) -> dict[str, StatusRule]:
        """The rules for the statuses of an operation, by their codes; empty where the profile says nothing."""
        return {rule.code: rule for rule in self.statuses if (rule.service, rule.operation) == (service, operation)}
