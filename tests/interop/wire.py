"""A peer that is a script: PDUs built here byte by byte, not by the code under test (PS3.8 9.3, PS3.7 6.3).

``listening`` runs a script against whoever connects; ``connected`` is the other way round.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.peers.process import HOST, Address

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
VERIFICATION = "1.2.840.10008.1.1"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
TIMEOUT_S = 10.0


class Wire:
    """One connection, PDU by PDU."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(TIMEOUT_S)
        self.socket = sock

    def send(self, *pdus: bytes) -> None:
        self.socket.sendall(b"".join(pdus))

    def receive(self) -> tuple[int, bytes]:
        """Type and variable field of the next PDU; (0, b"") where the other side has closed."""
        head = self._exactly(6)
        if len(head) < 6:
            return 0, b""
        return head[0], self._exactly(int.from_bytes(head[2:], "big"))

    def expect(self, pdu_type: int) -> bytes:
        found, body = self.receive()
        assert found == pdu_type, f"PDU type {found} came, {pdu_type} was due: {body[:8].hex()}"
        return body

    def receive_command(self) -> dict[int, bytes]:
        """The elements of the next command set, which comes in PDUs of one presentation data value each."""
        collected, control = b"", 0
        while not control & 2:
            body = self.expect(P_DATA)
            control = body[5]
            collected += body[6:]
        return elements(collected)

    def until_closed(self) -> list[int]:
        """The types of all PDUs that still come."""
        types = []
        with contextlib.suppress(ConnectionError):
            while (pdu_type := self.receive()[0]) != 0:
                types.append(pdu_type)
        return types

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (part := self.socket.recv(count - len(data))):
            data += part
        return data


@dataclass(frozen=True, slots=True)
class Script(Address):
    """A scripted peer and what its scripts gave back."""

    error: list[BaseException] = field(default_factory=list)
    result: list[Any] = field(default_factory=list)


@contextlib.contextmanager
def listening(*scripts: Callable[[Wire], Any]) -> Iterator[Script]:
    """Run each script against one connection, in order. At the end the scripts have ended and none has failed."""
    with socket.create_server((HOST, 0)) as server:
        server.settimeout(TIMEOUT_S)
        peer = Script("SCRIPT", server.getsockname()[1])
        thread = threading.Thread(target=_run, args=(server, scripts, peer), daemon=True)
        thread.start()
        yield peer
        thread.join(TIMEOUT_S)
        assert not thread.is_alive(), "the script did not end"
    if peer.error:
        raise peer.error[0]


def _run(server: socket.socket, scripts: Iterable[Callable[[Wire], Any]], peer: Script) -> None:
    try:
        for script in scripts:
            connection, _ = server.accept()
            with connection:
                peer.result.append(script(Wire(connection)))
    except BaseException as error:  # noqa: BLE001 - the thread's boundary; raised again where the script is awaited
        peer.error.append(error)


@contextlib.contextmanager
def connected(peer: Address) -> Iterator[Wire]:
    """A connection to a peer, nothing sent yet."""
    with socket.create_connection((peer.host, peer.port), TIMEOUT_S) as sock:
        yield Wire(sock)


@contextlib.contextmanager
def associated(peer: Address, *abstract_syntaxes: str, **fields: Any) -> Iterator[Wire]:
    """A connection on which the association request has been accepted."""
    with connected(peer) as wire:
        wire.send(associate_rq([(uid, [IMPLICIT]) for uid in abstract_syntaxes or (VERIFICATION,)], **fields))
        wire.expect(ASSOCIATE_AC)
        yield wire


def pdu(pdu_type: int, body: bytes) -> bytes:
    return struct.pack(">BxL", pdu_type, len(body)) + body


def item(item_type: int, body: bytes) -> bytes:
    return struct.pack(">BxH", item_type, len(body)) + body


def associate_rq(
    contexts: Iterable[tuple[str, Iterable[str]]],
    *,
    called: str = "OURS",
    calling: str = "SCRIPT",
    max_pdu: int = 16384,
    padding: bytes = b"",
    application_context: str = "1.2.840.10008.3.1.1.1",
) -> bytes:
    """``padding`` goes behind every UID, which PS3.8 Annex F forbids."""

    def uid(item_type: int, value: str) -> bytes:
        return item(item_type, value.encode() + padding)

    body = _titles(called, calling) + uid(0x10, application_context)
    for number, (abstract, transfers) in enumerate(contexts):
        syntaxes = b"".join(uid(0x40, transfer) for transfer in transfers)
        body += item(0x20, bytes((2 * number + 1, 0, 0, 0)) + uid(0x30, abstract) + syntaxes)
    return pdu(ASSOCIATE_RQ, body + _user_information(max_pdu, padding))


def associate_ac(
    contexts: Iterable[tuple[int, int, str | None]],
    *,
    max_pdu: int = 16384,
    padding: bytes = b"",
    window: int | None = None,
) -> bytes:
    """``contexts``: id, result, transfer syntax (``None``: no item at all); ``window``: operations invoked."""
    body = _titles("SCRIPT", "OURS") + item(0x10, b"1.2.840.10008.3.1.1.1" + padding)
    for number, result, transfer in contexts:
        syntax = b"" if transfer is None else item(0x40, transfer.encode() + (padding if transfer else b""))
        body += item(0x21, bytes((number, 0, result, 0)) + syntax)
    return pdu(ASSOCIATE_AC, body + _user_information(max_pdu, padding, window))


def _titles(called: str, calling: str) -> bytes:
    return struct.pack(">HH", 1, 0) + called.ljust(16).encode() + calling.ljust(16).encode() + bytes(32)


def _user_information(max_pdu: int, padding: bytes, window: int | None = None) -> bytes:
    operations = b"" if window is None else item(0x53, struct.pack(">HH", window, 1))
    return item(0x50, item(0x51, struct.pack(">L", max_pdu)) + item(0x52, b"1.2.3.4" + padding) + operations)


def rejection(result: int, source: int, reason: int) -> bytes:
    return pdu(ASSOCIATE_RJ, bytes((0, result, source, reason)))


def abortion(source: int = 0, reason: int = 0) -> bytes:
    return pdu(ABORT, bytes((0, 0, source, reason)))


RELEASE_REQUEST = pdu(RELEASE_RQ, bytes(4))
RELEASE_RESPONSE = pdu(RELEASE_RP, bytes(4))


def value(data: bytes, control: int, context: int = 1) -> bytes:
    """One presentation data value item; ``control`` bit 0 command, bit 1 last fragment."""
    return struct.pack(">LBB", len(data) + 2, context, control) + data


def p_data(*values: bytes) -> bytes:
    return pdu(P_DATA, b"".join(values))


def element(number: int, data: bytes) -> bytes:
    """An element of group 0000, implicit VR."""
    return struct.pack("<HHL", 0, number, len(data)) + data


def us(number: int) -> bytes:
    return struct.pack("<H", number)


def ui(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) & 1)


def command(*parts: bytes) -> bytes:
    body = b"".join(parts)
    return element(0, struct.pack("<L", len(body))) + body


def request(field_: int, sop_class: str, *parts: bytes, message_id: int = 1, data_set: int = 0x0101) -> bytes:
    """A command set of a request; ``parts`` are the elements behind (0000,0800)."""
    return command(
        element(0x0002, ui(sop_class)),
        element(0x0100, us(field_)),
        element(0x0110, us(message_id)),
        element(0x0800, us(data_set)),
        *parts,
    )


def response(
    field_: int, sop_class: str, *parts: bytes, message_id: int = 1, status: int = 0, data_set: int = 0x0101
) -> bytes:
    return command(
        element(0x0002, ui(sop_class)),
        element(0x0100, us(field_)),
        element(0x0120, us(message_id)),
        element(0x0800, us(data_set)),
        element(0x0900, us(status)),
        *parts,
    )


def store_rq(sop_instance: str, message_id: int = 1, data_set: int = 0x0000, sop_class: str = MR_IMAGE) -> bytes:
    return request(0x0001, sop_class, element(0x1000, ui(sop_instance)), message_id=message_id, data_set=data_set)


def elements(raw: bytes) -> dict[int, bytes]:
    """The elements of a command set by their number."""
    found, offset = {}, 0
    while offset < len(raw):
        _, number, length = struct.unpack_from("<HHL", raw, offset)
        found[number] = raw[offset + 8 : offset + 8 + length]
        offset += 8 + length
    return found


def status_of(found: dict[int, bytes]) -> int:
    return int.from_bytes(found[0x0900], "little")


def implicit_image(sop_instance: str, length_bytes: int = 1000, sop_class: str = MR_IMAGE) -> bytes:
    """A data set of three elements in Implicit VR Little Endian."""

    def data_element(group: int, number: int, data: bytes) -> bytes:
        return struct.pack("<HHL", group, number, len(data)) + data

    return (
        data_element(0x0008, 0x0016, ui(sop_class))
        + data_element(0x0008, 0x0018, ui(sop_instance))
        + data_element(0x7FE0, 0x0010, bytes(length_bytes))
    )
