"""What calls a DICOM port and is no DICOM is named."""

from __future__ import annotations

import pytest

from openmodality.upper_layer.foreign import HTTP, SSH, TLS_ALERT, TLS_HANDSHAKE, advise_on, describe_foreign
from openmodality.upper_layer.framing import Framing, Violation


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"GET / HTTP/1.1\r\n", HTTP),
        (b"OPTIONS * HTTP/1.1\r\n", HTTP),
        (b"HTTP/1.1 400 Bad Request\r\n", HTTP),
        (b"PRI * HTTP/2.0\r\n", HTTP),
        (bytes.fromhex("16030100c8010000c40303"), TLS_HANDSHAKE),
        (bytes.fromhex("15030100020246"), TLS_ALERT),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", SSH),
        (bytes.fromhex("1500000000020246"), ""),
        (b"GETTING", ""),
        (bytes(7), ""),
    ],
)
def test_the_first_bytes_tell_who_calls(data: bytes, said: str) -> None:
    assert describe_foreign(data[:6]) == said
    framing = Framing(4096)
    framing.feed(data)
    found = framing.next()
    assert isinstance(found, Violation)
    assert found.text == f"PDU type {data[0]:02X}H does not exist" + (f": {said}" if said else "")
    assert bool(advise_on(found.text)) == bool(said)
