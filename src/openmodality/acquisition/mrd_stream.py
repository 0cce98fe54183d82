"""The stream of MRD v1: what a reconstruction sends to a server, message by message, over any two ends of bytes.

Each message begins with a two byte number. CONFIG names or holds a configuration, HEADER is the XML header, IMAGE an
image, CLOSE the end. Raw data (ACQUISITION, WAVEFORM) is counted and thrown away: a TEXT message says so. Lengths are
looked at before memory is taken for what they announce.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import field
from typing import Final, Protocol

import numpy as np

from openmodality.acquisition.readers.bounds import LARGEST_ARRAY_BYTES, LARGEST_TEXT_BYTES, check_array_size
from openmodality.acquisition.readers.mrd_header import MrdHeader, parse_header, parse_meta
from openmodality.acquisition.readers.mrd_images import DATA_TYPES, HEADER, MrdImage
from openmodality.errors import ObjectInvalid
from openmodality.value_class import dataclass

CONFIG_FILE, CONFIG_TEXT, XML_HEADER, CLOSE, TEXT = 1, 2, 3, 4, 5
ACQUISITION, IMAGE, WAVEFORM = 1008, 1022, 1026
WHERE: Final = "MRD stream"
_CONFIG_FILE_BYTES: Final = 1024
_ACQUISITION_BYTES: Final = 340
_WAVEFORM_BYTES: Final = 40
_SAMPLES_AT: Final = 34
"""Where an acquisition's header has number_of_samples, available_channels and active_channels, each of two bytes."""
_TRAJECTORY_AT: Final = 176
"""Where it has trajectory_dimensions."""
_WAVEFORM_SAMPLES_AT: Final = 28
"""Where a waveform's header has number_of_samples and channels."""
_CHUNK: Final = 1 << 20


class Stream(Protocol):
    """Both ends of a connection, as a file has them."""

    def read(self, count: int, /) -> bytes:
        """So many bytes, fewer at the end."""
        ...

    def write(self, data: bytes, /) -> object:
        """Send bytes."""
        ...

    def flush(self) -> None:
        """Send what is not sent yet."""
        ...


@dataclass(slots=True)
class Received:
    """The result of a connection: the header, the images, and how much raw data was refused."""

    header: MrdHeader = field(default_factory=MrdHeader)
    images: list[MrdImage] = field(default_factory=list)
    acquisitions: int = 0
    waveforms: int = 0
    is_closed: bool = False
    image_bytes: int = 0

    @property
    def refused(self) -> str:
        """What was refused, in words; empty where nothing was."""
        counts = {"acquisitions": self.acquisitions, "waveforms": self.waveforms}
        parts = [f"{count} {name}" for name, count in counts.items() if count]
        if not parts:
            return ""
        return f"{' and '.join(parts)} of raw data refused: this is no reconstruction, send its images"


CheckHeader = Callable[[MrdHeader], None]


def receive_images(stream: Stream, check: CheckHeader) -> Received:
    """Take all messages until CLOSE, or until the stream ends between two messages.

    ``check`` is called with the header when it comes; the text of an error that it raises is sent to the sender. Raises
    :class:`ObjectInvalid` where the stream is not MRD, ends within a message, or takes more than a file may.
    """
    received = Received()
    while not received.is_closed:
        start = stream.read(2)
        if not start:
            return received
        (number,) = struct.unpack("<H", _complete(start, 2))
        take = _TAKE.get(number)
        if take is None:
            raise ObjectInvalid(f"{WHERE}: a message of the unknown kind {number}", advice="send MRD version 1")
        take(stream, received)
        if number == XML_HEADER:
            check(received.header)
    return received


def send_text(stream: Stream, text: str) -> None:
    """A TEXT message to the sender."""
    content = text.encode("utf-8") + b"\0"
    stream.write(struct.pack("<HI", TEXT, len(content)) + content)
    stream.flush()


def send_close(stream: Stream) -> None:
    """CLOSE: nothing more comes from this side."""
    stream.write(struct.pack("<H", CLOSE))
    stream.flush()


def _take_config_file(stream: Stream, received: Received) -> None:
    _read(stream, _CONFIG_FILE_BYTES)


def _take_text(stream: Stream, received: Received) -> None:
    _read_text(stream)


def _take_header(stream: Stream, received: Received) -> None:
    received.header = parse_header(_read_text(stream), WHERE)


def _take_close(stream: Stream, received: Received) -> None:
    received.is_closed = True


def _take_image(stream: Stream, received: Received) -> None:
    header = np.frombuffer(_read(stream, HEADER.itemsize), dtype=HEADER)[0]
    (length,) = struct.unpack("<Q", _read(stream, 8))
    if length > LARGEST_TEXT_BYTES:
        raise ObjectInvalid(f"{WHERE}: meta attributes of {length} bytes")
    meta = parse_meta(_read(stream, length).rstrip(b"\0"), WHERE)
    name = DATA_TYPES.get(int(header["data_type"]))
    if name is None:
        raise ObjectInvalid(f"{WHERE}: an image of the unknown data type {int(header['data_type'])}")
    columns, rows, planes = (int(side) for side in header["matrix_size"])
    shape, dtype = (int(header["channels"]) or 1, planes or 1, rows, columns), np.dtype(name)
    received.image_bytes += check_array_size(shape, dtype.itemsize, WHERE)
    if received.image_bytes > LARGEST_ARRAY_BYTES:
        raise ObjectInvalid(
            f"{WHERE}: images of more than {LARGEST_ARRAY_BYTES >> 30} GiB", advice="send CLOSE earlier"
        )
    data = _read(stream, dtype.itemsize * int(np.prod(shape)))
    received.images.append(MrdImage(header, meta, np.frombuffer(data, dtype=dtype).reshape(shape)))


def _take_acquisition(stream: Stream, received: Received) -> None:
    header = _read(stream, _ACQUISITION_BYTES)
    samples, _, channels = struct.unpack_from("<HHH", header, _SAMPLES_AT)
    (dimensions,) = struct.unpack_from("<H", header, _TRAJECTORY_AT)
    _skip(stream, 4 * dimensions * samples + 8 * samples * channels)
    received.acquisitions += 1


def _take_waveform(stream: Stream, received: Received) -> None:
    samples, channels = struct.unpack_from("<HH", _read(stream, _WAVEFORM_BYTES), _WAVEFORM_SAMPLES_AT)
    _skip(stream, 4 * channels * samples)
    received.waveforms += 1


_TAKE: Final[dict[int, Callable[[Stream, Received], None]]] = {
    CONFIG_FILE: _take_config_file, CONFIG_TEXT: _take_text, XML_HEADER: _take_header, CLOSE: _take_close,
    TEXT: _take_text, ACQUISITION: _take_acquisition, IMAGE: _take_image, WAVEFORM: _take_waveform,
}  # fmt: skip


def _read_text(stream: Stream) -> bytes:
    (length,) = struct.unpack("<I", _read(stream, 4))
    if length > LARGEST_TEXT_BYTES:
        raise ObjectInvalid(f"{WHERE}: a text of {length} bytes, of which {LARGEST_TEXT_BYTES} are the most")
    return _read(stream, length).rstrip(b"\0")


def _skip(stream: Stream, count: int) -> None:
    while count:
        count -= len(_read(stream, min(count, _CHUNK)))


def _read(stream: Stream, count: int) -> bytes:
    return _complete(stream.read(count), count)


def _complete(data: bytes, count: int) -> bytes:
    if len(data) < count:
        raise ObjectInvalid(f"{WHERE}: ended within a message", advice="send CLOSE at the end")
    return data
