"""Service: what each statement lets be configured is set there, and the device that is started again obeys.

What it does then is seen by a hospital made of pynetdicom. The page holds each value to the range of the statement.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from pynetdicom import AE

from openmodality.app.modality import Modality
from openmodality.console.server import ConsoleServer
from tests.acceptance.requirements.pynetdicom_hospital import IMPLICIT
from tests.acceptance.requirements.storage_classes import MR_IMAGE, SECONDARY_CAPTURE, instance
from tests.console_site import ConsolePlace
from tests.devices import add_image
from tests.interop.certificates import KeyPair, key_pair
from tests.parameter_ranges import PARAMETER_RANGES, PRINT_RANGES
from tests.peers.objects import save
from tests.peers.process import HOST, Address, free_port
from tests.peers.pynetdicom_ae import associated
from tests.recorded_console import RecordedConsole, recorded_console

VERIFICATION = "1.2.840.10008.1.1"
CIPHER = "ECDHE-RSA-AES256-GCM-SHA384"


@pytest.fixture(scope="module")
def rf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedConsole]:
    with recorded_console(tmp_path_factory.mktemp("rf"), "rf", role="service") as made:
        yield made


def read_row(page: str, label: str) -> str:
    """A setting as the page has it: from its name to the next one."""
    return page.partition(f'<div class="setting" id="row-{label}">')[2].partition('<div class="setting"')[0]


def read_default(row: str) -> str:
    """The default of a setting, as its row says it."""
    return row.partition("Default ")[2].partition("<bdi>")[2].partition("</bdi>")[0]


def change(desk: RecordedConsole, table: str, **values: object) -> httpx.Response:
    """Type values, look at the change, and write it."""
    url = f"/service/table/{table}"
    seen = desk.visitor.post(url, **{f"value-{table}.{key}": str(value) for key, value in values.items()})
    assert seen.status_code == 200, seen.text.partition("error")[2][:500]
    fields = re.findall(r'<input type="hidden" name="(based_on|value-[^"]+)" value="([^"]*)"', seen.text)
    return desk.visitor.post(url, step="write", **{name: unescape(value) for name, value in fields})


@contextmanager
def started_again(desk: RecordedConsole) -> Iterator[RecordedConsole]:
    """The device once more, by what its site file says now, with a console and a user who may operate it."""
    with Modality(desk.recorded.site) as modality, ConsoleServer(modality) as server, ExitStack() as clients:
        modality.serve()
        place = ConsolePlace(None, desk.recorded.site, modality, server, clients)  # type: ignore[arg-type]
        place.add_user("bob", "senior")
        yield RecordedConsole(desk.recorded, place, place.log_in("bob"), desk.profile)


@pytest.mark.parametrize(("key", "least", "most", "default"), [*PARAMETER_RANGES, *PRINT_RANGES])
def test_a_parameter_is_held_to_its_range(rf: RecordedConsole, key: str, least: int, most: int, default: int) -> None:
    group, _, label = key.partition(".")
    url, name = f"/service/table/parameters.{group}", f"value-parameters.{key}"
    row = read_row(rf.read(url), label)
    assert f"{least}-{most}" in row
    assert read_default(row) == str(default)
    for wrong in (least - 1, most + 1):
        answer = rf.visitor.post(url, **{name: str(wrong)})
        assert answer.status_code == 400
        assert f'id="row-{label}-error"' in read_row(answer.text, label)
        assert f'value="{wrong}"' in read_row(answer.text, label), "it is kept to be mended"
    for right in {least, most} - {default}:
        assert f"+{label} = {right}" in rf.visitor.post(url, **{name: str(right)}).text
    assert rf.modality.site.parameters.integer(key) == default


@pytest.mark.parametrize(
    ("key", "fixed"),
    [
        pytest.param(f"{group}.max_initiated_associations", 1, marks=pytest.mark.requirement(f"RF-4.4.2-{number}"))
        for group, number in (
            ("storage", 11),
            ("storage_commitment", 15),
            ("worklist", 20),
            ("mpps", 28),
            ("print", 31),
        )
    ]
    + [
        pytest.param("storage_commitment.max_accepted_associations", 1, marks=pytest.mark.requirement("RF-4.4.2-17")),
        pytest.param("storage_commitment.release_delay_s", 0, marks=pytest.mark.requirement("RF-4.4.2-18")),
    ],
)
def test_what_is_fixed_is_shown_and_cannot_be_set(rf: RecordedConsole, key: str, fixed: int) -> None:
    group, _, label = key.partition(".")
    url, name = f"/service/table/parameters.{group}", f"value-parameters.{key}"
    row = read_row(rf.read(url), label)
    assert "Fixed on this device." in row
    assert re.search(rf"<output [^>]*>{fixed}</output>", row), row
    assert f'name="{name}"' not in row
    before = rf.recorded.site.read_text()
    assert f"{label} =" not in rf.visitor.post(url, **{name: "2"}).text
    assert rf.recorded.site.read_text() == before


@pytest.mark.requirement(
    "RF-4.4.1.1-01", "RF-4.4.1.2-01", "RF-4.4.2-01", "RF-4.4.2-02", "RF-4.4.2-12", "RF-4.4.2-19", "RF-4.4.2-21",
    "RF-4.4.2-23", "RF-4.4.2-24", "RF-4.4.2-25", "RF-4.4.2-29",
    "RF-4.4.2-32",
)  # fmt: skip
def test_a_device_that_is_started_again_obeys_what_was_set(rf: RecordedConsole) -> None:
    page = rf.read("/service/table/parameters.worklist")
    for label, default in (
        ("max_items", "47"), ("scheduled_station_ae_title", "ADR_MWM_SCU"), ("modality", "RF"),
        ("transfer_syntaxes", "ExplicitVRLittleEndian"),
    ):  # fmt: skip
        assert default in read_default(read_row(page, label))
    storage = read_row(rf.read("/service/table/parameters.storage"), "transfer_syntaxes")
    assert "ExplicitVRLittleEndian" in read_default(storage)
    on_success = read_row(rf.read("/service/table/parameters.storage_commitment"), "on_success")
    assert "permit_delete" in read_default(on_success)
    assert "<option>delete" in on_success
    implicit = "ImplicitVRLittleEndian"
    change(rf, "application_entities.worklist", ae_title="OTHER_TITLE")
    change(rf, "parameters.worklist", scheduled_station_ae_title="ROOM_2", modality="XA", transfer_syntaxes=implicit)
    change(rf, "parameters.mpps", transfer_syntaxes=implicit)
    printing = read_row(rf.read("/service/table/parameters.print"), "transfer_syntaxes")
    assert "ExplicitVRLittleEndian" in read_default(printing)
    change(rf, "parameters.print", transfer_syntaxes=implicit)
    change(rf, "parameters.general", max_pdu_receive_bytes="20000")
    change(rf, "peers.hospital", transfer_syntaxes=implicit)
    rf.recorder.forget()
    rf.place.server.close()
    rf.modality.close()
    with started_again(rf) as desk:
        assert "OTHER_TITLE" in desk.read("/peers")
        assert desk.modality.site.parameters.uids("print.transfer_syntaxes") == (IMPLICIT,)
        desk.visitor.post("/today/ask", ScheduledStationAETitle="ROOM_2", Modality="XA")
        (asked,) = desk.recorder.closed()
        assert (asked.calling, asked.maximum_length) == ("OTHER_TITLE", 20000)
        (step,) = asked.requests[0].data.ScheduledProcedureStepSequence
        assert (step.ScheduledStationAETitle, step.Modality) == ("ROOM_2", "XA")
        with desk.modality.exam(patient={"PatientID": "1"}) as exam:
            add_image(exam.series("A", ProtocolName="A"))
        desk.wait_for("C-STORE-RQ")
        desk.wait_for("N-SET-RQ")
        offered = {syntax for call in desk.recorder.closed() for each in call.contexts.values() for syntax in each}
        assert offered == {IMPLICIT}


@pytest.mark.requirement(
    "MR-11.1-01", "MR-11.2-01", "MR-11.2-02", "MR-11.2-03", "MR-11.2-04", "MR-11.2-05", "MR-11.2-06", "MR-11.2-10",
    "MR-3.1.1-01", "MR-3.1.1-02", "MR-3.1.1-03", "MR-3.1.1-04", "MR-3.1.1-05",
)  # fmt: skip
def test_an_mr_device_is_who_and_takes_what_was_set(tmp_path: Path) -> None:
    keys, port = key_pair(tmp_path / "keys", "device"), free_port()
    with recorded_console(tmp_path / "mr", "mr", role="service") as mr:
        set_all(mr, keys, port)
        mr.recorder.forget()
        mr.place.server.close()
        mr.modality.close()
        with started_again(mr) as desk:
            page = desk.read("/peers")
            for shown in (
                "ELSEWHERE", f"localhost:{mr.recorder.address.port}", "Archive <b>", "beside the lift", "OWN",
                f"port {port}, TLS", "Room <1>", "the scanner in the cellar", "mr1.example", HOST,
            ):  # fmt: skip
                assert shown in page, shown
            assert "<b>" not in desk.visitor.get("/peers").text
            parameters = desk.modality.site.parameters
            assert parameters.integer("general.connect_timeout_s") == 7
            assert parameters.boolean("print.presentation_lut")
            desk.visitor.post("/peers/hospital/echo")
            assert [(call.calling, call.called) for call in desk.recorder.closed()] == [("OWN", "ELSEWHERE")]
            assert_what_is_offered(desk, tmp_path)
            assert_what_is_taken(Address("OWN", port, HOST), keys)


def set_all(mr: RecordedConsole, keys: KeyPair, port: int) -> None:
    """Set at Service who the device is, whom it knows, and what it takes."""
    page = mr.read("/service/table/tls")
    assert read_default(read_row(page, "enabled")) == "false"
    refused = mr.visitor.post("/service/table/tls", **{"value-tls.enabled": "true"})
    assert refused.status_code == 400, "TLS needs a certificate"
    files = {"certificate": keys.certificate, "private_key": keys.key, "ca_certificates": keys.authority}
    change(mr, "tls", enabled="true", cipher_suites=CIPHER, **files)
    change(mr, "application_entities.device", ae_title="OWN", port=port)
    change(mr, "device", alias="Room <1>", description="the scanner in the cellar")
    change(mr, "network", host_name="mr1.example", bind_address=HOST)
    change(
        mr, "peers.hospital", ae_title="ELSEWHERE", host="localhost", alias="Archive <b>", tls="false",
        description="beside the lift", sop_classes="MRImageStorage\nVerification", services="verification\nstorage",
        incoming="verification",
    )  # fmt: skip
    change(mr, "parameters.behaviour", export_private="false")
    change(mr, "parameters.general", connect_timeout_s="7")
    change(mr, "parameters.print", presentation_lut="true")


def assert_what_is_offered(desk: RecordedConsole, folder: Path) -> None:
    """The device offers the SOP classes that were set, and sends no private attributes."""
    desk.recorder.forget()
    private, other = instance(MR_IMAGE), instance(SECONDARY_CAPTURE)
    private.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x05, "SS", 1)
    desk.modality.import_files([save(private, folder / "images"), save(other, folder / "images")])
    for study in desk.modality.studies():
        desk.visitor.post(f"/images/study/{study['StudyInstanceUID']}/send", peer="hospital")
    (stored,) = desk.wait_for("C-STORE-RQ")
    assert [element.tag for element in stored.data if element.tag.is_private] == []
    desk.settle()
    assert {each for call in desk.recorder.closed() for each in call.contexts} == {str(MR_IMAGE)}


def assert_what_is_taken(own: Address, keys: KeyPair) -> None:
    """The device takes TLS with the cipher suite that was set, callers that it knows, and services that they may."""
    tls: dict[str, Any] = {"tls_args": (keys.client(), HOST)}
    with associated(own, [VERIFICATION, MR_IMAGE], calling="ELSEWHERE", **tls) as association:
        assert association.send_c_echo().Status == 0
        assert [str(each.abstract_syntax) for each in association.accepted_contexts] == [VERIFICATION]
    context = keys.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection((own.host, own.port), 10) as line,
        context.wrap_socket(line, server_hostname=HOST) as safe,
    ):
        cipher = safe.cipher()
        assert cipher is not None
        assert cipher[0] == CIPHER
    for calling, secure in (("STRANGER", tls), ("ELSEWHERE", {})):
        entity = AE(ae_title=calling)
        entity.add_requested_context(VERIFICATION)
        assert not entity.associate(own.host, own.port, ae_title=own.aet, **secure).is_established
