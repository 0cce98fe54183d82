"""The conformance statement of a device as values: what a peer may know of it, in the terms of DICOM.

:func:`openmodality.conformance.statement.make_statement` makes one of a profile and a site. The fields of these classes
are the members of its JSON (``docs/conformance.schema.json``); paths are tags joined by ``>``
(``0040,0100>0040,0009``).
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from openmodality.conformance.model_security import StatedSecurity
from openmodality.value_class import value_class

STATEMENT_VERSION: Final = 1
"""Rises where a member of the JSON goes away or changes its meaning; a new member does not raise it.

It stays 1 as long as no version of OpenModality is released: nobody keeps statements of before.
"""

RoleName: TypeAlias = Literal["SCU", "SCP"]


@value_class
class StatedDevice:
    """Who the device is. ``follows`` is the conformance statement after which its profile was made."""

    profile: str
    title: str
    follows: str
    application: str
    modalities: tuple[str, ...]
    manufacturer: str
    model: str
    serial_number: str
    software_versions: tuple[str, ...]
    station_name: str
    institution_name: str
    institution_address: str
    department: str
    description: str
    implementation_class_uid: str
    implementation_version_name: str


@value_class
class StatedApplicationEntity:
    """A local AE; one without ``port`` does not listen.

    ``statement_port`` is the port of the statement that is followed, where the default is another one.
    """

    role: str
    ae_title: str
    port: int | None
    statement_port: int | None
    is_tls: bool
    services: tuple[str, ...]
    most_initiated: int | None
    most_accepted: int | None


@value_class
class StatedPeerContext:
    """A SOP class that is proposed to one peer, or accepted from it; ``transfer_syntaxes`` as in those of the AEs."""

    ae: str
    service: str
    direction: Literal["proposed", "accepted"]
    sop_class: str
    sop_class_uid: str
    transfer_syntaxes: tuple[str, ...]


@value_class
class StatedRemoteEntity:
    """A peer of the site file: what the device asks from it, and what it may ask from the device.

    ``contexts`` are those of the AEs as far as its services, ``sop_classes`` and ``transfer_syntaxes`` leave them.
    """

    name: str
    ae_title: str
    host: str
    port: int
    is_tls: bool
    asked: tuple[str, ...]
    may_ask: tuple[str, ...]
    contexts: tuple[StatedPeerContext, ...]


@value_class
class StatedTransferSyntax:
    """A transfer syntax by UID and name, with the roles in which the device has it."""

    uid: str
    name: str
    proposed: bool
    accepted: bool
    on_media: bool


@value_class
class StatedSopClass:
    """A SOP class of the device, with the roles in which it has it: network (SCU, SCP) and media (FSC, FSU, FSR)."""

    uid: str
    name: str
    service: str
    scu: bool
    scp: bool
    media: tuple[str, ...]
    creates: bool


@value_class
class StatedPresentationContext:
    """An abstract syntax with its transfer syntaxes, as an AE proposes or accepts it.

    ``transfer_syntaxes`` are in the order of preference. ``enabled_by`` names switches; ``is_enabled`` says whether one
    of them is on here. ``goes_beyond`` names what the statement that is followed does not have.
    """

    ae: str
    service: str
    direction: Literal["proposed", "accepted"]
    role: RoleName
    sop_class: str
    sop_class_uid: str
    transfer_syntaxes: tuple[str, ...]
    negotiates_role: bool
    enabled_by: tuple[str, ...]
    is_enabled: bool
    goes_beyond: str


@value_class
class StatedAssociationPolicy:
    """What holds for every association: PDU sizes in bytes, times in seconds, and what is not negotiated."""

    application_context: str
    max_pdu_receive_bytes: int
    max_pdu_send_bytes: int
    association_timeout_s: int
    release_timeout_s: int
    connect_timeout_s: int
    dimse_timeout_s: int
    network_timeout_s: int
    operations_at_once: int
    extended_negotiation: tuple[str, ...]


@value_class
class StatedWorklistKey:
    """A key of the worklist request; ``images`` and ``performed_step`` are where its value goes, in keywords."""

    path: str
    keyword: str
    vr: str
    matching: tuple[str, ...]
    required: bool
    displayed: bool
    configurable: bool
    images: tuple[str, ...]
    performed_step: tuple[str, ...]


@value_class
class StatedQueryKey:
    """A key of a query level: type U (unique), R (required) or O (optional)."""

    role: RoleName
    model: str
    level: str
    path: str
    keyword: str
    vr: str
    type: str


@value_class
class StatedStepAttribute:
    """An attribute of the performed procedure step: its type in N-CREATE and N-SET, empty where it is not sent."""

    path: str
    keyword: str
    vr: str
    n_create: str
    n_set: str
    final: str
    sources: tuple[str, ...]
    value: str
    condition: str


@value_class
class StatedPrintAttribute:
    """An attribute of a print request, or of what a printer says."""

    sop_class: str
    operation: str
    path: str
    keyword: str
    vr: str
    presence: str
    sources: tuple[str, ...]
    value_rule: str
    values: tuple[str, ...]


@value_class
class StatedStatus:
    """A status that a peer sends, and what follows here.

    ``success_if`` is the switch that would make it a success.
    """

    service: str
    operation: str
    code: str
    category: str
    meaning: str
    effect: str
    is_transient: bool
    aborts: bool
    success_if: str


@value_class
class StatedAnswer:
    """A status that the device answers with."""

    service: str
    operation: str
    code: str
    category: str
    meaning: str


@value_class
class StatedFailure:
    """What a failure of communication does. ``ends``: the job, which may be retried, or the operation."""

    service: str
    failure: str
    aborts: bool
    ends: Literal["job", "operation"]
    is_transient: bool


@value_class
class StatedRejection:
    """How an association is rejected in a situation (PS3.8 Table 9-21)."""

    situation: str
    result: int
    source: int
    reason: int
    result_name: str
    source_name: str
    reason_name: str


@value_class
class StatedParameter:
    """A parameter of the device with its range, its default, and the value that is in force."""

    key: str
    meaning: str
    kind: str
    minimum: float | None
    maximum: float | None
    default: str
    value: str
    unit: str
    configurable: bool
    choices: tuple[str, ...]
    special: str


@value_class
class StatedSetting:
    """A setting of the site file that every device has."""

    key: str
    meaning: str
    default: str
    allowed: str


@value_class
class StatedMapping:
    """Where an attribute of the worklist goes, as keywords; empty where it does not go."""

    worklist: str
    image: str
    performed_step: str


@value_class
class StatedModuleUse:
    """A module of an object: usage M, C or U; presence ALWAYS, ANAP or EMPTY."""

    ie: str
    module: str
    usage: str
    presence: str
    condition: str


@value_class
class StatedInformationObject:
    """A kind of instance that the device makes, with its modules in their order."""

    name: str
    sop_class_uid: str
    modality: str
    modules: tuple[StatedModuleUse, ...]


@value_class
class StatedModuleAttribute:
    """An attribute of a module, in the named objects: its type or presence, where its value comes from, its values."""

    objects: tuple[str, ...]
    path: str
    keyword: str
    vr: str
    presence: str
    sources: tuple[str, ...]
    value_rule: str
    values: tuple[str, ...]
    condition: str


@value_class
class StatedModule:
    """A module with its attributes."""

    name: str
    attributes: tuple[StatedModuleAttribute, ...]


@value_class
class StatedPrivateAttribute:
    """A private attribute, in the block 10 of its group; ``mirrors`` is the attribute whose value it repeats."""

    creator: str
    tag: str
    vr: str
    name: str
    mirrors: str


@value_class
class StatedReportItem:
    """A content item of the dose report. ``presence`` is ALWAYS, or ANAP where something has to be known for it."""

    depth: int
    relationship: str
    value_type: str
    concept_code: str
    concept_scheme: str
    concept_meaning: str
    value_code: str
    value_scheme: str
    value_meaning: str
    units: str
    template: str
    presence: str
    path: tuple[str, ...]


@value_class
class StatedCharacterSets:
    """Terms of Specific Character Set (0008,0005): all that are supported, and those of new objects in their order.

    ``attributes`` are the paths of those in which more than the default repertoire is used; empty: all.
    """

    supported: tuple[StatedCharacterSet, ...]
    written: tuple[str, ...]
    attributes: tuple[StatedTextAttribute, ...]


@value_class
class StatedCharacterSet:
    """A defined term; ``code_extensions``: it may stand beside others."""

    term: str
    code_extensions: bool


@value_class
class StatedTextAttribute:
    """An attribute with text, by its path."""

    path: str
    keyword: str
    vr: str


@value_class
class StatedBodyPart:
    """A term of Body Part Examined (0018,0015); one that is not ``offered`` is taken, and not shown for choice."""

    term: str
    offered: bool


@value_class
class StatedMediaUse:
    """What the device does under an application profile (PS3.11): FSC writes, FSU adds, FSR reads."""

    profile: str
    activity: str
    role: str
    capacity_mb: int
    sop_classes: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    is_enabled: bool


@value_class
class StatedBeyond:
    """What goes beyond the statement that is followed, and the decision on it."""

    name: str
    meaning: str
    decision: str
    enabled_by: str
    is_enabled: bool
    concerns: tuple[str, ...]


@value_class
class ConformanceStatement:
    """The whole statement."""

    device: StatedDevice
    application_entities: tuple[StatedApplicationEntity, ...]
    remote_entities: tuple[StatedRemoteEntity, ...]
    sop_classes: tuple[StatedSopClass, ...]
    transfer_syntaxes: tuple[StatedTransferSyntax, ...]
    presentation_contexts: tuple[StatedPresentationContext, ...]
    association: StatedAssociationPolicy
    worklist_keys: tuple[StatedWorklistKey, ...]
    query_keys: tuple[StatedQueryKey, ...]
    performed_step: tuple[StatedStepAttribute, ...]
    print_attributes: tuple[StatedPrintAttribute, ...]
    statuses: tuple[StatedStatus, ...]
    answers: tuple[StatedAnswer, ...]
    failures: tuple[StatedFailure, ...]
    rejections: tuple[StatedRejection, ...]
    parameters: tuple[StatedParameter, ...]
    settings: tuple[StatedSetting, ...]
    mapping: tuple[StatedMapping, ...]
    objects: tuple[StatedInformationObject, ...]
    modules: tuple[StatedModule, ...]
    private_attributes: tuple[StatedPrivateAttribute, ...]
    dose_report: tuple[StatedReportItem, ...]
    character_sets: StatedCharacterSets
    body_parts: tuple[StatedBodyPart, ...]
    media: tuple[StatedMediaUse, ...]
    security: StatedSecurity
    beyond_statement: tuple[StatedBeyond, ...]
