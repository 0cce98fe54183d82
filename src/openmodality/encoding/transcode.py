"""Converts a data set among the uncompressed transfer syntaxes while it streams, without holding any value.

The rules. Lengths change with the layout and are not known before everything has passed;
:mod:`openmodality.encoding.token_writer` says how they are written. Group lengths (gggg,0000) would be wrong and are
dropped; they are retired (PS3.5 7.2). From Implicit VR the dictionary gives the VR; where it has a choice, PS3.5 Annex
A decides (OW for pixel, overlay, curve, waveform and LUT data), and for US or SS (0028,0103) Pixel Representation, if
seen before at the same level or around it. A value that is too long for the 16-bit length of its VR becomes UN (PS3.5
6.2.2). UN is always Little Endian (PS3.5 6.2.2): its bytes never change. UN of undefined length becomes the sequence it
is. A data set may also be written anew in the transfer syntax that it is said to be in, from the layout it has: then
every element gets the VR that it lacks, and encapsulated pixel data pass as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from openmodality.buffer import Buffer
from openmodality.encoding.deflate import deflate, inflate
from openmodality.encoding.headers import format_tag, layout_of
from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.private_blocks import NO_PRIVATE, PrivateBlocks, PrivateVrs
from openmodality.encoding.swap import Swapper
from openmodality.encoding.token_writer import TokenWriter
from openmodality.encoding.tokenizer import (
    ElementStart,
    FragmentStart,
    ItemEnd,
    ItemStart,
    SequenceEnd,
    SequenceStart,
    Token,
    Value,
)
from openmodality.encoding.vr import SHORT_VRS, SWAP_WIDTH
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.standard.tags import PIXEL_REPRESENTATION
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)

_CONVERTIBLE: Final = (*UNCOMPRESSED, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)


def can_transcode(source: str, target: str) -> bool:
    """Whether ``transcode`` can turn one transfer syntax into the other: no pixel data is coded or decoded."""
    return source == target or (source in _CONVERTIBLE and target in _CONVERTIBLE)


def transcode(
    chunks: Iterable[Buffer], source: str, target: str, *, private_vrs: PrivateVrs = NO_PRIVATE
) -> Iterator[Buffer]:
    """The data set in ``chunks``, converted. A chunk must stay as it is until the next is asked for.

    ``private_vrs`` are those of private elements, which Implicit VR does not say; others become UN.

    Raises :class:`UsageError` where ``can_transcode`` says no and :class:`ObjectInvalid` where the data set is damaged.
    """
    if source == target:
        yield from chunks
        return
    if not can_transcode(source, target):
        raise _explain_refusal(source, target)
    plain = inflate(chunks) if source == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN else chunks
    transcoder = Transcoder(_name_inflated(source), _name_inflated(target), private_vrs=private_vrs)
    converted = transcoder.convert(plain)
    yield from deflate(converted) if target == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN else converted


def write_anew(chunks: Iterable[Buffer], layout: str, transfer_syntax: str) -> Iterator[Buffer]:
    """The data set in ``chunks``, which has the layout of an uncompressed transfer syntax, in the one that it claims.

    Raises :class:`ObjectInvalid` where the data set is damaged, or has no layout at all.
    """
    return Transcoder(layout, transfer_syntax, is_anew=True).convert(chunks)


class Transcoder(Listener):
    """Converts among Implicit VR Little Endian, Explicit VR Little Endian and Explicit VR Big Endian.

    With ``is_anew`` the target may be the source, or an encapsulated transfer syntax.
    """

    tokens = Tokens.ALL

    def __init__(
        self, source: str, target: str, *, is_anew: bool = False, private_vrs: PrivateVrs = NO_PRIVATE
    ) -> None:
        self._same = source == target and not is_anew
        if not self._same and (source not in UNCOMPRESSED or target not in UNCOMPRESSED) and not is_anew:
            raise _explain_refusal(source, target)
        self._is_anew = is_anew
        self._walk = DataSetWalk(source, (self,))
        self._writer = TokenWriter(target)
        self._blocks = PrivateBlocks(private_vrs) if private_vrs and source == IMPLICIT_VR_LITTLE_ENDIAN else None
        self._from_big, self._to_big = layout_of(source).big_endian, layout_of(target).big_endian
        self._swapper: Swapper | None = None
        self._dropping = False
        self._signed = False  # Pixel Representation of this level
        self._outer_signed: list[bool] = []
        self._outer_big: list[bool] = []  # inside UN, Explicit VR Big Endian turns into Implicit VR Little Endian
        self._awaiting_pixel_representation = False

    def listen(self, listener: Listener) -> None:
        """Let somebody else hear of the source, before the first bytes are fed."""
        self._walk.listen(listener)

    def convert(self, chunks: Iterable[Buffer]) -> Iterator[Buffer]:
        """The whole data set, by :meth:`feed` and :meth:`finish`."""
        for chunk in chunks:
            yield from self.feed(chunk)
        yield from self.finish()

    def feed(self, chunk: Buffer) -> list[Buffer]:
        """The target's next bytes. Some are slices of ``chunk``: use them before its memory is used again."""
        if self._same:
            return [chunk]
        self._walk.feed(chunk)
        return self._writer.take()

    def finish(self) -> list[Buffer]:
        """Say that no more bytes come; returns the last ones. Raises :class:`ObjectInvalid` where the data set is cut
        off.
        """
        if not self._same:
            self._walk.finish()
        return self._writer.take()

    def see(self, token: Token) -> None:
        """Convert the next token."""
        match token:
            case ElementStart():
                self._convert_element(token)
            case Value():
                self._convert_value(token)
            case SequenceStart():
                self._convert_sequence(token)
            case FragmentStart():
                self._dropping, self._swapper = False, None
                self._writer.put(token)
            case ItemStart():
                self._outer_signed.append(self._signed)
                if self._blocks is not None:
                    self._blocks.enter_item()
                self._writer.item(token.length)
            case ItemEnd():
                self._signed = self._outer_signed.pop()
                if self._blocks is not None:
                    self._blocks.leave_item()
                self._writer.end_item()
            case SequenceEnd():
                self._from_big = self._outer_big.pop()
                self._writer.end_sequence()

    def _convert_element(self, token: ElementStart) -> None:
        tag, vr, length, _, _ = token
        self._dropping = tag & 0xFFFF == 0
        if self._dropping:
            return
        if self._blocks is not None:
            vr = self._blocks.find_vr(tag, vr, length)
        if " " in vr:
            vr = self._choose_vr(vr)
        written = "UN" if length > 0xFFFF and vr in SHORT_VRS else vr
        self._writer.element(tag, written, length)
        self._awaiting_pixel_representation = tag == PIXEL_REPRESENTATION and length > 0
        if self._awaiting_pixel_representation:
            self._signed = False
        swaps = self._from_big != (self._to_big and written != "UN")
        self._swapper = Swapper(SWAP_WIDTH[vr]) if swaps and vr in SWAP_WIDTH else None

    def _choose_vr(self, alternatives: str) -> str:
        """One VR of those that the dictionary leaves open (PS3.5 Annex A)."""
        if "OW" in alternatives:
            return "OW"
        return "SS" if self._signed else "US"

    def _convert_value(self, token: Value) -> None:
        if self._dropping:
            return
        if self._blocks is not None:
            self._blocks.see_value(token.data, token.remaining)
        if self._awaiting_pixel_representation:
            # 0 or 1 in two bytes: whichever comes first, one that is set says signed
            self._signed = self._signed or any(token.data[:2])
        if self._swapper is None:
            self._writer.value(token.data)
            return
        for words in self._swapper.feed(token.data):
            self._writer.value(words)
        if not token.remaining:
            self._writer.value(self._swapper.finish())

    def _convert_sequence(self, token: SequenceStart) -> None:
        if token.vr not in ("SQ", "UN") and self._is_anew:
            self._outer_big.append(self._from_big)
            self._writer.sequence(token.tag, "OB", token.length)  # PS3.5 A.4
            return
        if token.vr not in ("SQ", "UN"):
            raise ObjectInvalid(f"{format_tag(token.tag)} is encapsulated, which the transfer syntax does not allow")
        self._outer_big.append(self._from_big)
        if token.vr == "UN":
            self._from_big = False
        self._writer.sequence(token.tag, "SQ", token.length)


def _name_inflated(uid: str) -> str:
    return EXPLICIT_VR_LITTLE_ENDIAN if uid == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN else uid


def _explain_refusal(source: str, target: str) -> UsageError:
    return UsageError(f"cannot convert from transfer syntax {source} to {target}: pixel data would have to be recoded")
