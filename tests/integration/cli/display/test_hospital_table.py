"""What a person sees on a terminal, and that the address book is what site files say."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from rich.console import Console

from openmodality.cli.display.hospital_table import hospital_table
from openmodality.device.profile.loader import load_profile
from openmodality.hospital.addresses import DEVICES, LOCALHOST
from openmodality.hospital.hospital import Hospital
from openmodality.network.entity import DEFAULT_AE_TITLE
from tests import hospital_scu as scu


def rendered(hospital: Hospital, height: int, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(hospital_table(hospital, height, width))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_table_follows_an_exam(tmp_path: Path) -> None:
    with scu.hospital(tmp_path) as hospital:
        item, uid = hospital.ris.items[0], generate_uid()
        hospital.ris.change_patient(item.patient_id, PatientName="[red]Odd^Name")
        assert "Performed steps" not in rendered(hospital, 40)
        scu.create_step(hospital, scu.step_attributes(item), uid)
        images = scu.images(item, uid)
        images[1].PatientID = "OTHER"
        scu.store(hospital, *images)
        scu.request_commitment(hospital, scu.Transactions(), images)
        hospital.misbehave("pacs:a700@5")
        text = rendered(hospital, 60)
    shown = ("[red]Odd^Name", "IN PROGRESS", "Studies", "Storage commitment", "misbehaving: pacs:a700@5", "! OM_MR")
    for said in shown:
        assert said in text
    assert str(hospital.ris_peer) in text


def test_a_small_terminal_sees_the_last_events(tmp_path: Path) -> None:
    with scu.hospital(tmp_path) as hospital:
        scu.query(hospital)
        text = rendered(hospital, 16)
    assert "more above" in text
    assert "worklist query" in text
    assert len(text.splitlines()) <= 16


@pytest.mark.parametrize("width", [80, 60])
def test_a_narrow_terminal_sees_whole_accession_numbers(tmp_path: Path, width: int) -> None:
    with scu.hospital(tmp_path) as hospital:
        item = hospital.ris.items[0]
        hospital.ris.change_patient(item.patient_id, AccessionNumber="A234567890123456", PatientName="Long^" + "N" * 50)
        scu.create_step(hospital, scu.step_attributes(item), generate_uid())
        text = rendered(hospital, 60, width)
        accessions = {each.accession_number for each in hospital.ris.items}
    assert max(map(len, text.splitlines())) <= width
    assert [accession for accession in accessions if accession not in text] == []
    assert "Accession" in text
    assert "Station" not in text.splitlines()[3], "it goes first"


def test_the_newest_stands_last(tmp_path: Path) -> None:
    with scu.hospital(tmp_path) as hospital:
        first, *_, last = hospital.ris.items
        for item in (last, first):
            scu.create_step(hospital, scu.step_attributes(item), generate_uid())
        lines = rendered(hospital, 22, 80).splitlines()
    started = [line for line in lines if line.startswith("IN PROGRESS")][:2]
    assert [item.accession_number in line for item, line in zip((last, first), started, strict=True)] == [True, True]
    assert any(line.startswith("Worklist, ") and line.rstrip().endswith(" more above") for line in lines)


def test_the_address_book_is_that_of_the_profiles() -> None:
    listening = {
        entity.ae_title: (LOCALHOST, entity.port)
        for name in ("mr", "rf")
        for entity in load_profile(name).application_entities
        if entity.port
    }
    assert listening | {DEFAULT_AE_TITLE: DEVICES[DEFAULT_AE_TITLE]} == dict(DEVICES)
