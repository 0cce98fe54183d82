"""Looks at the first elements of a data set while it streams by, to check an object against its C-STORE request."""

from __future__ import annotations

from typing import Final

from openmodality.encoding.deflate import Inflater
from openmodality.encoding.elements import ElementStart, Token, Tokenizer, Value
from openmodality.encoding.headers import UNDEFINED_LENGTH, Buffer, format_tag, layout_of
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES

MAX_KEPT_BYTES: Final = 64 * 1024
"""Wanted values are texts and numbers; together they stay far below this."""


class HeadScanner:
    """Collects the ``wanted`` top-level values of a data set, up to the first tag greater than ``stop_after``.

    ``values`` holds them raw: with padding, in the byte order of the transfer syntax. ``done`` is True as soon as
    nothing more can come: all were found, or a later tag was seen. Where the first chunk holds all that is wanted,
    which is the rule, one tight loop over it is all that happens; otherwise a tokenizer goes through the data set
    from its beginning.
    """

    __slots__ = (
        "_inflater",
        "_kept",
        "_pieces",
        "_stop_after",
        "_tag",
        "_tokenizer",
        "_uid",
        "_wanted",
        "done",
        "values",
    )

    def __init__(self, transfer_syntax: str, wanted: frozenset[int], stop_after: int) -> None:
        self.values: dict[int, bytes] = {}
        self.done = False
        self._uid, self._wanted, self._stop_after = transfer_syntax, wanted, stop_after
        self._tokenizer: Tokenizer | None = None
        syntax = TRANSFER_SYNTAXES.get(transfer_syntax)
        self._inflater = Inflater() if syntax is not None and syntax.deflated else None
        self._tag = 0  # whose value is being collected
        self._pieces: list[bytes] = []
        self._kept = 0

    def feed(self, chunk: Buffer) -> bool:
        """Takes the next bytes; returns ``done``. Raises ObjectInvalid where they are no data set."""
        if self._inflater is None:
            self._feed(chunk)
        elif not self.done:
            for piece in self._inflater.feed(chunk):
                if self._feed(piece):
                    break
        return self.done

    def finish(self) -> None:
        """Says that the data set ends here; raises ObjectInvalid where it is cut off before what is wanted."""
        if not self.done and self._tokenizer is not None:
            self._tokenizer.finish()
        self.done = True

    def _feed(self, chunk: Buffer) -> bool:
        if self.done:
            return True
        if self._tokenizer is None:
            if self._scan(chunk):
                self.done = True
                return True
            self._tokenizer = Tokenizer(self._uid)
        for token in self._tokenizer.feed(chunk):
            if self._take(token):
                self.done = True
                break
        return self.done

    def _scan(self, chunk: Buffer) -> bool:
        """Whether this chunk alone answers all; what it cannot settle is left to the tokenizer."""
        read, wanted, stop_after = layout_of(self._uid).read, self._wanted, self._stop_after
        offset, size, missing = 0, len(chunk), len(wanted)
        while missing:
            header = read(chunk, offset, size - offset)
            if header is None:
                return False
            tag, vr, length, header_size = header
            if tag > stop_after:
                return True
            offset += header_size
            end = offset + length
            if end > size or length == UNDEFINED_LENGTH or not vr:
                return False
            if tag in wanted and tag not in self.values:
                self._keep(tag, length)
                self.values[tag] = bytes(chunk[offset:end])
                missing -= 1
            offset = end
        return True

    def _take(self, token: Token) -> bool:
        """One token on the slow path; True where nothing more is wanted."""
        if isinstance(token, Value):
            if self._tag:
                self._pieces.append(bytes(token.data))
                if not token.remaining:
                    self._complete()
        elif getattr(token, "depth", None) == 0 and (tag := getattr(token, "tag", 0)):
            if tag > self._stop_after:
                return True
            if isinstance(token, ElementStart) and tag in self._wanted and tag not in self.values:
                self._keep(tag, token.length)
                self._tag = tag
                if not token.length:
                    self._complete()
        return len(self.values) == len(self._wanted)

    def _complete(self) -> None:
        self.values[self._tag] = b"".join(self._pieces)
        self._tag, self._pieces = 0, []

    def _keep(self, tag: int, length: int) -> None:
        self._kept += length
        if self._kept > MAX_KEPT_BYTES:
            raise ObjectInvalid(f"{format_tag(tag)} is too long to be checked: {length} bytes")
