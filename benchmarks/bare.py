"""The least that a C-STORE SCU must do: negotiated by the library, then only bytes. ``python -m benchmarks.bare``.

Each instance lies in one buffer, cut into PDUs, before the response to the one before has come; responses are waited
for without sleeping, and not read. No sender can be much faster than that beside the same receiver.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from openmodality.dimse.channel import PresentationContext
from openmodality.dimse.command import encode
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.instances import FileInstance, read_instance
from openmodality.network.requestor import associate
from openmodality.services.storage import store_command
from openmodality.services.storage_plan import choose, plan
from openmodality.standard.upper_layer import PDU_P_DATA_TF
from openmodality.upper_layer.p_data import max_fragment_length, pack_header

_BUFFER = 1 << 22
_COMMAND = 0x03
_LAST = 0x02


def send(path: Path, port: int) -> None:
    """Send every file below ``path``, each shorter than the buffer, to an acceptor with any AE title."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    instances = [read_instance(file) for file in files]
    (planned,) = plan(instance.kind for instance in instances)
    association = associate(RemoteAE("ANY", "127.0.0.1", port), LocalAE("BARE"), planned.proposals)
    sock, limit = association._transport._sock, max_fragment_length(association._max_pdu_length)
    buffer = memoryview(bytearray(_BUFFER))
    for number, instance in enumerate(instances, start=1):
        context = choose(association.contexts, instance.kind)
        assert context is not None
        length = _cut(buffer, instance, context, number, limit)
        if number > 1:
            _await_response(sock)
        sock.sendall(buffer[:length])
    _await_response(sock)
    association.release()


def _cut(buffer: memoryview, instance: FileInstance, context: PresentationContext, message_id: int, limit: int) -> int:
    """Fill the buffer with the PDUs of a C-STORE; how many bytes they are."""
    command = store_command(instance.identity)._replace(MessageID=message_id & 0xFFFF, CommandDataSetType=1)
    end = _put(buffer, 0, encode(command), context.context_id)
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


if __name__ == "__main__":
    send(Path(sys.argv[1]), int(sys.argv[2]))
