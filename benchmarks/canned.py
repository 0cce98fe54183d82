"""A worklist of items that are encoded already: what is measured of a query is the asking.

``python -m benchmarks.canned PORT ITEMS`` is the process of this peer.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydicom.uid import generate_uid

from benchmarks.ends import call_ours, running, take_cpu_time
from benchmarks.sites import describe_device, describe_peer, save_site
from openmodality.dimse.channel import Message, read_all
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.service import Response, Service
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.entity import LocalAE
from openmodality.standard.dimse import CommandField, Status
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.acceptance import AcceptorPolicy, Load, PeerPolicy, SyntaxPolicy, decide_answer
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from tests.peers.objects import worklist_item
from tests.peers.process import free_port
from tests.peers.programs import program

_TITLE: Final = "CANNED"
_PARAMETERS: Final = "parameters.worklist.max_items = 9999\nparameters.worklist.response_timeout_s = 300\n"
"""A busy machine may need long."""
_SYNTAX: Final = IMPLICIT_VR_LITTLE_ENDIAN

Taken = dict[str, float]
"""CPU seconds by who asked."""


def time_asking(items: int) -> Taken:
    """The CPU seconds of whole processes that ask for a worklist of so many items."""
    port = free_port()
    with (
        TemporaryDirectory() as name,
        running((sys.executable, "-m", "benchmarks.canned", str(port), str(items)), port),
    ):
        folder = Path(name)
        ris = describe_peer("ris", _TITLE, port, services=["worklist"])
        save_site(folder, describe_device(), ris, _PARAMETERS)
        commands: dict[str, Sequence[str]] = {
            "straight": call_ours("worklist", f"{_TITLE}@127.0.0.1:{port}", "--limit", str(items)),
            "device": call_ours("worklist"),
            "device again": call_ours("worklist"),
            "findscu": (str(program("findscu")), "-W", "-aec", _TITLE, "-k", "PatientName", "127.0.0.1", str(port)),
        }
        return {who: take_cpu_time(command, folder) for who, command in commands.items()}


def _make_items(count: int) -> Iterator[bytes]:
    today = date.today().strftime("%Y%m%d")
    item = worklist_item(ScheduledProcedureStepStartDate=today, ScheduledStationAETitle="OM_MR")
    [step] = item.ScheduledProcedureStepSequence
    for number in range(count):
        item.PatientName, item.PatientID, item.AccessionNumber = f"Müller{number}^Anna", f"P{number}", f"A{number}"
        item.StudyInstanceUID, step.ScheduledProcedureStepID = generate_uid(), f"S{number}"
        yield encode_data_set(item, _SYNTAX)


def _make_service(items: Sequence[bytes]) -> Service:
    def answer(message: Message) -> Iterator[Response]:
        read_all(message)
        for item in items:
            yield Response(Status.PENDING, item)
        yield Response(Status.SUCCESS)

    return Service("Canned", frozenset({MODALITY_WORKLIST_FIND}), {CommandField.C_FIND_RQ: answer})


def _make_decision(local: LocalAE) -> Callable[[A_ASSOCIATE_RQ, Load], A_ASSOCIATE_AC | A_ASSOCIATE_RJ]:
    policy = AcceptorPolicy(local.side, lambda _: PeerPolicy({MODALITY_WORKLIST_FIND: SyntaxPolicy((_SYNTAX,))}))
    return lambda request, load: decide_answer(request, policy, load)


@contextmanager
def _listening(port: int, count: int) -> Iterator[None]:
    local = LocalAE(_TITLE)
    service = _make_service(list(_make_items(count)))
    with Acceptor(local, [service], _make_decision(local), Listening("127.0.0.1", port)):
        yield


if __name__ == "__main__":
    with _listening(int(sys.argv[1]), int(sys.argv[2])):
        threading.Event().wait()
