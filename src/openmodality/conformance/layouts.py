"""The orders in which a statement is printed: PS3.2 Annex N, and those of the two statements that profiles follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from openmodality.conformance import prose, tables
from openmodality.conformance.annex_sections import (
    make_character_sets,
    make_configuration,
    make_modules_of,
    make_objects,
    make_other_modules,
    make_private,
)
from openmodality.conformance.document import Document, Section
from openmodality.conformance.evidence import Evidence
from openmodality.conformance.evidence_sections import cite_evidence
from openmodality.conformance.model import ConformanceStatement
from openmodality.conformance.service_sections import list_services, make_acceptor, make_requestor, make_service

SectionOrder = Callable[[ConformanceStatement], tuple[Section, ...]]


def arrange_document(
    statement: ConformanceStatement, layout: str = "annex-n", evidence: Evidence | None = None
) -> Document:
    """The document of a statement in a layout, one of :data:`LAYOUTS`, with the evidence for its sentences if given."""
    device = statement.device
    cover = (
        ("Device", f"{device.manufacturer} {device.model}".strip()),
        ("Profile", f"{device.profile}: {device.title}"),
        ("Follows", device.follows),
        ("Software", ", ".join(device.software_versions)),
        ("Implementation Class UID", device.implementation_class_uid),
        ("Implementation Version Name", device.implementation_version_name),
    )
    document = Document(f"DICOM Conformance Statement: {device.title}", cover, LAYOUTS[layout](statement))
    return cite_evidence(document, evidence)


def list_annex_n(statement: ConformanceStatement) -> tuple[Section, ...]:
    """In the order of PS3.2 Annex N."""
    return (
        Section("Overview", (prose.ABOUT_STATEMENT, prose.ABOUT_MODEL, tables.tabulate_beyond(statement))),
        Section(
            "Supported services",
            (tables.tabulate_services(statement), tables.tabulate_transfer_syntaxes(statement),
             tables.tabulate_media(statement)),
        ),
        Section("Introduction", (prose.ABOUT_READERS, prose.ABOUT_TERMS)),
        make_model(statement),
        Section(
            "Services",
            sections=(
                make_policies(statement),
                *(make_service(statement, each) for each in list_services(statement)),
            ),
        ),
        make_media(statement),
        Section("Network interfaces", (prose.ABOUT_NETWORK,)),
        make_configuration(statement),
        make_security(statement),
        make_character_sets(statement),
        make_objects(statement),
    )  # fmt: skip


def make_model(statement: ConformanceStatement) -> Section:
    """The implementation model."""
    return Section(
        "Implementation model",
        sections=(
            Section("Application entities", (prose.ABOUT_MODEL, tables.tabulate_entities(statement))),
            Section("Sequence of activities", (prose.ABOUT_SEQUENCE,)),
        ),
        areas=("implementation-model",),
    )


def make_policies(statement: ConformanceStatement, title: str = "Association policies") -> Section:
    """What holds for every association."""
    blocks = (prose.ABOUT_ASSOCIATIONS, tables.tabulate_association(statement), tables.tabulate_rejections(statement))
    return Section(title, blocks, areas=("association",))


def make_media(statement: ConformanceStatement) -> Section:
    """Media interchange."""
    return Section("Media interchange", (prose.ABOUT_MEDIA, tables.tabulate_media(statement)), areas=("media",))


def make_security(statement: ConformanceStatement) -> Section:
    """Security."""
    blocks = (prose.ABOUT_SECURITY, tables.tabulate_security(statement), tables.tabulate_suites(statement))
    return Section("Security", blocks, areas=("security",))


def list_mr(statement: ConformanceStatement) -> tuple[Section, ...]:
    """In the order of the MR statement: one AE, so the services stand under it by who opens the association."""
    return (
        Section(
            "Introduction",
            (prose.ABOUT_STATEMENT, prose.ABOUT_READERS, prose.ABOUT_TERMS, tables.tabulate_services(statement),
             tables.tabulate_transfer_syntaxes(statement), tables.tabulate_beyond(statement)),
        ),
        make_model(statement),
        _make_image_transfer(statement),
        *(
            Section(
                tables.SERVICE_TITLES[each],
                sections=_drop_missing([make_requestor(statement, each, has_contents=each == "print")]),
            )
            for each in ("print", "worklist", "mpps")
        ),
        make_media(statement),
        Section("Communication profiles", (prose.ABOUT_NETWORK,)),
        Section(
            "Extensions, specializations and private parts",
            (prose.ABOUT_PRIVATE_SYNTAXES, prose.ABOUT_RECEIVED, tables.tabulate_body_parts(statement)),
        ),
        make_security(statement),
        make_configuration(statement),
        make_character_sets(statement),
        Section(
            "Annex A: objects",
            sections=(
                make_other_modules(statement),
                *(make_modules_of(statement, each) for each in statement.objects),
                make_private(statement),
                *_list_reports(statement),
            ),
        ),
        Section("Annex B: worklist", (tables.tabulate_worklist_keys(statement), tables.tabulate_mapping(statement))),
        Section("Annex C: performed procedure step", (tables.tabulate_step(statement),)),
    )  # fmt: skip


def _make_image_transfer(statement: ConformanceStatement) -> Section:
    asked = ("query", "retrieve", "storage", "storage_commitment", "verification")
    answered = ("verification", "query", "retrieve", "storage", "storage_commitment")
    initiated = _drop_missing([make_requestor(statement, each) for each in asked])
    accepted = _drop_missing([make_acceptor(statement, each) for each in answered])
    return Section(
        "Image transfer",
        sections=(
            make_policies(statement, "Association establishment policies"),
            Section("Association initiation by activity", sections=initiated),
            Section("Association acceptance by activity", sections=accepted),
        ),
    )


def _list_reports(statement: ConformanceStatement) -> list[Section]:
    return [Section("Dose report", (tables.tabulate_report(statement),))] if statement.dose_report else []


_RF_ENTITIES: Final = (
    ("Storage SCU AE", ("storage",), "proposed"),
    ("Storage Commitment SCU AE", ("storage_commitment",), ""),
    ("MWM SCU AE", ("worklist",), ""),
    ("MPPS SCU AE", ("mpps",), ""),
    ("Query/Retrieve SCU AE", ("query", "retrieve"), "proposed"),
    ("Storage SCP AE", ("storage",), "accepted"),
    ("Query/Retrieve SCP AE", ("query", "retrieve"), "accepted"),
    ("Print SCU AE", ("print",), ""),
    ("Verification SCU AE", ("verification",), ""),
)
"""The AEs in the order of the R/F statement: title, services, and one direction where another AE has the other."""


def list_rf(statement: ConformanceStatement) -> tuple[Section, ...]:
    """In the order of the R/F statement: an AE for each service."""
    return (
        Section(
            "Overview",
            (prose.ABOUT_STATEMENT, tables.tabulate_services(statement), tables.tabulate_media(statement),
             tables.tabulate_beyond(statement)),
        ),
        Section("Transfer syntaxes", (tables.tabulate_transfer_syntaxes(statement),)),
        Section("Introduction", (prose.ABOUT_READERS, prose.ABOUT_TERMS)),
        Section(
            "Networking",
            sections=(
                make_model(statement),
                Section("AE specifications", sections=(make_policies(statement), *_list_rf_entities(statement))),
                Section("Network interfaces", (prose.ABOUT_NETWORK,)),
                make_configuration(statement),
            ),
        ),
        make_media(statement),
        make_character_sets(statement),
        make_security(statement),
        make_objects(statement, "Annexes"),
    )  # fmt: skip


def _list_rf_entities(statement: ConformanceStatement) -> tuple[Section, ...]:
    found = []
    for title, services, direction in _RF_ENTITIES:
        parts = []
        for service in services:
            parts += [make_requestor(statement, service)] if direction != "accepted" else []
            parts += [make_acceptor(statement, service)] if direction != "proposed" else []
        if sections := _drop_missing(parts):
            found.append(Section(title, sections=sections))
    return tuple(found)


def _drop_missing(sections: list[Section | None]) -> tuple[Section, ...]:
    return tuple(each for each in sections if each is not None)


LAYOUTS: Final[Mapping[str, SectionOrder]] = {"annex-n": list_annex_n, "mr": list_mr, "rf": list_rf}
"""The layouts by the names that the command line gives them."""
