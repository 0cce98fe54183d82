"""Syslog messages that carry audit messages: RFC 5424 as PS3.15 A.6 uses it, and the octet counts of RFC 5425.

``<85>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID - BOM XML``: facility 10 (security), severity 5 (notice).
"""

from __future__ import annotations

import re
from typing import Final

from openmodality.value_class import dataclass

PRIORITY: Final = 85
"""Facility 10, severity 5."""
MESSAGE_IDS: Final = ("DICOM+RFC3881", "IHE+RFC-3881")
LARGEST_MESSAGE: Final = 4 << 20
"""What a receiver takes as one message, in bytes."""
_BOM: Final = b"\xef\xbb\xbf"
_DIGITS: Final = re.compile(rb"[1-9][0-9]{0,8}")
_HEADER: Final = re.compile(
    rb"<(?P<priority>[0-9]{1,3})>(?P<version>[1-9][0-9]?) (?P<time>\S+) (?P<host>\S{1,255}) (?P<app>\S{1,48})"
    rb" (?P<process>\S{1,128}) (?P<id>\S{1,32}) (?P<data>-|\[.*?\]) ?",
    re.DOTALL,
)
_TIME: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class SyslogHeader:
    """What stands before an audit message: when, where, which process, and what the message is."""

    timestamp: str
    host: str
    process_id: str
    message_id: str = MESSAGE_IDS[0]
    application: str = "openmodality"


class SyslogFault(ValueError):
    """What was received is no syslog message of RFC 5424, or is not framed as RFC 5425 says."""


def encode_syslog(header: SyslogHeader, message: str) -> bytes:
    """The syslog message for an audit message."""
    words = (header.timestamp, header.host, header.application, header.process_id, header.message_id)
    longest = (255, 255, 48, 128, 32)
    fields = " ".join(_clean(word, most) for word, most in zip(words, longest, strict=True))
    return f"<{PRIORITY}>1 {fields} - ".encode() + _BOM + message.encode()


def frame_octets(message: bytes) -> bytes:
    """A syslog message with its octet count before it (RFC 5425 4.3)."""
    return str(len(message)).encode() + b" " + message


def parse_syslog(message: bytes) -> tuple[SyslogHeader, bytes]:
    """Header and content of a syslog message, the content without its BOM.

    Raises :class:`SyslogFault` where it is not as PS3.15 A.6 has it.
    """
    found = _HEADER.match(message)
    if found is None:
        raise SyslogFault("no header of RFC 5424")
    if int(found["priority"]) != PRIORITY or found["version"] != b"1":
        raise SyslogFault("priority and version are not <85>1")
    if not _TIME.fullmatch(found["time"]):
        raise SyslogFault("the time stamp does not follow RFC 5424")
    content = message[found.end() :]
    if not content.startswith(_BOM):
        raise SyslogFault("the content has no BOM before it")
    message_id = found["id"].decode("ascii", "replace")
    if message_id not in MESSAGE_IDS:
        raise SyslogFault(f"MSGID is neither {' nor '.join(MESSAGE_IDS)}")
    names = (found[name].decode("ascii", "replace") for name in ("time", "host", "process"))
    time, host, process = names
    header = SyslogHeader(time, host, process, message_id, found["app"].decode("ascii", "replace"))
    return header, content.removeprefix(_BOM)


class OctetFrames:
    """Takes a stream apart into the messages that were framed by octet counts."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive_data(self, data: bytes) -> list[bytes]:
        """The messages that are whole now. Raises :class:`SyslogFault` where the stream is not framed."""
        self._buffer += data
        found: list[bytes] = []
        while (message := self._take_message()) is not None:
            found.append(message)
        return found

    @property
    def is_between_messages(self) -> bool:
        """Whether nothing of a message has come without its end."""
        return not self._buffer

    def _take_message(self) -> bytes | None:
        end = self._buffer.find(b" ", 0, 11)
        if end < 0:
            if len(self._buffer) > 10 or (self._buffer and not _DIGITS.fullmatch(self._buffer)):
                raise SyslogFault("no octet count before a message")
            return None
        if not _DIGITS.fullmatch(self._buffer, 0, end) or (length := int(self._buffer[:end])) > LARGEST_MESSAGE:
            raise SyslogFault("no octet count before a message")
        if len(self._buffer) < end + 1 + length:
            return None
        message = bytes(self._buffer[end + 1 : end + 1 + length])
        del self._buffer[: end + 1 + length]
        return message


def _clean(word: str, most: int) -> str:
    """A field of the header: printable ASCII without blanks, ``-`` where there is nothing (RFC 5424 6)."""
    kept = "".join(character if "!" <= character <= "~" else "_" for character in word)
    return kept[:most] or "-"
