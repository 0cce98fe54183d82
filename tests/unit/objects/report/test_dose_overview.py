"""What people read of dose reports: the same as is on record, in whichever units it is written."""

from __future__ import annotations

from typing import get_args

import pytest
from pydicom.dataset import Dataset

from openmodality.errors import UsageError
from openmodality.objects.report.dose_content import DoseUnitsName
from openmodality.objects.report.dose_overview import DoseSums, overlook_events, overlook_report
from tests.content_tree import find_items
from tests.made_objects import NAMES, irradiation_events, report, worklist


@pytest.mark.parametrize("units", get_args(DoseUnitsName))
def test_a_report_says_what_is_on_record(units: DoseUnitsName) -> None:
    recorded, read = overlook_events(irradiation_events()), overlook_report(report(None, units=units))
    assert [(line.kvp, line.area_product_dgy_cm2, line.dose_rp_mgy, line.target) for line in read.events] == [
        (line.kvp, line.area_product_dgy_cm2, line.dose_rp_mgy, line.target) for line in recorded.events
    ]
    assert [line.started for line in read.events] == [line.started for line in recorded.events]
    assert (read.fluoroscopy, read.acquisition) == (recorded.fluoroscopy, recorded.acquisition)
    assert read.total == recorded.total
    assert (read.completion, recorded.completion) == ("COMPLETE", "")
    assert read.targets.keys() == {"Abdomen", "Chest"}
    assert sum(read.targets.values()) == pytest.approx(read.total.area_product_dgy_cm2)


def test_a_report_without_fluoroscopy_says_that_there_was_none() -> None:
    made = report(None)
    made.ContentSequence = [item for item in made.ContentSequence if not is_fluoroscopy(item)]
    (sums,) = find_items(made, "113702")
    of_fluoroscopy = ("113726", "113728", "113730")
    sums.ContentSequence = [
        item for item in sums.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue not in of_fluoroscopy
    ]
    assert overlook_report(made).fluoroscopy == DoseSums(0.0, 0.0, 0.0)
    assert overlook_report(report(None)).fluoroscopy != DoseSums(0.0, 0.0, 0.0)


def is_fluoroscopy(item: Dataset) -> bool:
    kinds = find_items(item, "113721")
    return bool(kinds) and kinds[0].ConceptCodeSequence[0].CodeMeaning == "Fluoroscopy"


def test_what_is_not_there_is_not_known() -> None:
    made = report(worklist(NAMES["ascii"]))
    event = find_items(made, "113706")[0]
    event.ContentSequence = [
        item for item in event.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue not in ("113733", "111526")
    ]
    units = find_items(event, "122130")[0].MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0]
    units.CodeValue = "rad"
    line = overlook_report(made).events[0]
    assert (line.kvp, line.started, line.area_product_dgy_cm2) == (None, None, None)


def test_another_object_is_refused() -> None:
    with pytest.raises(UsageError, match="no X-Ray Radiation Dose SR"):
        overlook_report(Dataset())
    made = report(None)
    made.ContentSequence = [made.ContentSequence[0]]
    with pytest.raises(UsageError, match="no projection radiography"):
        overlook_report(made)
