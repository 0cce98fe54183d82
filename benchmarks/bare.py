"""The least that a C-STORE SCU and SCP must do: ``python -m benchmarks.bare``. The library negotiates, then only bytes.

The sender has each instance in one buffer, cut into PDUs, before the response to the one before has come; responses are
waited for without sleeping, and not read. The receiver waits without sleeping, too, looks at nothing in a data set and
writes it at once. No other can be much faster than these beside the same peer.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final

from openmodality.buffer import Buffer
from openmodality.dimse.channel import PresentationContext
from openmodality.dimse.command import Command, decode_command, encode_command
from openmodality.dimse.service import Response, Service
from openmodality.errors import TransportError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import StorageClasses, storage_policy
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.services.storage import make_store_command
from openmodality.services.storage_plan import choose_context, plan_associations
from openmodality.standard.dimse import CommandField
from openmodality.standard.upper_layer import PDU_A_RELEASE_RQ, PDU_P_DATA_TF
from openmodality.upper_layer.p_data import max_fragment_length, pack_header
from openmodality.upper_layer.pdu import A_RELEASE_RP

_BUFFER = 1 << 22
_COMMAND = 0x03
_LAST = 0x02
_HEAD = 400  # bytes of preamble and File Meta Information, about
_RESPONSE = 512  # bytes at the end of the buffer, for a response
_RELEASE_BYTES = 10
_HEADERS: Final = Struct(">BxLLBB").unpack_from


def send(path: Path, port: int) -> None:
    """Send every file below ``path``, each shorter than the buffer, to an acceptor with any AE title."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    instances = [read_instance(file) for file in files]
    (planned,) = plan_associations(instance.kind for instance in instances)
    association = associate(RemoteAE("ANY", "127.0.0.1", port), LocalAE("BARE"), planned.proposals)
    sock, limit = association._link.transport._sock, max_fragment_length(association.max_pdu_length)
    buffer = memoryview(bytearray(_BUFFER))
    for number, instance in enumerate(instances, start=1):
        context = choose_context(association.contexts, instance.kind)
        assert context is not None
        length = _cut(buffer, instance, context, number, limit)
        if number > 1:
            _await_response(sock)
        sock.sendall(buffer[:length])
    _await_response(sock)
    association.release()


def _cut(buffer: memoryview, instance: FileInstance, context: PresentationContext, message_id: int, limit: int) -> int:
    """Fill the buffer with the PDUs of a C-STORE; how many bytes they are."""
    command = make_store_command(instance.identity)._replace(MessageID=message_id & 0xFFFF, CommandDataSetType=1)
    end = _put(buffer, 0, encode_command(command), context.context_id)
    left, parts = instance.length_bytes, []
    while left:
        part = min(left, limit)
        left -= part
        control = 0 if left else _LAST
        buffer[end : end + 12] = pack_header(PDU_P_DATA_TF, part + 6, part + 2, context.context_id, control)
        parts.append(buffer[end + 12 : end + 12 + part])
        end += 12 + part
    with instance.path.open("rb") as file:
        os.preadv(file.fileno(), parts, instance.offset_bytes)
    return end


def _put(buffer: memoryview, start: int, command: bytes, context_id: int) -> int:
    size = len(command)
    buffer[start : start + 12] = pack_header(PDU_P_DATA_TF, size + 6, size + 2, context_id, _COMMAND)
    buffer[start + 12 : start + 12 + size] = command
    return start + 12 + size


def _await_response(sock: socket.socket) -> None:
    have = b""
    while len(have) < 6 or len(have) < 6 + int.from_bytes(have[2:6], "big"):
        with suppress(BlockingIOError):
            have += sock.recv(65536, socket.MSG_DONTWAIT)


def receive(folder: Path, port: int) -> None:
    """Take associations; each instance goes to a file in ``folder``, in one write, unchecked."""

    def serve(association: Association) -> None:
        sock, buffer = association._link.transport._sock, memoryview(bytearray(_BUFFER))
        while _receive_one(sock, buffer, folder):
            pass
        sock.sendall(A_RELEASE_RP().encode())

    Association.serve = serve  # type: ignore[assignment, method-assign]  # what is measured is what the library does there
    local = LocalAE("BARE")
    service = Service("Storage", StorageClasses(), {CommandField.C_STORE_RQ: lambda _: Response(0)})
    with Acceptor(local, (service,), storage_policy(local), Listening("127.0.0.1", port)):
        threading.Event().wait()


def _receive_one(sock: socket.socket, buffer: memoryview, folder: Path) -> bool:
    """One C-STORE, which fits the buffer; False where a release comes instead."""
    end = _more(sock, buffer, 0, 12)
    if end < 12:
        return False
    _, pdu_length, _, context_id, _ = _HEADERS(buffer, 0)
    start = 6 + pdu_length
    end = _more(sock, buffer, end, start)
    request = decode_command(bytes(buffer[12:start]))
    response = Command(
        CommandField=CommandField.C_STORE_RSP,
        MessageIDBeingRespondedTo=request.MessageID,
        AffectedSOPClassUID=request.AffectedSOPClassUID,
        AffectedSOPInstanceUID=request.AffectedSOPInstanceUID,
        Status=0,
    )
    length = _put(buffer[-_RESPONSE:], 0, encode_command(response), context_id)
    temporary = folder / f"{request.AffectedSOPInstanceUID}.part"
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    parts: list[Buffer] = [bytes(_HEAD)]
    control = 0
    while not control & _LAST:
        end = _more(sock, buffer, end, start + 12)
        _, pdu_length, _, _, control = _HEADERS(buffer, start)
        end = _more(sock, buffer, end, start + 6 + pdu_length)
        parts.append(buffer[start + 12 : start + 6 + pdu_length])
        start += 6 + pdu_length
    if os.writev(file, parts) != sum(map(len, parts)):
        raise OSError("the file took only a part")
    os.close(file)
    temporary.rename(temporary.with_suffix(".dcm"))
    sock.sendall(buffer[-_RESPONSE:][:length])
    return True


def _more(sock: socket.socket, buffer: memoryview, end: int, needed: int) -> int:
    """Read without sleeping until ``needed`` bytes of the buffer are filled, or a release has come; how many are."""
    while end < needed and not (end == _RELEASE_BYTES and buffer[0] == PDU_A_RELEASE_RQ):
        with suppress(BlockingIOError):
            count = sock.recv_into(buffer[end:], 0, socket.MSG_DONTWAIT)
            if not count:
                raise TransportError("the peer has closed")
            end += count
    return end


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
