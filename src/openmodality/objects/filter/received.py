"""Checks an instance while it arrives (MR-3.3.4.3-10, -13): it parses, its Type 1 attributes and its UIDs are sound.

Values are looked at only where the check needs them; pixels pass by. That SOP Class and SOP Instance UID are those of
the command is the storage service's own check.
"""

from __future__ import annotations

from typing import Final

from openmodality.dimse.attribute_names import name_of
from openmodality.encoding.elements import ElementStart, ItemStart, SequenceStart, Token, Tokenizer, Value
from openmodality.encoding.headers import Buffer
from openmodality.encoding.token_writer import TokenWriter
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.encoding.vr import is_private
from openmodality.errors import ObjectInvalid
from openmodality.objects.filter.private_sets import PrivateFilter, PrivateSets
from openmodality.standard.transfer_syntaxes import DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.standard.type_1 import type_1_attributes

_TEXTS: Final = frozenset({"AE", "CS", "DA", "DS", "IS", "LO", "PN", "SH", "TM", "UI"})
_KEPT_BYTES: Final = 64 * 1024
"""Longest value that is looked at; a list of a thousand UIDs fits."""


class ReceivedDataSet:
    """One data set on its way in: checked, and without the private attributes that this device does not know."""

    def __init__(self, transfer_syntax: str, sop_class_uid: str, known: PrivateSets) -> None:
        if transfer_syntax == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
            raise ObjectInvalid("a deflated data set is not taken")
        self._tokenizer = Tokenizer(transfer_syntax)
        self._filter = PrivateFilter(known)
        self._writer = TokenWriter(transfer_syntax)
        self._check = ReceivedCheck(sop_class_uid)

    def feed(self, chunk: Buffer) -> list[Buffer]:
        """What is to be stored of the next bytes, valid as long as ``chunk`` is. Raises ObjectInvalid."""
        for token in self._tokenizer.feed(chunk):
            for kept in self._filter.take(token):
                self._check.see(kept)
                self._writer.put(kept)
        return self._writer.taken()

    def finish(self) -> None:
        """Say that the data set ends here. Raises ObjectInvalid where it is cut off or fails the check."""
        self._tokenizer.finish()
        self._check.finish()


class ReceivedCheck:
    """Looks at the tokens of one data set."""

    def __init__(self, sop_class_uid: str) -> None:
        self._missing = set(type_1_attributes(sop_class_uid))
        self._element = ElementStart(0, "", 0, 0, 0)
        self._sequence = 0
        self._collecting = False
        self._pieces = bytearray()

    def see(self, token: Token) -> None:
        """Look at the next token. Raises ObjectInvalid for a UID that is none."""
        if isinstance(token, Value):
            if self._collecting:
                self._pieces += token.data
                if not token.remaining:
                    self._judge()
        elif isinstance(token, ElementStart):
            self._begin(token)
        elif isinstance(token, SequenceStart) and token.depth == 0:
            self._sequence = token.tag
            if token.vr not in ("SQ", "UN"):  # encapsulated pixel data
                self._missing.discard(token.tag)
        elif isinstance(token, ItemStart) and token.depth == 1:
            self._missing.discard(self._sequence)

    def finish(self) -> None:
        """Raises ObjectInvalid where Type 1 attributes are missing or without a value."""
        if self._missing:
            names = [name_of(tag) for tag in sorted(self._missing)]
            more = f", and {len(names) - 1} more" if len(names) > 1 else ""
            raise ObjectInvalid(f"{names[0]} has no value{more}")

    def _begin(self, element: ElementStart) -> None:
        is_wanted = element.depth == 0 and element.tag in self._missing and element.length > 0
        is_uid = element.vr == "UI" and element.length > 0 and not is_private(element.tag)
        self._collecting = is_uid or (is_wanted and element.vr in _TEXTS)
        if self._collecting:
            if element.length > _KEPT_BYTES:
                raise ObjectInvalid(f"{name_of(element.tag)} is too long: {element.length} bytes")
            self._element, self._pieces = element, bytearray()
        elif is_wanted:
            self._missing.discard(element.tag)

    def _judge(self) -> None:
        element, text = self._element, strip_padding(self._pieces)
        self._collecting = False
        if element.vr == "UI":
            for uid in map(strip_padding, text.split("\\")):
                if uid and not is_valid_uid(uid, strict=False):
                    raise ObjectInvalid(f"{name_of(element.tag)} is no UID")
        if text and element.depth == 0:
            self._missing.discard(element.tag)
