"""The stream of MRD as ismrmrd writes its parts: taken, counted, or refused."""

from __future__ import annotations

import io
import struct
from typing import Any

import ismrmrd
import numpy as np
import pytest

from openmodality.acquisition.mrd_stream import receive_images, send_close, send_text
from openmodality.acquisition.readers.mrd_header import MrdHeader
from openmodality.errors import ObjectInvalid

XML = b"<ismrmrdHeader><subjectInformation><patientID>7</patientID></subjectInformation></ismrmrdHeader>"
CONFIG = struct.pack("<H1024s", 1, b"default.xml")
HEADER = struct.pack("<HI", 3, len(XML)) + XML
CLOSE = struct.pack("<H", 4)


def image(array: Any, meta: bytes = b"") -> bytes:
    made = ismrmrd.Image.from_array(array, transpose=False)
    packed: bytes = (
        struct.pack("<H", 1022) + bytes(made.getHead()) + struct.pack("<Q", len(meta)) + meta + made.data.tobytes()
    )
    return packed


def acquisition(samples: int = 8, channels: int = 2) -> bytes:
    made = ismrmrd.Acquisition.from_array(
        np.zeros((channels, samples), np.complex64), np.zeros((samples, 3), np.float32)
    )
    packed: bytes = struct.pack("<H", 1008) + bytes(made.getHead()) + made.traj.tobytes() + made.data.tobytes()
    return packed


def waveform() -> bytes:
    made = ismrmrd.Waveform.from_array(np.zeros((2, 5), np.uint32))
    packed: bytes = struct.pack("<H", 1026) + bytes(made.getHead()) + made.data.tobytes()
    return packed


def test_where_headers_of_raw_data_say_their_lengths() -> None:
    parts = [acquisition(300, 5), waveform(), CLOSE]
    stream = io.BytesIO(b"".join(parts))
    assert receive_images(stream, accept).is_closed
    assert stream.tell() == sum(map(len, parts))


def accept(header: MrdHeader) -> None:
    pass


def test_images_between_header_and_close() -> None:
    arrays: list[Any] = [
        np.full((1, 2, 3, 4), n, dtype) for n, dtype in enumerate((np.uint16, np.float32, np.complex64))
    ]
    meta = b"<ismrmrdMeta><meta><name>A</name><value>b</value></meta></ismrmrdMeta>\0"
    stream = io.BytesIO(CONFIG + HEADER + b"".join(image(array, meta) for array in arrays) + CLOSE + b"more")
    received = receive_images(stream, accept)
    assert (received.is_closed, received.header.identity, stream.read()) == (True, {"PatientID": "7"}, b"more")
    assert all(np.array_equal(got.data, sent) for got, sent in zip(received.images, arrays, strict=True))
    assert received.images[0].meta == {"A": ["b"]}
    assert received.refused == ""


def test_raw_data_is_counted_and_thrown_away() -> None:
    parts = [HEADER, acquisition(), waveform(), acquisition(), image(np.zeros((1, 1, 2, 2), np.uint16)), CLOSE]
    received = receive_images(io.BytesIO(b"".join(parts)), accept)
    assert (received.acquisitions, received.waveforms, len(received.images)) == (2, 1, 1)
    assert received.refused.startswith("2 acquisitions and 1 waveforms of raw data refused")


def test_a_header_is_checked_before_images_come() -> None:
    def refuse(header: MrdHeader) -> None:
        raise ObjectInvalid("another patient")

    stream = io.BytesIO(HEADER + image(np.zeros((1, 1, 2, 2), np.uint16)) + CLOSE)
    with pytest.raises(ObjectInvalid, match="another patient"):
        receive_images(stream, refuse)
    assert stream.tell() == len(HEADER)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x63\0", "unknown kind 99"),
        (struct.pack("<HI", 2, 1 << 31), "a text of"),
        (HEADER[:20], "within a message"),
        (image(np.zeros((1, 1, 2, 2), np.uint16))[:-1], "within a message"),
        (struct.pack("<H", 1022) + bytes(198) + struct.pack("<Q", 1 << 40), "meta attributes of"),
        (struct.pack("<H", 1022) + bytes(198) + struct.pack("<Q", 0), "unknown data type 0"),
        (
            struct.pack("<HHH", 1022, 1, 7) + bytes(12) + b"\xff" * 6 + bytes(176) + struct.pack("<Q", 0),
            "more than 4 GiB",
        ),
    ],
)
def test_what_is_no_stream_of_mrd_is_refused_before_memory_is_taken(content: bytes, reason: str) -> None:
    with pytest.raises(ObjectInvalid, match=reason):
        receive_images(io.BytesIO(content), accept)


def test_the_end_between_two_messages_is_no_close() -> None:
    received = receive_images(io.BytesIO(HEADER), accept)
    assert (received.is_closed, received.images) == (False, [])


def test_what_is_answered() -> None:
    stream = io.BytesIO()
    send_text(stream, "no")
    send_close(stream)
    assert stream.getvalue() == struct.pack("<HI3sH", 5, 3, b"no\0", 4)
