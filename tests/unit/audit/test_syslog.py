from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.audit.syslog import (
    LARGEST_MESSAGE,
    OctetFrames,
    SyslogFault,
    SyslogHeader,
    encode_syslog,
    frame_octets,
    parse_syslog,
)

HEADER = SyslogHeader("2026-11-30T00:53:20.250Z", "mr 1.hospital", "4711")


def test_the_header_is_that_of_the_profile() -> None:
    message = encode_syslog(HEADER, "<AuditMessage/>")
    assert message == (
        b"<85>1 2026-11-30T00:53:20.250Z mr_1.hospital openmodality 4711 DICOM+RFC3881 - \xef\xbb\xbf<AuditMessage/>"
    )
    header, content = parse_syslog(message)
    assert (header.host, header.process_id, header.message_id) == ("mr_1.hospital", "4711", "DICOM+RFC3881")
    assert content == b"<AuditMessage/>"


def test_what_is_missing_in_a_header_is_a_dash() -> None:
    assert encode_syslog(SyslogHeader("2026-11-30T00:53:20Z", "", ""), "x").startswith(
        b"<85>1 2026-11-30T00:53:20Z - openmodality - DICOM+RFC3881 - "
    )


GOOD = encode_syslog(HEADER, "<AuditMessage/>")


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (b"", "no header"),
        (GOOD.replace(b"<85>1", b"<86>1"), "priority"),
        (GOOD.replace(b"<85>1", b"<85>2"), "priority"),
        (GOOD.replace(b"2026-11-30T", b"2026-11-30 "), "no header|time stamp"),
        (GOOD.replace(b"00:53:20.250Z", b"00:53:20"), "time stamp"),
        (GOOD.replace(b"\xef\xbb\xbf", b""), "BOM"),
        (GOOD.replace(b"DICOM+RFC3881", b"OTHER"), "MSGID"),
        (b"<85>Nov 30 00:53:20 mr openmodality: <AuditMessage/>", "no header"),
    ],
)
def test_what_is_not_as_the_profile_has_it_is_named(message: bytes, fault: str) -> None:
    with pytest.raises(SyslogFault, match=fault):
        parse_syslog(message)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.data())
def test_any_chunking_of_a_stream_gives_the_same_messages(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame_octets, messages))
    frames, found, place = OctetFrames(), list[bytes](), 0
    while place < len(stream):
        count = data.draw(st.integers(1, len(stream) - place))
        found += frames.receive_data(stream[place : place + count])
        place += count
    assert found == messages
    assert frames.is_between_messages


@pytest.mark.parametrize(
    "stream", [b"x", b"0 ", b"01 a", b"<85>1 ", b"12345678901", f"{LARGEST_MESSAGE + 1} ".encode()]
)
def test_a_stream_without_octet_counts_is_refused(stream: bytes) -> None:
    with pytest.raises(SyslogFault, match="octet count"):
        OctetFrames().receive_data(stream)


def test_a_message_without_its_end_is_told_from_the_end_of_a_stream() -> None:
    frames = OctetFrames()
    assert frames.receive_data(b"5 ab") == []
    assert not frames.is_between_messages
