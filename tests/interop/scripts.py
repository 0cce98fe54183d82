"""C-ECHO and release as a script plays them, either role."""

from __future__ import annotations

from tests.interop import wire
from tests.interop.wire import VERIFICATION

ECHO_RQ, ECHO_RSP = 0x0030, 0x8030


def answer_echo(connection: wire.Wire) -> None:
    asked = connection.receive_command()
    message_id = int.from_bytes(asked[0x0110], "little")
    connection.send(wire.p_data(wire.value(wire.response(ECHO_RSP, VERIFICATION, message_id=message_id), 3)))


def ask_echo(connection: wire.Wire, message_id: int = 1) -> int:
    connection.send(wire.p_data(wire.value(wire.request(ECHO_RQ, VERIFICATION, message_id=message_id), 3)))
    return wire.status_of(connection.receive_command())


def release(connection: wire.Wire) -> None:
    connection.expect(wire.RELEASE_RQ)
    connection.send(wire.RELEASE_RESPONSE)
