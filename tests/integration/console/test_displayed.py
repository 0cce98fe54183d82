"""The attributes of a worklist item that the R/F statement marks as displayed (Table 4.2-30), on Check and start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from html import unescape
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.console.server import ConsoleServer
from tests.console_site import ConsolePlace
from tests.devices import add_image, device_in_hospital, today

OF_STEP = {
    "ScheduledProcedureStepLocation": "Location of the step",
    "ScheduledPerformingPhysicianName": "Scheduledphys^S",
    "ScheduledProcedureStepDescription": "What the step is",
    "ScheduledProcedureStepID": "STEPID77",
}
OF_ITEM = {
    "RequestedProcedureID": "REQID55",
    "RequestedProcedureComments": "Comment on the procedure",
    "RequestedProcedureDescription": "What was requested",
    "StudyInstanceUID": "1.2.3.4.5.6.7",
    "NamesOfIntendedRecipientsOfResults": "Recipient^R",
    "ImagingServiceRequestComments": "Comment on the request",
    "RequestingPhysician": "Requesting^P",
    "ReferringPhysicianName": "Referring^F",
    "RequestingService": "Service that asks",
    "AccessionNumber": "ACC4711",
    "CurrentPatientLocation": "Ward 12",
    "PatientName": "Roentgen^Wilhelm",
    "PatientID": "PID0815",
    "OtherPatientIDs": "OTHER99",
    "PatientBirthDate": "19450327",
    "PatientSex": "M",
    "PatientSize": "1.81",
    "PatientWeight": "83.5",
    "EthnicGroup": "GROUP",
    "PatientComments": "Comment on the patient",
    "MedicalAlerts": "Pacemaker",
    "AdditionalPatientHistory": "Fell from a ladder",
    "PregnancyStatus": 4,
    "PerformingPhysicianName": "Performing^Q",
    "OperatorsName": "Operator^O",
}
SHOWN = {
    "PatientSize": "1.81 m",
    "PatientWeight": "83.5 kg",
    "PatientBirthDate": "1945-03-27",
    "PregnancyStatus": "unknown",
    "PatientSex": ">M<",
}
"""How values are shown that are not shown as they are."""
CODES = {"ScheduledProtocolCodeSequence": "Protocol meaning", "RequestedProcedureCodeSequence": "Procedure meaning"}
BEFORE_THE_EXAM_ALONE = ("PatientSize", "PatientWeight")


def make_item() -> Dataset:
    (item,) = today("rf")
    step = item.ScheduledProcedureStepSequence[0]
    for keyword, value in OF_STEP.items():
        setattr(step, keyword, value)
    for keyword, given in OF_ITEM.items():
        setattr(item, keyword, given)
    for keyword, meaning in CODES.items():
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C1", "99TEST", meaning
        setattr(step if "Protocol" in keyword else item, keyword, [code])
    return item


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ConsolePlace]:
    with (
        device_in_hospital(tmp_path, "rf", [make_item()]) as device,
        device.modality() as modality,
        ExitStack() as stack,
    ):
        server = stack.enter_context(ConsoleServer(modality))
        yield ConsolePlace(None, device.site, modality, server, stack)  # type: ignore[arg-type]


def show(keyword: str, value: object) -> str:
    """A value as a page has it: a name by its groups."""
    return SHOWN.get(keyword, str(value).replace("^", ", "))


def read_banner(page: str) -> list[str]:
    """What the banner says of patient and procedure."""
    return re.sub("<[^>]*>", "\n", page.partition('<div class="who">')[2].partition('<div class="aside">')[0]).split()


@pytest.mark.requirement("RF-4.2.3.3.1.3-15", "RF-4.1.2.3-02")
def test_what_the_statement_marks_is_displayed_at_the_registration(place: ConsolePlace) -> None:
    place.add_user("anna", "operator")
    anna = place.log_in("anna")
    anna.post("/today/ask", ScheduledStationAETitle="", Modality="")
    (item,) = place.modality.worklist_items()
    page = unescape(anna.get(f"/start/{item.id}").text)
    expected = {**OF_STEP, **OF_ITEM, **CODES}
    missing = [keyword for keyword, value in expected.items() if show(keyword, value) not in page]
    assert missing == []
    facts = page[page.index('<dl class="facts">') :]
    for shown in ("ADR_MWM_SCU", "RF", f"{item['ScheduledProcedureStepStartDate'][:4]}-", "08:00"):
        assert f">{shown}" in facts
    before = read_banner(page)
    assert "Pacemaker" in before
    assert facts.index("Pacemaker") < facts.index("What the step is"), "alerts first"

    with place.modality.start_exam(item.id) as exam, exam.series("A") as series:
        add_image(series)
    after = unescape(anna.get(f"/exam/{exam.id}").text)
    assert "Roentgen, Wilhelm" in after
    assert read_banner(after) == before, "what is said of the patient is said in the same words after the start"
    assert [keyword for keyword in BEFORE_THE_EXAM_ALONE if str(OF_ITEM[keyword]) in after] == []
