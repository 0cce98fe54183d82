"""Hospital, the trainer's screen: what RIS, PACS and printer got, and switches that make them misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from openmodality.activities.film_order import FilmOrder
from openmodality.app.local_data import Chosen
from openmodality.console.server import ConsoleServer
from tests.console_site import ConsolePlace, Visitor, console_in_hospital
from tests.devices import add_image, device_in_hospital, today


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("hospital")) as started:
        started.add_user("anna", "operator")
        started.add_user("view", "viewer")
        yield started


@pytest.fixture(scope="module")
def anna(place: ConsolePlace) -> Visitor:
    return place.log_in("anna")


def test_what_each_system_got_is_shown(place: ConsolePlace, anna: Visitor) -> None:
    before = anna.get("/hospital").text
    assert "No device has told it of an exam yet" in before
    item = place.modality.worklist()[0]
    assert item["AccessionNumber"] in before
    with place.modality.start_exam(item) as exam, exam.series("T1") as series:
        add_image(series)
    place.modality.films.order(Chosen(studies=[exam.study_instance_uid]), "printer", FilmOrder())
    assert place.modality.wait_until_idle(60)
    page = anna.get("/hospital/part").text
    told = page.partition('id="ris-title"')[2].partition("</section>")[0]
    assert place.hospital.ris.steps[0].sop_instance_uid in told
    assert "completed" in told
    archived = page.partition('id="pacs-title"')[2].partition("</section>")[0]
    assert exam.study_instance_uid in archived
    assert "OM_MR asked for 1 instance: reported" in archived
    picture = anna.get("/hospital/film/1")
    assert (picture.headers["content-type"], picture.content[1:4]) == ("image/png", b"PNG")
    assert anna.get("/hospital/film/2").status_code == 404
    assert place.hospital.events[-1].text.partition(" ")[0] in page


def test_a_name_that_is_a_program_is_a_text(place: ConsolePlace, anna: Visitor) -> None:
    patient = {"PatientID": "<b>1", "PatientName": "<img src=x onerror=alert(1)>^{{7*7}}"}
    with place.modality.exam(patient=patient) as exam, exam.series("<script>1") as series:
        add_image(series)
    assert place.modality.wait_until_idle(60)
    for path in ("/hospital", "/hospital/part"):
        page = anna.get(path).text
        assert "&lt;img src" in page
        assert [mark for mark in ("<img src=x", "<b>1", "<script>1") if mark in page] == []


def test_personalities_are_switches(place: ConsolePlace, anna: Visitor) -> None:
    anna.post("/hospital/misbehave", text="pacs:a700")
    assert place.hospital.misbehaviour == ["pacs:a700"]
    page = anna.get("/hospital").text
    assert "Misbehaves on purpose" in page
    assert '<button name="text" value="pacs:a700">Switch off' in page
    with place.modality.start_exam(place.modality.worklist()[0]) as exam, exam.series("T1") as series:
        add_image(series)
    jobs = place.modality.jobs
    assert place.modality.wait_until(lambda: any("A700" in job.reason for job in jobs.list()), 30)
    anna.post("/hospital/behave", text="pacs:a700")
    assert place.hospital.misbehaviour == []
    anna.post("/hospital/misbehave", text="ris:nonsense")
    assert "there is no personality" in anna.get("/hospital").text.casefold()
    anna.post("/hospital/misbehave", text="ris:slow@2")
    anna.post("/hospital/misbehave", text="printer:printer-failure")
    anna.post("/hospital/behave")
    assert place.hospital.misbehaviour == []


def test_who_may_only_look_switches_nothing(place: ConsolePlace) -> None:
    viewer = place.log_in("view")
    assert viewer.get("/hospital").status_code == 200
    for path in ("/hospital/misbehave", "/hospital/behave"):
        assert viewer.post(path, text="pacs:a700").status_code == 403
    assert place.hospital.misbehaviour == []


def test_a_device_in_no_demonstration_has_no_such_place(tmp_path: Path) -> None:
    with (
        device_in_hospital(tmp_path, "mr", today("mr", 1)) as device,
        device.modality() as modality,
        ConsoleServer(modality) as server,
        ExitStack() as clients,
    ):
        alone = ConsolePlace(None, device.site, modality, server, clients)  # type: ignore[arg-type]
        alone.add_user("anna", "senior")
        visitor = alone.log_in("anna")
        assert visitor.get("/hospital").status_code == 404
        assert 'href="/hospital"' not in visitor.get("/today").text
