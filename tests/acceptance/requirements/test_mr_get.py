"""C-GET, beyond the statement: off unless the site says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import evt
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    MRImageStorage,
    PatientRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

from tests.acceptance.requirements.query_device import QueryDevice, make_identifier, query_device
from tests.peers.pynetdicom_ae import associated

GET = {"PATIENT": PatientRootQueryRetrieveInformationModelGet, "STUDY": StudyRootQueryRetrieveInformationModelGet}
FIRST = ["1.2.1.1.1", "1.2.1.1.2", "1.2.1.2.1"]


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueryDevice]:
    with query_device(tmp_path_factory.mktemp("get"), extensions=["c_get"]) as made:
        yield made


def take_role() -> SCP_SCU_RoleSelectionNegotiation:
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid, role.scu_role, role.scp_role = MRImageStorage, False, True
    return role


def get(device: QueryDevice, model: str, statuses: dict[str, int] | None = None, cancel_at: str = "") -> Any:
    """The responses to a C-GET of the first study, and what came."""
    came: list[str] = []

    def store(event: evt.Event) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr]
        came.append(uid)
        if uid == cancel_at:
            event.assoc.send_c_cancel(5, query_model=GET[model])
        return (statuses or {}).get(uid, 0)

    handlers = [(evt.EVT_C_STORE, store)]
    contexts = [GET[model], MRImageStorage]
    with associated(device.address, contexts, handlers, calling="READER", ext_neg=[take_role()]) as association:
        patient = {"PatientID": "P1"} if model == "PATIENT" else {}
        asked = make_identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.1", **patient)
        responses = [(status, found) for status, found in association.send_c_get(asked, GET[model], msg_id=5)]
    return responses, came


@pytest.mark.parametrize("model", ["PATIENT", "STUDY"])
def test_the_images_come_on_the_association_that_asked_for_them(device: QueryDevice, model: str) -> None:
    responses, came = get(device, model)
    *pending, (final, _) = responses
    assert came == FIRST
    assert [(status.Status, status.NumberOfRemainingSuboperations) for status, _ in pending] == [
        (0xFF00, 2), (0xFF00, 1), (0xFF00, 0),
    ]  # fmt: skip
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0, 3)


def test_an_instance_that_is_refused_is_named_and_the_others_come(device: QueryDevice) -> None:
    responses, came = get(device, "STUDY", {"1.2.1.1.2": 0xA700})
    final, left = responses[-1]
    assert (final.Status, left.FailedSOPInstanceUIDList, came) == (0xB000, "1.2.1.1.2", FIRST)


def test_it_is_cancelled_between_two_images(device: QueryDevice) -> None:
    responses, came = get(device, "STUDY", cancel_at="1.2.1.1.1")
    final, _ = responses[-1]
    assert final.Status == 0xFE00
    assert came == FIRST[: len(came)]
    assert len(came) < 3
    assert final.NumberOfRemainingSuboperations == 3 - len(came)


def test_without_the_extension_it_is_not_there(tmp_path: Path) -> None:
    contexts = [Verification, *GET.values(), MRImageStorage]
    with (
        query_device(tmp_path) as device,
        associated(device.address, contexts, calling="READER", ext_neg=[take_role()]) as association,
    ):
        assert [str(each.abstract_syntax) for each in association.accepted_contexts] == [Verification]
