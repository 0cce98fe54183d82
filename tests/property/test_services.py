"""Whatever data set arrives, a service answers it, and nothing inside it breaks."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from openmodality.dimse.channel import PeerInfo, PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import decode_data_set
from openmodality.dimse.request_response import await_response, send_request
from openmodality.dimse.service import Refuse, Service
from openmodality.dimse.status import is_pending
from openmodality.errors import ObjectInvalid
from openmodality.query.moving import Transfer
from openmodality.services.commitment import (
    CommitmentRequest,
    CommitmentResult,
    Missing,
    commitment_result_service,
    commitment_service,
)
from openmodality.services.mpps import mpps_service
from openmodality.services.query_retrieve import MoveRequest, move_service, query_service
from openmodality.services.worklist import Defect, find_defects, worklist_service
from openmodality.standard.dimse import CommandField
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    STORAGE_COMMITMENT_PUSH_MODEL,
    STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED
from tests.loopback import loopback_pair


class Everything:
    """All ports at once: has two entities, knows no transaction, sends nothing."""

    def list_supported(self, level: Level, identifier: Dataset) -> None:
        """All keys."""

    def find(self, *_: Any) -> Any:
        item = Dataset()
        item.PatientID = "1"
        item.ScheduledProcedureStepSequence = [Dataset()]
        return [item, Dataset()]

    def open(self, request: MoveRequest) -> Transfer:
        raise Refuse(0xA801, "nobody")

    def create(self, sop_instance_uid: str, attributes: Dataset) -> bool:
        return True

    def update(self, sop_instance_uid: str, change: Any) -> bool:
        change(Dataset())
        return True

    def commit(self, request: CommitmentRequest) -> None:
        assert request.references

    def answered(self, request: CommitmentRequest) -> None:
        assert request.references


class NothingKnown:
    def find(self, transaction_uid: str, peer: PeerInfo) -> Missing:
        return Missing.UNKNOWN

    def keep_result(self, result: CommitmentResult, peer: PeerInfo) -> None:
        raise AssertionError("nothing was asked for")


PORT = Everything()
ASKED: list[tuple[str, CommandField, Service]] = [
    (MODALITY_WORKLIST_FIND, CommandField.C_FIND_RQ, worklist_service(PORT)),
    (STUDY_ROOT_FIND, CommandField.C_FIND_RQ, query_service(PORT, "ARCHIVE")),
    (STUDY_ROOT_MOVE, CommandField.C_MOVE_RQ, move_service(PORT)),
    (MODALITY_PERFORMED_PROCEDURE_STEP, CommandField.N_CREATE_RQ, mpps_service(PORT)),
    (MODALITY_PERFORMED_PROCEDURE_STEP, CommandField.N_SET_RQ, mpps_service(PORT)),
    (STORAGE_COMMITMENT_PUSH_MODEL, CommandField.N_ACTION_RQ, commitment_service(PORT)),
    (STORAGE_COMMITMENT_PUSH_MODEL, CommandField.N_EVENT_REPORT_RQ, commitment_result_service(NothingKnown())),
]


def element(tag: int, vr: str, value: bytes) -> bytes:
    value += b" " * (len(value) & 1)
    head = tag.to_bytes(4, "little")[2:] + tag.to_bytes(4, "little")[:2] + vr.encode()
    if vr in ("SQ", "OB", "UN", "UT"):
        return head + b"\0\0" + len(value).to_bytes(4, "little") + value
    return head + len(value).to_bytes(2, "little") + value


SUSPECTS = st.sampled_from(
    [
        *(0x00080005, 0x00080018, 0x00080052, 0x00081195, 0x00081197, 0x00081198, 0x00081199, 0x00090010),
        *(0x00100010, 0x00100020, 0x0020000D, 0x0020000E, 0x00400100, 0x00400252, 0x00400340),
    ]
)
VRS = st.sampled_from(["UI", "PN", "CS", "DA", "TM", "DS", "IS", "US", "SQ", "UN", "AT", "UT"])
CONTENT = st.binary(max_size=12) | st.sampled_from([b"STUDY", b"IMAGE", b"1.2.3", b"IN PROGRESS", b"COMPLETED", b"*"])
ELEMENTS = st.dictionaries(SUSPECTS, st.tuples(VRS, CONTENT), max_size=8).map(
    lambda chosen: b"".join(element(tag, *chosen[tag]) for tag in sorted(chosen))
)


@given(st.sampled_from(ASKED), ELEMENTS | st.binary(max_size=60).map(lambda raw: raw[: len(raw) // 2 * 2]))
def test_noise_is_answered(asked: tuple[str, CommandField, Service], raw: bytes) -> None:
    syntax, command_field, service = asked
    channel, _ = loopback_pair([PresentationContext(1, syntax, EXPLICIT_VR_LITTLE_ENDIAN)], [service])
    command = Command(
        CommandField=command_field,
        AffectedSOPClassUID=syntax,
        RequestedSOPClassUID=syntax,
        RequestedSOPInstanceUID=STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
        ActionTypeID=1,
        EventTypeID=1,
        MoveDestination="SOMEWHERE",
    )
    message_id = send_request(channel, 1, command, raw)
    response = await_response(channel, message_id)
    while is_pending(response.command.Status):
        response = await_response(channel, message_id)
    assert "internal error" not in (response.command.ErrorComment or "")


@given(ELEMENTS, st.sampled_from(UNCOMPRESSED))
def test_any_item_has_defects_or_is_no_data_set(raw: bytes, transfer_syntax: str) -> None:
    try:
        item = decode_data_set(raw, transfer_syntax)
    except ObjectInvalid:
        return
    assert Defect(0x00400100, "missing") in find_defects(item) or 0x00400100 in item
