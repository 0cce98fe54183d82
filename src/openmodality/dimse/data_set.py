"""pydicom data sets to and from the bytes of a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import Final

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.buffer import Buffer
from openmodality.dimse.pydicom_text import convert_terms
from openmodality.dimse.repeated_elements import build_data_set
from openmodality.encoding.deflate import inflate
from openmodality.encoding.headers import layout_of
from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.tokenizer import ElementStart, ItemStart, SequenceStart, Token, Value
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import DOUBLE_FLOAT_PIXEL_DATA, FLOAT_PIXEL_DATA, PIXEL_DATA
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES

MAX_OBJECT_DEPTH: Final = 64
"""How deep a data set may be nested that is held as an object: pydicom reads nested sequences by recursion."""

MAX_VALUES: Final = 250_000
"""The most elements, sequences, items and values together: two bytes on the wire become some 400 in memory.

A reference to an instance counts as four.
"""

MAX_FILE_VALUES: Final = 1_000_000
"""The same for a file that is read as an object: a multi-frame image has some fifty for each of its frames."""

_SEPARATED: Final = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI", "UN"))
"""VRs whose values are separated by backslashes (PS3.5 6.2); what is UN pydicom reads as its dictionary says."""

_VALUE_BYTES: Final = MappingProxyType(
    {"US": 2, "SS": 2, "UN": 2, "AT": 4, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "SV": 8, "UV": 8}
)
"""The length of one binary value (PS3.5 6.2); UN may hold the shortest."""

_PIXELS: Final = frozenset((PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA))
_PIECE_BYTES: Final = 64 * 1024
_SMALL_BYTES: Final = 64 * 1024
"""So many bytes become few enough objects: fewer bytes than :data:`MAX_VALUES` cannot have so many values."""


def encode_data_set(data_set: Dataset, transfer_syntax: str) -> bytes:
    """The bytes of a data set in a transfer syntax, group lengths left out."""
    syntax = UID(transfer_syntax)
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax.is_implicit_VR
    buffer.is_little_endian = syntax.is_little_endian
    write_dataset(buffer, data_set, parent_encoding="iso8859")
    return buffer.getvalue()


def decode_data_set(raw: bytes, transfer_syntax: str, assumed: Sequence[str] = ()) -> Dataset:
    """Read a data set; ``assumed`` are the terms of the character set of one that declares none.

    Raises :class:`ObjectInvalid` where the bytes are no data set, or break a limit of this module.
    """
    if not raw:
        return Dataset()
    names, syntax = convert_terms(assumed), TRANSFER_SYNTAXES.get(transfer_syntax)
    try:
        if syntax is not None and syntax.deflated:
            _check_message(raw, transfer_syntax)
            raw, transfer_syntax = b"".join(inflate((raw,))), EXPLICIT_VR_LITTLE_ENDIAN
        if len(raw) <= min(_SMALL_BYTES, MAX_VALUES):
            built = build_data_set(raw, layout_of(transfer_syntax), names)
            if built is not None:
                return built
        _check_message(raw, transfer_syntax)
        return _read_with_pydicom(raw, transfer_syntax, names)
    except ObjectInvalid:
        raise
    except Exception as error:  # pydicom raises many kinds for bytes that are no data set
        raise ObjectInvalid(f"the data set cannot be read: {type(error).__name__}") from error


def _read_with_pydicom(raw: bytes, transfer_syntax: str, names: list[str]) -> Dataset:
    syntax = UID(transfer_syntax)
    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    data_set = read_dataset(BytesIO(raw), implicit, little, bytelength=len(raw), parent_encoding=names)
    data_set.walk(lambda parent, element: None)  # values are decoded on access: find what cannot be read now
    return data_set


def _check_message(raw: bytes, transfer_syntax: str) -> None:
    view = memoryview(raw)
    check_size(
        (view[start : start + _PIECE_BYTES] for start in range(0, len(raw), _PIECE_BYTES)), transfer_syntax, MAX_VALUES
    )


def check_size(chunks: Iterable[Buffer], transfer_syntax: str, most: int, *, before_pixels: bool = False) -> None:
    """Raises :class:`ObjectInvalid` where a data set is too large, or nested too deep, to be held as an object.

    With ``before_pixels`` the chunks behind the one in which the pixels begin are not looked at.
    """
    counter = _Counter(most)
    walk = DataSetWalk(transfer_syntax, (counter,), max_depth=MAX_OBJECT_DEPTH)
    for chunk in chunks:
        walk.feed(chunk)
        if before_pixels and counter.has_reached_pixels:
            return
    walk.finish()


class _Counter(Listener):
    """Raises :class:`ObjectInvalid` where there are more values than ``most``."""

    tokens = Tokens.ALL

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._vr = ""
        self.has_reached_pixels = False

    def see(self, token: Token) -> None:
        if isinstance(token, ElementStart | SequenceStart):
            self._vr = token.vr
            self.has_reached_pixels = self.has_reached_pixels or (token.tag in _PIXELS and not token.depth)
        self._count += _count_values(token, self._vr)
        if self._count > self._most:
            raise ObjectInvalid(f"the data set has more than {self._most} elements and values")


def _count_values(token: Token, vr: str) -> int:
    """What a token adds to the number of values, where its element has this VR."""
    if isinstance(token, Value):
        return bytes(token.data).count(b"\\") if vr in _SEPARATED else 0
    if isinstance(token, ElementStart):
        size = _VALUE_BYTES.get(vr)
        return 1 + (token.length // size if size else 0)
    return int(isinstance(token, SequenceStart | ItemStart))
