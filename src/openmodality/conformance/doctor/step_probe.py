"""Probes of the performed procedure step, which leave a discontinued step of a test patient at the peer (PS3.4 F.7).

N-CREATE, the same N-CREATE again, N-SET that discontinues it, and one more N-SET, which has to be refused.
"""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import Severity, Written, classify, format_status
from openmodality.conformance.doctor.made_data import MadeStudy
from openmodality.dimse.channel import Channel, Message, context_for
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.status import StatusCategory, categorize, describe
from openmodality.encoding.uid import new_uid
from openmodality.errors import OpenModalityError
from openmodality.services.mpps import update_step
from openmodality.standard.dimse import CommandField
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP

_AREA: Final = "performed step"


def probe_step(examination: Examination, study: MadeStudy) -> None:
    """Create a step of the test patient, and discontinue it."""
    if not examination.accepts(MODALITY_PERFORMED_PROCEDURE_STEP):
        return
    uid = new_uid()
    examination.written.append(_make_record(uid, StepStatus.IN_PROGRESS))
    try:
        with examination.talk("mpps", MODALITY_PERFORMED_PROCEDURE_STEP) as association:
            station = examination.ends("mpps").local.ae_title
            attributes = study.make_new_step(station)
            known_as = _create(examination, association, uid, attributes)
            if known_as:
                examination.written[-1] = _make_record(known_as, StepStatus.IN_PROGRESS)
                _end(examination, association, known_as, study)
            else:
                examination.written.pop()
            if known_as and not examination.is_slow:
                _create_again(examination, association, known_as, attributes)
    except OpenModalityError as error:
        examination.observe("step", classify(error))
        examination.note(_AREA, "N-CREATE and N-SET", error.message, Severity.PROBLEM)


def _make_record(uid: str, status: StepStatus) -> Written:
    """The step as the peer has it, as far as its answers say."""
    return Written("performed step", uid, status.value)


def _send_create(channel: Channel, uid: str, attributes: Dataset) -> Message:
    """N-CREATE; the response as it came, since whether it names the instance is to be seen."""
    context = context_for(channel, MODALITY_PERFORMED_PROCEDURE_STEP)
    command = Command(
        CommandField=CommandField.N_CREATE_RQ,
        AffectedSOPClassUID=MODALITY_PERFORMED_PROCEDURE_STEP,
        AffectedSOPInstanceUID=uid,
    )
    data = encode_data_set(attributes, context.transfer_syntax)
    return send_and_await(channel, context.context_id, command, data)


def _create(examination: Examination, channel: Channel, uid: str, attributes: Dataset) -> str:
    """Create the step; the UID that the peer knows it by, empty where it has refused."""
    said = _send_create(channel, uid, attributes).command
    status = said.Status or 0
    if not _note_status(examination, "N-CREATE", status, said.ErrorComment):
        return ""
    answered = said.AffectedSOPInstanceUID
    if not answered:
        examination.observe("step", "no UID")
        text = "N-CREATE is answered without SOP Instance UID: ours holds"
        examination.note(_AREA, "N-CREATE", text, Severity.NOTE)
    elif answered != uid:
        examination.observe("step", "other UID")
        text = "N-CREATE is answered with another SOP Instance UID, which holds from then on"
        examination.note(_AREA, "N-CREATE", text, Severity.NOTE)
    return answered or uid


def _note_status(examination: Examination, operation: str, status: int, comment: str | None) -> bool:
    """Put the status of a request on record; whether it was done."""
    category = categorize(status)
    is_done = category in (StatusCategory.SUCCESS, StatusCategory.WARNING)
    if category is not StatusCategory.SUCCESS:
        examination.observe("step", format_status(status))
    verdict = {StatusCategory.SUCCESS: Severity.FACT, StatusCategory.WARNING: Severity.NOTE}.get(
        category, Severity.PROBLEM
    )
    examination.note(_AREA, operation, f"{operation} is answered with {describe(status, comment)}", verdict)
    examination.facts[f"mpps_{operation}"] = f"{status:04X}"
    return is_done


def _end(examination: Examination, channel: Channel, uid: str, study: MadeStudy) -> None:
    """Discontinue the step, and once more, which is to fail (PS3.4 F.7.2.2.2)."""
    answer = update_step(channel, uid, study.make_step_end())
    if not _note_status(examination, "N-SET", answer.status, answer.comment):
        return
    examination.written[-1] = _make_record(uid, StepStatus.DISCONTINUED)
    if examination.is_slow:
        return
    again = update_step(channel, uid, study.make_step_end())
    text = f"N-SET of a step that has ended is answered with {describe(again.status, again.comment)}"
    is_refused = categorize(again.status) is StatusCategory.FAILURE
    examination.note(_AREA, "N-SET again", text, Severity.FACT if is_refused else Severity.NOTE)


def _create_again(examination: Examination, channel: Channel, uid: str, attributes: Dataset) -> None:
    said = _send_create(channel, uid, attributes).command
    status = said.Status or 0
    text = f"N-CREATE of a step that exists is answered with {describe(status, said.ErrorComment)}"
    is_refused = categorize(status) is StatusCategory.FAILURE
    examination.note(_AREA, "N-CREATE again", text, Severity.FACT if is_refused else Severity.NOTE)
