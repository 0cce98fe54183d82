"""The page of a dose report: what `openmodality dose` says of the same file, in a table for people."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from openmodality.app.dose_reports import read_dose_report
from tests.devices import quick_source
from tests.recorded_console import RecordedConsole, recorded_console

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"


@pytest.fixture(scope="module")
def rf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedConsole]:
    with recorded_console(tmp_path_factory.mktemp("rf"), "rf", role="viewer") as made:
        exam = made.modality.register({"PatientID": "1", "PatientName": "Dose^<b>"})
        exam.acquire(quick_source("rf"))
        exam.complete()
        made.settle()
        yield made


def read_cells(page: str) -> list[list[str]]:
    """The rows of all tables, without their markup."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row)] for row in rows]


def test_a_series_of_dose_reports_leads_to_what_they_say(rf: RecordedConsole) -> None:
    reports = rf.modality.instances(SOPClassUID=DOSE_SR)
    complete = max(reports, key=lambda each: int(each["InstanceNumber"]))
    address = f"/images/instance/{complete['SOPInstanceUID']}/dose"
    assert f'href="{address}"><span class="no-picture">dose report</span></a>' in rf.read(
        f"/images/series/{complete['SeriesInstanceUID']}"
    )
    text = rf.read(address)
    assert "Dose, <b>" in text
    overview = read_dose_report(rf.modality.instance_path(complete["SOPInstanceUID"]))
    rows = read_cells(text)
    total = next(row for row in rows if row[0] == "Total")
    assert overview.total.area_product_dgy_cm2
    assert total[1] == f"{overview.total.area_product_dgy_cm2:.4g}"
    events = [row for row in rows if re.match(r"\d+ ", row[0])]
    assert [row[4] for row in events] == [f"{event.kvp:.4g}" for event in overview.events]
    assert ("Partial" in text, "All irradiation of this step" in text) == (False, True)


def test_a_partial_report_says_so(rf: RecordedConsole) -> None:
    reports = rf.modality.instances(SOPClassUID=DOSE_SR)
    first = min(reports, key=lambda each: int(each["InstanceNumber"]))
    assert "Partial: the irradiation up to this report" in rf.read(f"/images/instance/{first['SOPInstanceUID']}/dose")


def test_what_is_no_dose_report_has_no_such_page(rf: RecordedConsole) -> None:
    image = next(each for each in rf.modality.instances() if each["SOPClassUID"] != DOSE_SR)
    for uid in (image["SOPInstanceUID"], "1.2.3", "1.2.*"):
        assert rf.visitor.get(f"/images/instance/{uid}/dose").status_code == 404
