"""Projection X-Ray Radiation Dose, the root of the report (PS3.16 TID 10001; R/F Table 8.1-28)."""

from __future__ import annotations

from openmodality.objects.exam_facts import ExamFacts
from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import contains, dcm, make_container, relate
from openmodality.objects.report.dose_content import DoseContent
from openmodality.objects.report.tid_1002 import make_device_observer
from openmodality.objects.report.tid_10002 import make_accumulated_dose
from openmodality.objects.report.tid_10003 import make_irradiation_event
from openmodality.objects.rules.sequence_items import Code, SequenceItem


def make_dose_report(exam: ExamFacts, content: DoseContent) -> SequenceItem:
    """The content tree: a container with the accumulated dose, one more for each irradiation event."""
    intent = sr.make_code(Code("363703001", "SCT", "Has Intent"), Code("261004008", "SCT", "Diagnostic Intent"))
    reported = sr.make_code(
        dcm("121058", "Procedure reported"),
        dcm("113704", "Projection X-Ray"),
        [relate(sr.HAS_CONCEPT_MOD, intent)],
    )
    device = sr.make_code(
        dcm("122142", "Acquisition Device Type"), dcm("113957", "Fluoroscopy-Guided Projection Radiography System")
    )
    source = sr.make_code(dcm("113854", "Source of Dose Information"), dcm("113856", "Automated Data Collection"))
    observer = make_device_observer(
        content.device_observer_uid, exam.configuration, dcm("113859", "Irradiating Device")
    )
    comment = [sr.make_text(dcm("121106", "Comment"), content.comment)] if content.comment else []
    children = [
        relate(sr.HAS_CONCEPT_MOD, sr.make_language()),
        relate(sr.HAS_CONCEPT_MOD, reported),
        *contains(device),
        *(relate(sr.HAS_OBS_CONTEXT, item) for item in observer),
        relate(sr.HAS_OBS_CONTEXT, _make_scope(exam)),
        *contains(make_accumulated_dose(content)),
        *contains(*(make_irradiation_event(event, content) for event in content.events)),
        *contains(*comment, source),
    ]
    return make_container(dcm("113701", "X-Ray Radiation Dose Report"), children, template="10001")


def _make_scope(exam: ExamFacts) -> SequenceItem:
    """What the doses are summed over: the performed step, or the study where there is none."""
    if exam.step is not None:
        scope = dcm("113016", "Performed Procedure Step")
        uid = sr.make_uidref(dcm("121126", "Performed Procedure Step SOP Instance UID"), exam.step.sop_instance_uid)
    else:
        scope = dcm("113014", "Study")
        uid = sr.make_uidref(dcm("110180", "Study Instance UID"), exam.study_instance_uid)
    return sr.make_code(dcm("113705", "Scope of Accumulation"), scope, [relate(sr.HAS_PROPERTIES, uid)])
