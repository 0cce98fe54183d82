"""Keeps the private attributes that a device knows and drops the others, while a data set streams (MR-3.3.4.3-06).

A private set is a creator and its group, as in the profile's ``private_dictionary.csv``. An element belongs to the set
whose creator element reserves its block, in the same data set or item (PS3.5 7.8.1). Of a known set all is kept.
Group lengths (gggg,0000) would be wrong afterwards; they are retired (PS3.5 7.2) and dropped. All other standard
attributes stay as they are (MR-3.3.4.3-02).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from openmodality.buffer import Buffer
from openmodality.device.site.site import Site
from openmodality.encoding.deflate import deflate, inflate
from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.token_writer import TokenWriter
from openmodality.encoding.tokenizer import (
    ElementStart,
    ItemEnd,
    ItemStart,
    SequenceEnd,
    SequenceStart,
    Token,
    Value,
)
from openmodality.encoding.uid import strip_padding
from openmodality.encoding.vr import PRIVATE_CREATORS, is_private
from openmodality.encoding.walk import DataSetWalk
from openmodality.standard.transfer_syntaxes import DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.standard.value_lengths import MAX_CHARACTERS

PrivateSets = frozenset[tuple[str, int]]
"""Private creator and group of the known sets."""

MAX_CREATOR_BYTES: Final = MAX_CHARACTERS["LO"]
"""A private creator is in the default repertoire (PS3.5 7.8.1)."""


def list_imported_sets(site: Site) -> PrivateSets:
    """What is kept of a received instance: ``behaviour.import_private``."""
    return _find_known(site, "behaviour.import_private")


def list_exported_sets(site: Site) -> PrivateSets:
    """What is kept of an instance that is sent: ``behaviour.export_private``."""
    return _find_known(site, "behaviour.export_private")


def _find_known(site: Site, switch: str) -> PrivateSets:
    if not site.parameters[switch]:
        return frozenset()
    return frozenset((attribute.creator, attribute.group) for attribute in site.profile.private_attributes)


def keep_known_private(chunks: Iterable[Buffer], transfer_syntax: str, known: PrivateSets) -> Iterator[Buffer]:
    """The data set in ``chunks`` without unknown private attributes, in the same transfer syntax.

    A chunk must stay as it is until the next is asked for. Raises :class:`ObjectInvalid` where the data set is damaged.
    """
    if transfer_syntax == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
        yield from deflate(keep_known_private(inflate(chunks), EXPLICIT_VR_LITTLE_ENDIAN, known))
        return
    writer = PrivateFilterWriter(transfer_syntax, known)
    walk = DataSetWalk(transfer_syntax, (writer,))
    for chunk in chunks:
        walk.feed(chunk)
        yield from writer.take_output()
    walk.finish()
    yield from writer.take_output()


class PrivateFilterWriter(Listener):
    """Writes a data set without unknown private attributes, in the transfer syntax that it comes in."""

    tokens = Tokens.IRREGULAR

    def __init__(self, transfer_syntax: str, known: PrivateSets) -> None:
        self._filter = PrivateFilter(known)
        self._writer = TokenWriter(transfer_syntax)

    def see(self, token: Token) -> None:
        """Keep or drop the next token."""
        for kept in self._filter.take(token):
            self._writer.put(kept)

    def take_output(self) -> list[Buffer]:
        """Give what is to go on of the bytes since the last call, valid as long as these are."""
        return self._writer.take()


class PrivateFilter:
    """Takes the tokens of one data set, in their order, and gives those that stay."""

    def __init__(self, known: PrivateSets) -> None:
        self._known = known
        self._blocks: list[set[int]] = [set()]  # (group, block) of the sets kept at each level
        self._creator: ElementStart | None = None  # held back until its value is known
        self._pieces = bytearray()
        self._dropping = False  # the current value
        self._dropped_depth = 0  # sequences open within what is dropped

    def take(self, token: Token) -> Sequence[Token]:
        """What goes on now: the token, nothing, or a creator that was held back."""
        if self._dropped_depth:
            self._dropped_depth += isinstance(token, SequenceStart) - isinstance(token, SequenceEnd)
            return ()
        match token:
            case Value():
                return self._value(token)
            case ElementStart() | SequenceStart():
                return self._start(token)
            case ItemStart():
                self._blocks.append(set())
            case ItemEnd():
                self._blocks.pop()
        return (token,)

    def _start(self, token: ElementStart | SequenceStart) -> Sequence[Token]:
        self._creator = None
        element = token.tag & 0xFFFF
        if is_private(token.tag) and element in PRIVATE_CREATORS and isinstance(token, ElementStart):
            self._dropping = not 0 < token.length <= MAX_CREATOR_BYTES
            if not self._dropping:
                self._creator, self._pieces = token, bytearray()
            return ()
        self._dropping = element == 0 or (is_private(token.tag) and token.tag >> 8 not in self._blocks[-1])
        if self._dropping and isinstance(token, SequenceStart):
            self._dropped_depth = 1
        return () if self._dropping else (token,)

    def _value(self, token: Value) -> Sequence[Token]:
        if self._creator is None:
            return () if self._dropping else (token,)
        self._pieces += token.data
        return () if token.remaining else self._resolve(self._creator)

    def _resolve(self, creator: ElementStart) -> Sequence[Token]:
        group, block = creator.tag >> 16, creator.tag & 0xFF
        if (strip_padding(self._pieces), group) not in self._known:
            return ()
        self._blocks[-1].add(group << 8 | block)
        return creator, Value(memoryview(self._pieces), 0)
