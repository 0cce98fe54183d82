"""What the statement of a device says follows from its profile and its site file, and from nothing else."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from openmodality.app.conformance import DeviceStatement
from openmodality.conformance.layouts import arrange_document
from openmodality.conformance.markdown import write_markdown
from openmodality.conformance.model import ConformanceStatement
from openmodality.conformance.statement import make_statement
from openmodality.device.site.site_loader import load_site
from openmodality.query import finding, moving
from openmodality.services import commitment, query_retrieve, storage
from openmodality.standard.dimse import OUT_OF_RESOURCES, Status
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from tests.statements import make_profile_statement

SITE = """
profile = "rf"
extensions = ["c_get"]
[device]
manufacturer = "Maker"
implementation_class_uid = "1.2.3"
[application_entities.storage_scp]
ae_title = "ROOM1"
port = 4242
[parameters.general]
max_pdu_receive_bytes = 16384
[parameters.kits]
mpps = false
mwm = false
[parameters.behaviour]
store_warnings_are_success = false
rdsr_units = "statement"
[peers.pacs]
ae_title = "PACS"
host = "pacs.example"
port = 104
services = ["storage", "query_retrieve"]
sop_classes = ["1.2.840.10008.5.1.4.1.1.12.2", "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.2"]
transfer_syntaxes = ["ImplicitVRLittleEndian"]
"""


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory) -> ConformanceStatement:
    folder = tmp_path_factory.mktemp("site")
    (folder / "site.toml").write_text(SITE, encoding="utf-8")
    return make_statement(load_site(folder))


def test_the_site_shows_in_the_statement(stated: ConformanceStatement) -> None:
    assert (stated.device.manufacturer, stated.device.implementation_class_uid) == ("Maker", "1.2.3")
    (scp,) = (each for each in stated.application_entities if each.role == "storage_scp")
    assert (scp.ae_title, scp.port, scp.statement_port, scp.most_accepted) == ("ROOM1", 4242, 105, 1)
    (peer,) = stated.remote_entities
    assert (peer.ae_title, peer.asked, peer.may_ask) == (
        "PACS",
        ("query_retrieve", "storage"),
        ("storage", "verification"),
    )
    assert stated.association.max_pdu_receive_bytes == 16384
    (pdu,) = (each for each in stated.parameters if each.key == "general.max_pdu_receive_bytes")
    assert (pdu.default, pdu.value) == ("32768", "16384")


def test_what_one_peer_negotiates_is_told(stated: ConformanceStatement) -> None:
    (peer,) = stated.remote_entities
    implicit = (IMPLICIT_VR_LITTLE_ENDIAN,)
    assert [(each.ae, each.direction, each.service, each.transfer_syntaxes) for each in peer.contexts] == [
        ("storage", "proposed", "storage", implicit),
        ("storage_commitment", "accepted", "verification", (EXPLICIT_VR_LITTLE_ENDIAN, *implicit)),
        ("query_retrieve", "proposed", "query", implicit),
        ("query_retrieve", "proposed", "retrieve", implicit),
        ("storage_scp", "accepted", "verification", implicit),
        ("storage_scp", "accepted", "storage", implicit),
    ]
    assert "Presentation contexts by peer**\n\n| peer |" in write_markdown(arrange_document(stated))


def test_what_is_switched_off_is_off(stated: ConformanceStatement) -> None:
    enabled = {each.service: each.is_enabled for each in stated.presentation_contexts}
    assert (enabled["mpps"], enabled["worklist"], enabled["storage"]) == (False, False, True)
    assert "Modality Performed Procedure Step SOP Class" not in {each.name for each in stated.sop_classes}


def test_switches_change_what_a_status_does(stated: ConformanceStatement) -> None:
    by_default = make_profile_statement("rf")
    codes = [
        {each.code: (each.effect, each.aborts) for each in statement.statuses if each.operation == "C-STORE"}
        for statement in (stated, by_default)
    ]
    assert [each["B000"] for each in codes] == [("fail", True), ("succeed", False)]
    assert [each["0111"] for each in codes] == [("succeed", False)] * 2


def test_extensions_are_told_of(stated: ConformanceStatement) -> None:
    (get,) = (each for each in stated.beyond_statement if each.name == "C-GET")
    assert (get.enabled_by, get.is_enabled) == ("extensions.c_get", True)
    contexts = [each for each in stated.presentation_contexts if each.goes_beyond]
    assert [(each.sop_class, each.goes_beyond) for each in contexts] == [
        ("Study Root Query/Retrieve Information Model - GET", "extensions.c_get")
    ]
    assert all(not each.goes_beyond for each in make_profile_statement("rf").presentation_contexts)


def test_units_of_the_dose_report_are_those_of_the_site(stated: ConformanceStatement) -> None:
    units = [
        {each.units for each in statement.dose_report if each.concept_meaning == "Dose Area Product"}
        for statement in (stated, make_profile_statement("rf"))
    ]
    assert units == [{"dGy.cm2"}, {"Gy.m2"}]


def test_items_that_need_something_known_are_told_apart() -> None:
    presence = {each.concept_meaning: each.presence for each in make_profile_statement("rf").dose_report}
    assert presence["KVP"] == "ALWAYS"
    assert presence["Table Lateral Position"] == "ANAP"
    assert make_profile_statement("mr").dose_report == ()


def test_every_part_says_something() -> None:
    for profile, empty in (
        ("mr", {"remote_entities", "dose_report"}),
        ("rf", {"remote_entities", "private_attributes"}),
    ):
        statement = make_profile_statement(profile)
        assert {each.name for each in fields(statement) if getattr(statement, each.name) == ()} == empty


def test_json_of_a_site(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    assert DeviceStatement(load_site(tmp_path)).describe()["device"]["manufacturer"] == "Maker"


ANSWERING = {
    "storage": ("services/storage.py",),
    "query": ("query/finding.py", "activities/query_answers.py"),
    "retrieve": ("query/moving.py", "activities/retrieve_answers.py", "services/query_retrieve.py"),
    "storage_commitment": ("services/commitment.py",),
}
"""Where the statuses of each service are raised or returned; the SCP of commitment is the hospital's."""
OF_OTHERS = {"NO_SUCH_SOP_INSTANCE", "NO_SUCH_ACTION_TYPE", "known"}
CODES = {
    **{each.name: each.value for each in Status},
    "OUT_OF_RESOURCES": OUT_OF_RESOURCES,
    "IDENTIFIER_DOES_NOT_MATCH": finding.IDENTIFIER_DOES_NOT_MATCH,
    "DATA_SET_DOES_NOT_MATCH": storage.DATA_SET_DOES_NOT_MATCH,
    "CANNOT_UNDERSTAND": storage.CANNOT_UNDERSTAND,
    "CANNOT_COUNT_MATCHES": query_retrieve.CANNOT_COUNT_MATCHES,
    "MOVE_DESTINATION_UNKNOWN": query_retrieve.MOVE_DESTINATION_UNKNOWN,
    "CANNOT_PROCESS_RETRIEVE": query_retrieve.CANNOT_PROCESS_RETRIEVE,
    "CANNOT_PERFORM_SUB_OPERATIONS": moving.CANNOT_PERFORM_SUB_OPERATIONS,
    "SUB_OPERATIONS_FAILED": moving.SUB_OPERATIONS_FAILED,
}


def list_answered(path: str) -> set[str]:
    """The names of the statuses that a module refuses or answers with."""
    tree = ast.parse((Path("src/openmodality") / path).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    answers = [node for node in calls if ast.unparse(node.func) in ("Refuse", "Response", "self._make_final")]
    return {ast.unparse(node.args[0]).rpartition(".")[2] for node in answers}


@pytest.mark.parametrize("service", ANSWERING)
def test_the_table_of_answers_has_each_status_that_the_code_answers_with(service: str) -> None:
    listed = {int(each.code, 16) for each in make_profile_statement("mr").answers if each.service == service}
    names = set().union(*(list_answered(path) for path in ANSWERING[service])) - OF_OTHERS - {"status"}
    assert len(names) >= 2
    assert {name for name in names if CODES[name] not in listed} == set()


ANSWERED_BY_VALUE: dict[str, set[int]] = {
    "query": {
        Status.PENDING, Status.PENDING_OPTIONAL_KEYS_UNSUPPORTED, finding.IDENTIFIER_DOES_NOT_MATCH,
        query_retrieve.CANNOT_PROCESS_RETRIEVE,
    },
    "storage_commitment": {each.value for each in commitment.Missing},
}  # fmt: skip
"""What a service answers by a value that it has got, and not by the name of a status."""


@pytest.mark.parametrize("service", ANSWERING)
def test_the_table_of_answers_has_no_status_that_the_code_does_not_answer_with(service: str) -> None:
    listed = {int(each.code, 16) for each in make_profile_statement("mr").answers if each.service == service}
    named = {CODES[name] for path in ANSWERING[service] for name in list_answered(path) & CODES.keys()}
    every_service = {Status.SUCCESS, Status.PROCESSING_FAILURE}
    assert listed - named - every_service - ANSWERED_BY_VALUE.get(service, set()) == set()
