"""Checks an instance while it arrives (MR-3.3.4.3-10, -13): it parses, its Type 1 attributes and its UIDs are sound.

Values are looked at only where the check needs them; pixels pass by. That SOP Class and SOP Instance UID are those of
the command is the storage service's own check.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from openmodality.buffer import Buffer
from openmodality.dimse.attribute_names import name_of
from openmodality.encoding.listening import MAX_KEPT_BYTES, Listener, Tokens
from openmodality.encoding.token_writer import TokenWriter
from openmodality.encoding.tokenizer import ElementStart, ItemStart, Passed, SequenceStart, Token, Value
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.encoding.vr import dictionary, is_private
from openmodality.errors import ObjectInvalid
from openmodality.objects.filter.private_sets import PrivateFilter, PrivateSets
from openmodality.standard.transfer_syntaxes import DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN

_TEXTS: Final = frozenset({"AE", "CS", "DA", "DS", "IS", "LO", "PN", "SH", "TM", "UI"})


class ReceivedDataSet(Listener):
    """One data set on its way in: checked, and without the private attributes that this device does not know.

    ``needed`` are the attributes that need a value. Values are given to ``take``; sequences and what is private come as
    tokens, of which the filter lets some through.
    """

    tokens = Tokens.IRREGULAR
    vrs = frozenset({"UI"})

    def __init__(self, transfer_syntax: str, needed: frozenset[int], known: PrivateSets) -> None:
        if transfer_syntax == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
            raise ObjectInvalid("a deflated data set is not taken")
        self.tags = needed
        self._check = ReceivedCheck(self.tags)
        self._filter = PrivateFilter(known)
        self._writer = TokenWriter(transfer_syntax)

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        """Note which Type 1 attributes have a value."""
        self._check.take_values(values)

    def take(self, tag: int, value: bytes | None) -> None:
        """Check a UID at the top level. Raises :class:`ObjectInvalid`."""
        if not is_private(tag):
            _check_uids(tag, value)

    def see(self, token: Token) -> None:
        """Check and write what is kept. Raises :class:`ObjectInvalid`."""
        if isinstance(token, Passed):  # nothing in it concerns filter or check
            self._writer.put(token)
            return
        for kept in self._filter.take(token):
            self._check.see(kept)
            self._writer.put(kept)

    def take_output(self) -> list[Buffer]:
        """Give what is to be stored of the bytes since the last call, valid as long as these are."""
        return self._writer.take()

    def finish(self) -> None:
        """Raises :class:`ObjectInvalid` where the data set fails the check; it has come to its end."""
        self._check.finish()


class ReceivedCheck:
    """Looks at the values and tokens of one data set; ``needed`` are its Type 1 attributes."""

    def __init__(self, needed: frozenset[int]) -> None:
        self._needed = needed
        self._missing = set(needed)
        self._element = ElementStart(0, "", 0, 0, 0)
        self._sequence = 0
        self._pieces: bytearray | None = None

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        """Note which attributes have a value; blanks are none in a text."""
        texts, missing = _find_texts(self._needed), self._missing
        for tag in self._needed & values.keys():
            value = values[tag]
            if value is None or (value.strip(b"\0 ") if tag in texts else value):
                missing.discard(tag)

    def see(self, token: Token) -> None:
        """Look at the next token. Raises :class:`ObjectInvalid` for a UID that is none."""
        if isinstance(token, Value):
            if self._pieces is not None:
                self._pieces += token.data
                if not token.remaining:
                    pieces, self._pieces = self._pieces, None
                    _check_uids(self._element.tag, bytes(pieces))
        elif isinstance(token, ElementStart):
            self._begin(token)
        elif isinstance(token, SequenceStart) and token.depth == 0:
            self._sequence = token.tag
            if token.vr not in ("SQ", "UN"):  # encapsulated pixel data
                self._missing.discard(token.tag)
        elif isinstance(token, ItemStart) and token.depth == 1:
            self._missing.discard(self._sequence)

    def finish(self) -> None:
        """Raises :class:`ObjectInvalid` where Type 1 attributes are missing or without a value."""
        if self._missing:
            names = [name_of(tag) for tag in sorted(self._missing)]
            more = f", and {len(names) - 1} more" if len(names) > 1 else ""
            raise ObjectInvalid(f"{names[0]} has no value{more}")

    def _begin(self, element: ElementStart) -> None:
        """Gather the UIDs in sequences; those at the top level are taken as values."""
        is_uid = element.vr == "UI" and element.length > 0 and element.depth > 0 and not is_private(element.tag)
        if is_uid and element.length > MAX_KEPT_BYTES:
            _check_uids(element.tag, None)
        self._element, self._pieces = element, bytearray() if is_uid else None


def _check_uids(tag: int, value: bytes | None) -> None:
    if value is None:
        raise ObjectInvalid(f"{name_of(tag)} is too long")
    if not _are_uids(value):
        raise ObjectInvalid(f"{name_of(tag)} is no UID")


@lru_cache(maxsize=1024)
def _are_uids(value: bytes) -> bool:
    """Most UIDs of an instance are those of the instance before: of its study, series and frame of reference."""
    uids = map(strip_padding, strip_padding(value).split("\\"))
    return all(not uid or is_valid_uid(uid, strict=False) for uid in uids)


@lru_cache(maxsize=64)
def _find_texts(tags: frozenset[int]) -> frozenset[int]:
    return frozenset(tag for tag in tags if dictionary()[tag] in _TEXTS)
