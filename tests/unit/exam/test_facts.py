from __future__ import annotations

from dataclasses import replace

from openmodality.device.site.site import Site
from openmodality.exam.facts import describe_equipment, describe_exam, describe_series, list_items
from openmodality.store.data_set_json import to_json
from openmodality.store.listing.exams import SeriesRecord
from tests.exam_records import STUDY, exam_of, step_of
from tests.stand_in import scheduled


def test_an_exam_of_a_worklist_item(site: Site) -> None:
    item = scheduled(1)
    exam = replace(exam_of(), items=(to_json(item),), scheduled=True)
    facts = describe_exam(site, exam, None)
    assert (facts.study_instance_uid, facts.study_id, facts.accession_number) == (STUDY, "1", "A1")
    assert facts.worklist.PatientID == item.PatientID
    assert facts.user.PatientName == "DOE^JANE"
    assert list_items(exam) == [item]


def test_a_step_is_referred_to_where_a_ris_is_told_of_it(site: Site) -> None:
    assert describe_exam(site, exam_of(), step_of()).step is None
    told = describe_exam(site, exam_of(), replace(step_of(), n_create={"00080060": {"vr": "CS"}}, assigned_uid="1.9"))
    assert told.step is not None
    assert told.step.sop_instance_uid == "1.9"


def test_a_series_and_the_equipment(site: Site) -> None:
    series = SeriesRecord("1.2.1", 3, "MR Image", "MR", "T1", 1.7e9, "", "1.2.0", 12)
    facts = describe_series(series)
    assert (facts.series_instance_uid, facts.number, facts.images_in_acquisition) == ("1.2.1", 3, 12)
    assert facts.frame_of_reference_uid == "1.2.0"
    assert describe_equipment(site).PerformedStationName == site.equipment.station_name
