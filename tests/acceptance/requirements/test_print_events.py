"""What happens while a device prints: the printer reports, is silent, or is lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from pynetdicom import AE

from openmodality import Modality
from openmodality.errors import ConfigurationError
from openmodality.hospital.addresses import PRINTER, Endpoint
from openmodality.hospital.hospital import Hospital
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.store.states import JobState
from tests.acceptance.hospital_site import in_hospital
from tests.acceptance.requirements.print_device import PrintDevice, make_print_device
from tests.console_site import read_page
from tests.peers.process import HOST, Address, free_port
from tests.peers.pynetdicom_printer import COLOR, GRAYSCALE

SHORT = "\n[peers.film.parameters.print]\n{name}_response_timeout_s = 15\n"


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    with Hospital(tmp_path / "hospital", Endpoint("RIS"), Endpoint("PACS"), Endpoint(PRINTER.aet)) as hospital:
        yield hospital


def make(tmp_path: Path, hospital: Hospital, profile: str, **more: str) -> PrintDevice:
    peer = hospital.peer("printer")
    return make_print_device(tmp_path / "device", profile, Address(peer.ae_title, peer.port), **more)  # type: ignore[arg-type]


@pytest.mark.requirement(
    "RF-4.2.7.3.1.1-05", "RF-4.2.7.3.1.4.2-01", "RF-4.2.7.3.1.4.2-02", "RF-4.2.7.3.1.4.2-03", "MR-4.2.1.3-11"
)
@pytest.mark.parametrize("profile", ["mr", "rf"])
@pytest.mark.parametrize(
    ("personality", "told"),
    [("printer-event", "printer warning: SUPPLY LOW"), ("printer-event-failure", "printer failure: FILM JAM")],
)
def test_a_report_between_request_and_response_is_answered_and_the_film_printed(
    tmp_path: Path, hospital: Hospital, profile: str, personality: str, told: str
) -> None:
    hospital.misbehave(f"printer:{personality}")
    device = make(tmp_path, hospital, profile)
    assert device.print()[0] == 0
    assert len(hospital.printer.films) == 1
    job = device.last_job().job
    assert (job.state, job.reason) == (JobState.DONE, told)


@pytest.mark.requirement("RF-4.2.7.3.1.3-02")
@pytest.mark.parametrize("personality", ["abort@3", "drop@3"])
def test_an_association_that_is_lost_fails_the_job(
    tmp_path: Path, hospital: Hospital, personality: str, caplog: pytest.LogCaptureFixture
) -> None:
    hospital.misbehave(f"printer:{personality}")
    device = make(tmp_path, hospital, "rf")
    with caplog.at_level(logging.WARNING):
        assert device.print()[0] == 1
    reason = device.reason()
    assert reason
    assert any(record.__dict__.get("reason") == reason for record in caplog.records)
    assert hospital.printer.films == []


@pytest.mark.requirement("RF-4.2.7.3.1.3-01", "RF-4.4.2-30")
@pytest.mark.timeout(120)
def test_a_printer_that_does_not_answer_is_waited_for_as_long_as_configured(
    tmp_path: Path, hospital: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    hospital.misbehave("printer:print-hang")
    device = make(tmp_path, hospital, "rf", more=SHORT.format(name="action"))
    with caplog.at_level(logging.WARNING):
        assert device.print()[0] == 1
    assert "15 s" in device.reason()
    assert "sheet 1 may have been printed, or not" in device.reason()
    site = device.folder / "site.toml"
    site.write_text(f"{site.read_text()}\n[console]\nport = {free_port()}\n", encoding="utf-8")
    with Modality(site) as modality:
        needs = read_page(modality, "/jobs").partition("Needs you")[2].partition("Being done")[0]
    assert "sheet 1 may have been printed, or not" in needs.casefold()
    assert "15 s" in needs


@pytest.mark.requirement("RF-4.4.2-30")
@pytest.mark.parametrize(
    ("line", "is_allowed"),
    [
        *((f"{name}_response_timeout_s = {seconds}", status)
          for name in ("get", "create", "set", "action")
          for seconds, status in ((15, True), (300, True), (14, False), (301, False))),
        ("max_initiated_associations = 1", True), ("max_initiated_associations = 2", False),
    ],
)  # fmt: skip
def test_what_may_be_configured_is_what_the_statement_says(tmp_path: Path, line: str, is_allowed: bool) -> None:
    text = f'profile = "rf"\n[parameters.print]\n{line}\n'
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    with nullcontext() if is_allowed else pytest.raises(ConfigurationError, match="print"), Modality(tmp_path):
        pass


@pytest.mark.requirement("MR-4.3-01", "RF-4.2.7.4-01")
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_a_device_accepts_no_association_for_print(tmp_path: Path, profile: str) -> None:
    with in_hospital(tmp_path, profile) as place, Modality(place.site) as device:
        for role, port in device.serve().items():
            entity = AE(ae_title=PRINTER.aet)
            for context in (GRAYSCALE, COLOR, VERIFICATION):
                entity.add_requested_context(context)
            association = entity.associate(HOST, port, ae_title=device.site.application_entities[role].ae_title)
            assert {str(each.abstract_syntax) for each in association.accepted_contexts} <= {VERIFICATION}
            association.release()
