"""Peers that do not speak the DICOM upper layer, told by the first six bytes of what they send (PS3.8 9.3.1).

The six bytes of a PDU's header are what is there before the type turns out to be none. They tell an error of the
configuration, so the text says which one; the bytes themselves are never shown.
"""

from __future__ import annotations

from typing import Final

_TLS_MAJOR_VERSION: Final = 3
_HTTP: Final = (
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"OPTION",
    b"DELETE",
    b"PATCH ",
    b"TRACE ",
    b"CONNEC",
    b"PRI * ",
    b"HTTP/",
)

TLS_ALERT: Final = "a TLS alert came: the other side expects TLS here, and this side speaks none"
TLS_HANDSHAKE: Final = "a TLS handshake came: the other side speaks TLS, and this port is plain"
HTTP: Final = (
    "this looks like HTTP, not DICOM: a browser or a monitor calls this port, or the port is that of a web server"
)
SSH: Final = "this looks like SSH, not DICOM: the port is that of another service"

_TLS: Final = {0x15: TLS_ALERT, 0x16: TLS_HANDSHAKE}
"""By the content type of the record (RFC 8446 5.1)."""
_ADVICE: Final = {
    TLS_ALERT: "use TLS for this peer, or the peer's port without TLS",
    TLS_HANDSHAKE: "use TLS on this side, or none on the other",
    HTTP: "check host and port: DICOM has a port of its own, often 104 or 11112",
    SSH: "check host and port: DICOM has a port of its own, often 104 or 11112",
}


def describe_foreign(header: bytes) -> str:
    """What the peer speaks whose first six bytes these are; "" where they tell nothing."""
    if header[1] == _TLS_MAJOR_VERSION and header[0] in _TLS:
        return _TLS[header[0]]
    if header.startswith(_HTTP):
        return HTTP
    return SSH if header.startswith(b"SSH-") else ""


def advise_on(violation: str) -> str:
    """What to do about a violation whose text tells of such a peer; "" for others."""
    return next((advice for found, advice in _ADVICE.items() if found in violation), "")
