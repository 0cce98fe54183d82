"""What a person sees on a terminal, and that the address book is what site files say."""

from __future__ import annotations

import io
from pathlib import Path

from pydicom.uid import generate_uid
from rich.console import Console

from openmodality.cli.display.hospital_table import hospital_table
from openmodality.device.profile.loader import load_profile
from openmodality.hospital.addresses import DEVICES, LOCALHOST
from openmodality.hospital.hospital import Hospital
from tests import hospital_scu as scu


def rendered(hospital: Hospital, height: int) -> str:
    console = Console(file=io.StringIO(), width=120, height=height)
    console.print(hospital_table(hospital, height))
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
    assert "more" in text
    assert "worklist query" in text
    assert len(text.splitlines()) <= 16


def test_the_address_book_is_that_of_the_profiles() -> None:
    listening = {
        entity.ae_title: (LOCALHOST, entity.port)
        for name in ("mr", "rf")
        for entity in load_profile(name).application_entities
        if entity.port
    }
    assert listening == dict(DEVICES)
