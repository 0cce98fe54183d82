"""Finds out whether a data set needs the filter of private attributes at all; most do not.

The filter takes a data set apart and puts it together again, which costs more than to send it. This question costs a
tenth of that. It is put to data sets in Explicit VR Little Endian that are at hand as a whole, such as the images that
a device has made. It steps from header to header and into sequences: behind the header of a sequence or an item the
next element begins, so that nothing has to be kept for each level. It only says yes where it is sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final

from openmodality.buffer import Buffer
from openmodality.encoding.headers import SHORT_CODES, UNDEFINED_LENGTH, layout_of
from openmodality.encoding.private_blocks import NO_PRIVATE, PrivateVrs
from openmodality.encoding.uid import strip_padding
from openmodality.encoding.vr import PRIVATE_CREATORS, is_private
from openmodality.objects.filter.private_sets import MAX_CREATOR_BYTES, PrivateSets, keep_known_private
from openmodality.standard.tags import SEQUENCE_DELIMITATION_ITEM
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

_HEADER: Final = Struct("<HHHH")
_SHORTS: Final = frozenset(int.from_bytes(code, "little") for code in SHORT_CODES)
"""VRs as numbers, which are looked up faster than bytes."""
_UNSURE: Final = -1


class KnownPrivateOnly:
    """Takes the private attributes that a device does not know out of the data sets that have some.

    ``private_vrs`` are those of the ones that it knows.
    """

    def __init__(self, known: PrivateSets, private_vrs: PrivateVrs = NO_PRIVATE) -> None:
        self._known = known
        self.private_vrs = private_vrs

    def is_needed(self, data_set: Buffer, transfer_syntax: str) -> bool:
        """Whether a whole data set may have something to be taken out."""
        return not has_only_known_private(data_set, transfer_syntax, self._known)

    def rewrite(self, chunks: Iterable[Buffer], transfer_syntax: str) -> Iterator[Buffer]:
        """As :func:`openmodality.objects.filter.private_sets.keep_known_private`."""
        return keep_known_private(chunks, transfer_syntax, self._known)


def has_only_known_private(data_set: Buffer, transfer_syntax: str, known: PrivateSets) -> bool:
    """Whether the filter would leave a whole data set unchanged.

    ``False`` as well where that is not seen at once: in another transfer syntax, with private attributes within
    sequences, with values in fragments, and where the data set is damaged.
    """
    if transfer_syntax != EXPLICIT_VR_LITTLE_ENDIAN:
        return False
    unpack, search = _HEADER.unpack_from, _Search(data_set, known)
    offset, size = 0, len(data_set)
    while 0 <= offset <= size - _HEADER.size:
        group, element, code, length = unpack(data_set, offset)
        if code in _SHORTS and element and not group & 1:
            offset += 8 + length
        else:
            offset = search.step(offset)
    return offset == size and search.may_end_at(size)


class _Search:
    """Steps over the elements that are not the usual ones."""

    def __init__(self, data_set: Buffer, known: PrivateSets) -> None:
        self._data_set = data_set
        self._known = known
        self._open_sequences = 0  # of undefined length
        self._read = layout_of(EXPLICIT_VR_LITTLE_ENDIAN).read
        self._sequence_end = 0  # of those of defined length
        self._blocks: set[int] = set()  # group and block of the known sets, as in (gggg,bbxx)

    def step(self, offset: int) -> int:
        """Where the next element begins; ``_UNSURE`` where the filter has to look."""
        header = self._read(self._data_set, offset, len(self._data_set) - offset)
        if header is None:
            return _UNSURE
        tag, vr, length, header_bytes = header
        start = offset + header_bytes
        if not vr:  # an item, or the end of one or of a sequence
            self._open_sequences -= tag == SEQUENCE_DELIMITATION_ITEM
            return start
        is_for_filter = is_private(tag) or not tag & 0xFFFF  # group lengths are dropped as well
        is_nested = self._open_sequences > 0 or offset < self._sequence_end
        if is_for_filter and (is_nested or vr == "SQ" or not self._is_known(tag, start, length)):
            return _UNSURE
        if length == UNDEFINED_LENGTH:
            self._open_sequences += 1
            return start if vr == "SQ" else _UNSURE
        if vr == "SQ":
            self._sequence_end = max(self._sequence_end, start + length)
            return start
        return start + length

    def may_end_at(self, offset: int) -> bool:
        """Whether no sequence goes on."""
        return not self._open_sequences and self._sequence_end <= offset

    def _is_known(self, tag: int, start: int, length: int) -> bool:
        group, element = tag >> 16, tag & 0xFFFF
        if element not in PRIVATE_CREATORS:
            return tag >> 8 in self._blocks
        creator = bytes(self._data_set[start : start + length]) if length <= MAX_CREATOR_BYTES else b""
        self._blocks.add(group << 8 | element)
        return (strip_padding(creator), group) in self._known
