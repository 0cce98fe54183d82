"""Fragments of commands and data sets as P-DATA-TF PDUs, ready for a gathered write (PS3.8 9.3.5, Annex E).

Rules:
- One presentation data value per PDU: some peers cannot take packed ones.
- Nothing is joined or copied: the result is header, slice, header, slice ... for ``socket.sendmsg``.
- Every fragment has even length; peers abort on odd ones. So a chunk has even length, and the payload per PDU is
  rounded down to even.
- The peer's maximum length counts the variable field: 6 bytes of value header and the fragment; 0 means no limit.
"""

from __future__ import annotations

import struct

from openmodality.buffer import Buffer
from openmodality.errors import ProtocolError, UsageError
from openmodality.standard.upper_layer import PDU_P_DATA_TF

MAX_FRAGMENT_LENGTH = 1 << 20
"""Longest fragment sent to a peer that sets no lower limit, in bytes."""

_PDV_OVERHEAD = 6

pack_header = struct.Struct(">BxLLBB").pack
"""PDU-type, PDU-length, Item-length, Presentation-context-ID, message control header: 12 bytes before a fragment."""


def max_fragment_length(max_pdu_length: int) -> int:
    """How many bytes of a message fit into one PDU of a peer that announced ``max_pdu_length``; even.

    Raises :class:`ProtocolError` where nothing fits.
    """
    if max_pdu_length == 0:
        return MAX_FRAGMENT_LENGTH
    length = (max_pdu_length - _PDV_OVERHEAD) & ~1
    if length < 2:
        raise ProtocolError(
            f"The peer's maximum PDU length of {max_pdu_length} leaves no room for data, at least 8 is needed",
            advice="correct the maximum PDU length in the peer's configuration",
        )
    return min(length, MAX_FRAGMENT_LENGTH)


def cut_fragments(chunk: Buffer, *, context_id: int, is_command: bool, last: bool, max_pdu_length: int) -> list[Buffer]:
    """``chunk`` as PDUs for a peer that announced ``max_pdu_length``; ``last``: the command or data set ends with it.

    An empty chunk gives an empty last fragment if it is the last, else nothing.
    """
    length = len(chunk)
    if length & 1:
        raise UsageError("A command or data set is sent in chunks of even length; one of odd length was given")
    limit = max_fragment_length(max_pdu_length)
    final_control = is_command | last << 1
    if length <= limit:
        if not length and not last:
            return []
        return [pack_header(PDU_P_DATA_TF, length + 6, length + 2, context_id, final_control), chunk]
    view = memoryview(chunk)
    full_header = pack_header(PDU_P_DATA_TF, limit + 6, limit + 2, context_id, int(is_command))
    buffers: list[Buffer] = []
    position = 0
    while length - position > limit:
        buffers += (full_header, view[position : position + limit])
        position += limit
    rest = length - position
    buffers += (pack_header(PDU_P_DATA_TF, rest + 6, rest + 2, context_id, final_control), view[position:])
    return buffers
