"""Byte streams as trees of things with a length: PDUs, presentation data values, items, elements.

A mutation changes some nodes; all others are encoded as they were, and the lengths of what holds them are made right
again. So a stream may be wrong in one place and right in all others, and gets deep into what decodes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from openmodality.encoding.headers import UNDEFINED_LENGTH, layout_of
from openmodality.encoding.tokenizer import ElementStart, FragmentStart, ItemStart, SequenceStart, Tokenizer
from openmodality.standard import upper_layer as facts
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN

Edit = Callable[["Node", bytes], bytes]
"""From a node and its (edited) content to what stands in its place."""

_ITEMS_WITHIN = {
    facts.ITEM_PRESENTATION_CONTEXT_RQ: 4,
    facts.ITEM_PRESENTATION_CONTEXT_AC: 4,
    facts.ITEM_USER_INFORMATION: 0,
}
_FIXED_FIELDS = 68


class Node:
    """``head``, a length in ``width`` bytes (0: none), and content: bytes or nodes."""

    __slots__ = ("big_endian", "content", "fixed_length", "head", "kind", "width")

    def __init__(
        self,
        kind: str,
        content: bytes | list[Node],
        head: bytes = b"",
        width: int = 0,
        *,
        big_endian: bool = True,
        fixed_length: int | None = None,
    ) -> None:
        self.kind, self.content, self.head, self.width = kind, content, head, width
        self.big_endian, self.fixed_length = big_endian, fixed_length

    def framed(self, content: bytes, length: int | None = None) -> bytes:
        """Head, length and content; the length is the right one unless another is given."""
        if not self.width:
            return self.head + content
        if length is None:
            length = len(content) if self.fixed_length is None else self.fixed_length
        limit = 1 << 8 * self.width
        return self.head + (length % limit).to_bytes(self.width, "big" if self.big_endian else "little") + content

    def encode(self, edits: Mapping[int, Edit] | None = None) -> bytes:
        """The bytes, with edits by the ``id`` of the nodes they belong to."""
        content = self.content
        if not isinstance(content, bytes):
            content = b"".join(child.encode(edits) for child in content)
        edit = edits.get(id(self)) if edits else None
        return self.framed(content) if edit is None else edit(self, content)

    def nodes(self) -> Iterator[Node]:
        """This node and all below."""
        yield self
        if not isinstance(self.content, bytes):
            for child in self.content:
                yield from child.nodes()


def exchange(data: bytes, syntaxes: Mapping[int, str] | None = None) -> Node:
    """One direction of a recorded association; ``syntaxes`` are the transfer syntaxes of its contexts."""
    pdus = []
    while data:
        end = 6 + int.from_bytes(data[2:6], "big")
        pdus.append(_pdu(data[:2], data[6:end], syntaxes or {}))
        data = data[end:]
    return Node("exchange", pdus)


def records(data: bytes) -> Node:
    """One flight of a TLS session: whole records, of which head and length are in the clear (RFC 8446 5.1)."""
    nodes = []
    while data:
        end = 5 + int.from_bytes(data[3:5], "big")
        nodes.append(Node("record", data[5:end], data[:3], 2))
        data = data[end:]
    return Node("flight", nodes)


def _pdu(head: bytes, field: bytes, syntaxes: Mapping[int, str]) -> Node:
    content: bytes | list[Node] = field
    if head[0] in (facts.PDU_A_ASSOCIATE_RQ, facts.PDU_A_ASSOCIATE_AC):
        content = [Node("fixed fields", field[:_FIXED_FIELDS]), *_items(field[_FIXED_FIELDS:])]
    elif head[0] == facts.PDU_P_DATA_TF:
        content = list(_values(field, syntaxes))
    return Node("PDU", content, head, 4)


def _items(data: bytes) -> Iterator[Node]:
    while data:
        end = 4 + int.from_bytes(data[2:4], "big")
        value: bytes | list[Node] = data[4:end]
        skipped = _ITEMS_WITHIN.get(data[0])
        if skipped is not None:
            inner = list(_items(data[4 + skipped : end]))
            value = [Node("fixed fields", data[4 : 4 + skipped]), *inner] if skipped else inner
        yield Node("item", value, data[:2], 2)
        data = data[end:]


def _values(data: bytes, syntaxes: Mapping[int, str]) -> Iterator[Node]:
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        control, fragment = data[4:6], data[6:end]
        syntax = IMPLICIT_VR_LITTLE_ENDIAN if control[1] & 1 else syntaxes.get(control[0])
        inner = data_set(fragment, syntax) if syntax and control[1] & 2 else Node("fragment", fragment)
        yield Node("PDV", [Node("control", control), inner], b"", 4)
        data = data[end:]


def data_set(data: bytes, transfer_syntax: str, kind: str = "data set") -> Node:
    """A flat list of headers with what follows each; a header's length is taken as said, values are cut at headers."""
    tokenizer = Tokenizer(transfer_syntax)
    starts = [
        token.position
        for token in tokenizer.feed(data)
        if isinstance(token, ElementStart | SequenceStart | ItemStart | FragmentStart)
    ]
    big_endian = layout_of(transfer_syntax).big_endian
    read = layout_of(transfer_syntax).read
    nodes = [Node("start", data[: starts[0]])] if starts and starts[0] else []
    for start, end in pairwise([*starts, len(data)]):
        header = read(data, start, len(data) - start)
        if header is None:
            continue
        size, length = header[3], header[2]
        width = 2 if size == 8 and length <= 0xFFFF and data[start + 4 : start + 6].isalpha() else 4
        content = data[start + size : end]
        fixed = None if length == len(content) else length
        nodes.append(Node("element", content, data[start : start + size - width], width, big_endian=big_endian,
                          fixed_length=UNDEFINED_LENGTH if length == UNDEFINED_LENGTH else fixed))  # fmt: skip
    return Node(kind, nodes or data)
