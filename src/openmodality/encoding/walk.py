"""One walk over a data set while it streams by, for everybody who needs something of it.

Whoever needs something is a :class:`openmodality.encoding.listening.Listener`: of whole values of some top-level
elements (which instance is it, what goes into the index), or of tokens (filter, conversion). The walk itself sees
whether the data set ends where it should. The rules:

- Top-level elements are stepped over (:mod:`openmodality.encoding.steps`). A chunk inside a value costs nothing.
- What a step does not settle goes to a :class:`openmodality.encoding.tokenizer.Tokenizer`, to the end of that element:
  a sequence of undefined length, an unknown VR and, where somebody listens to irregular tokens, private elements, group
  lengths and sequences. Where somebody listens to all tokens, everything goes there.
- What is as in the data set before is strided over by a walk with a memory (:mod:`openmodality.encoding.strides`).
- Listeners hear the same whatever the chunks are, but for the pieces in which values come as tokens.
"""

from __future__ import annotations

from collections.abc import Iterable

from openmodality.buffer import Buffer
from openmodality.encoding.deflate import Inflater
from openmodality.encoding.headers import MIN_HEADER_BYTES, format_tag, layout_of
from openmodality.encoding.listening import MAX_KEPT_BYTES, KeptValues, Listener
from openmodality.encoding.steps import NO_GROUP, PASSED, make_steps
from openmodality.encoding.strides import StrideMemory, Strides
from openmodality.encoding.tokenizer import MAX_DEPTH, ElementStart, Passed, SequenceStart, Token, Tokenizer, Value
from openmodality.encoding.watch import NO_TAG, Watch
from openmodality.encoding.written_in import check_layout
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES


class _Gathered:
    """A value that is watched for and has not come whole yet."""

    __slots__ = ("pieces", "tag", "vr")

    def __init__(self, tag: int, vr: str) -> None:
        self.tag, self.vr = tag, vr
        self.pieces: list[bytes] = []


class DataSetWalk:
    """Takes a data set in chunks. Raises :class:`ObjectInvalid` where the bytes are none or cut off; it ends with that.

    With ``only_for_listeners`` the walk ends as soon as no value can come any more that a listener asked for.
    ``is_done`` is true then, and the bytes that follow are not read.

    ``strict`` is for what others are to read: :class:`openmodality.encoding.written_in.NotInTransferSyntax` is raised
    where the data set is written otherwise than its transfer syntax says, be it a single element that is not stepped
    over.
    """

    __slots__ = (
        "_ahead",
        "_gathered",
        "_has_begun",
        "_head",
        "_how_to_tokenize",
        "_inflater",
        "_is_in_zeros",
        "_is_within",
        "_layout",
        "_memory",
        "_only_for_listeners",
        "_position",
        "_strict",
        "_strides",
        "_tag",
        "_tokenizer",
        "_watch",
        "is_done",
    )

    def __init__(
        self,
        transfer_syntax: str,
        listeners: Iterable[Listener] = (),
        *,
        only_for_listeners: bool = False,
        max_depth: int = MAX_DEPTH,
        strict: bool = False,
    ) -> None:
        syntax = TRANSFER_SYNTAXES.get(transfer_syntax)
        self.is_done = False
        self._layout = layout_of(transfer_syntax)
        self._inflater = Inflater() if syntax is not None and syntax.deflated else None
        self._tokenizer: Tokenizer | None = None  # made when it is needed: most data sets of images have nothing for it
        self._how_to_tokenize = transfer_syntax, max_depth, strict
        self._watch = Watch(listeners)
        self._only_for_listeners = only_for_listeners
        self._has_begun = False
        self._is_in_zeros = False  # the last header was nothing else
        self._is_within = False  # of an element that the tokenizer has begun
        self._ahead = 0  # bytes of a value that is stepped over, and goes on
        self._gathered: _Gathered | None = None
        self._head = b""  # what the last chunk ended in, too short to be surely a whole header
        self._position = 0  # where the next chunk begins
        self._tag = 0  # whose value goes on
        self._strict = transfer_syntax if strict else ""  # to compare the first bytes with
        self._memory: StrideMemory | None = None
        self._strides: Strides | None = None  # as long as the first chunk lasts

    def listen(self, listener: Listener) -> None:
        """Add a listener before the first bytes are fed."""
        self._watch.add(listener)

    def stride_by(self, memory: StrideMemory) -> None:
        """Stride over what lies as in the data set before, from the first bytes on that are fed after this.

        Nothing but the time it takes depends on that.
        """
        self._memory = memory

    def feed(self, chunk: Buffer) -> None:
        """Take the next bytes; what a listener keeps of their tokens is valid as long as they are."""
        self._begin()
        if self._strict:
            check_layout(chunk, self._strict)
            self._strict = ""
        if self._inflater is None:
            self._feed(chunk)
        else:
            for piece in self._inflater.feed(chunk):
                if self._feed(piece):
                    break

    def finish(self) -> None:
        """Say that no more bytes come. Raises :class:`ObjectInvalid` where the data set is cut off."""
        self._begin()
        if self.is_done:
            return
        if self._inflater is not None:
            self._inflater.finish()
        self._finish_head()
        if self._ahead:
            where = f"in or after {format_tag(self._tag)}"
            raise ObjectInvalid(f"the data set is cut off at byte {self._position}, {where}")
        if self._tokenizer is not None:
            self._tokenizer.finish()
        self._watch.pass_by(NO_TAG)

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._watch.begin(big_endian=self._layout.big_endian)
            self.is_done = self._only_for_listeners and self._watch.is_idle
            if self._memory is not None:
                self._strides = self._memory.find(self._layout, self._watch)

    def _finish_head(self) -> None:
        """Empty elements at the end may be shorter than what is surely a header. Zeros behind zeros only fill up."""
        tokenizer = self._tokenizer
        if (self._is_in_zeros or (tokenizer is not None and tokenizer.is_in_zeros)) and not any(self._head):
            self._head = b""
        head, offset = memoryview(self._head), 0
        self._position -= len(head)
        while offset < len(head) and not self.is_done:
            offset = self._tokenize(head, offset)
        self._position += len(head)

    def _feed(self, chunk: Buffer) -> bool:
        if self.is_done:
            return True
        if before := len(self._head):
            chunk = self._head + bytes(chunk)
            self._head = b""
            self._position -= before
        view, offset = chunk if isinstance(chunk, memoryview) else memoryview(chunk), 0
        size = len(view)
        if self._ahead:
            offset = self._go_on_in_value(view, size)
        elif self._is_within:
            offset = self._tokenize(view, 0)
        while offset < size and not self.is_done:
            if self._strides is not None:
                offset = self._stride(self._strides, view, offset)
            if not self.is_done:
                offset = self._tokenize(view, offset) if self._watch.hears_all else self._step(view, offset, size)
        self._strides = None
        self._position += size
        if self._only_for_listeners and self._watch.has_all_values:
            self._tell_that_tags_passed(NO_TAG)
        return self.is_done

    def _go_on_in_value(self, view: memoryview, size: int) -> int:
        end = min(self._ahead, size)
        self._ahead -= end
        self._pass(view[:end])
        if self._gathered is not None:
            self._gather(view[:end], self._ahead)
        return end

    def _stride(self, strides: Strides, view: memoryview, offset: int) -> int:
        """Go over elements that lie as in the data set before, where that is so."""
        offset, tag = strides.advance(view, offset, len(view), self._watch)
        if tag > self._watch.last:
            header = self._layout.read(view, offset, len(view) - offset)
            if header is not None and header[0] == self._watch.first_announced:
                self._tell_that_tags_passed(*header[:3])  # what nearly always comes next: saves the step to it
            else:
                self._tell_that_tags_passed(tag)
        return offset

    def _step(self, view: memoryview, offset: int, size: int) -> int:
        """Step on from the header at ``offset``; returns where to go on, which is the chunk's end in most cases.

        What lies between two tokens is passed on in one piece.
        """
        step, watch = make_steps(self._layout.explicit, self._layout.big_endian), self._watch
        begin, end = offset, PASSED
        while end == PASSED:
            if watch.is_idle:
                start, end = step.bare(view, offset, size, NO_GROUP)
            elif watch.next_group:
                start, end = step.bare(view, offset, size, watch.next_group)
                if end == PASSED:
                    offset, watch.next_group = start, 0
                    continue
            else:
                start, end = step.watchful(view, offset, size, watch)
            if end == PASSED:
                offset = start
                self._pass_by(view, start, size)
                if self.is_done:
                    return start
        if end < 0:
            self._pass(view[begin:start])
            return self._tokenize(view, start)
        if end > size:
            self._pass(view[begin:])
            self._begin_value(view, start, size, end)
        else:
            self._pass(view[begin:end])
            self._head = bytes(view[end:])
            if end > start:
                self._is_in_zeros = end - start == MIN_HEADER_BYTES and not any(view[start:end])
        return size

    def _begin_value(self, view: memoryview, start: int, size: int, end: int) -> None:
        """Note whose value goes on in the next chunk."""
        header = self._layout.read(view, start, size - start)
        if header is not None:
            self._tag, self._ahead = header[0], end - size
            if header[1] != "SQ":
                self._watch_for(header[0], header[1], header[2])
            if self._gathered is not None:
                self._gather(view[start + header[3] :], self._ahead)

    def _watch_for(self, tag: int, vr: str, length: int) -> None:
        """Gather the value of an element, if somebody waits for it; one that is too long is given at once."""
        if not self._watch.is_for(tag, vr):
            return
        if length > MAX_KEPT_BYTES:
            self._watch.give(tag, vr, None)
        else:
            self._gathered = _Gathered(tag, vr)

    def _gather(self, piece: memoryview, remaining: int) -> None:
        gathered = self._gathered
        if gathered is not None:
            gathered.pieces.append(bytes(piece))
            if not remaining:
                self._gathered = None
                self._watch.give(gathered.tag, gathered.vr, b"".join(gathered.pieces))

    def _tokenize(self, view: memoryview, offset: int) -> int:
        tokenizer, tokens = self._tokenizer, list[Token]()
        if tokenizer is None:
            syntax, max_depth, strict = self._how_to_tokenize
            tokenizer = self._tokenizer = Tokenizer(syntax, max_depth=max_depth, strict=strict)
        if not self._is_within:
            tokenizer.move_to(self._position + offset)
        end = tokenizer.advance(view, offset, tokens, one=not self._watch.hears_all)
        self._is_within = not tokenizer.is_between_elements
        sees, is_watched = self._watch.sees, self._watch.last != NO_TAG or bool(self._watch.codes)
        for token in tokens:
            if is_watched:
                self._hear(token)
                if self.is_done:
                    break
            for see in sees:
                see(token)
        return end

    def _hear(self, token: Token) -> None:
        """What the listeners to values need of a token."""
        if isinstance(token, Value):
            self._gather(token.data, token.remaining)
        elif isinstance(token, ElementStart | SequenceStart) and not token.depth:
            if token.tag > self._watch.last:
                self._tell_that_tags_passed(token.tag, token.vr, token.length)
            if isinstance(token, ElementStart) and not self.is_done:
                self._watch_for(token.tag, token.vr, token.length)
                if not token.length:
                    self._gather(memoryview(b""), 0)

    def _pass_by(self, view: memoryview, start: int, size: int) -> None:
        header = self._layout.read(view, start, size - start)
        if header is not None:
            self._tell_that_tags_passed(*header[:3])

    def _tell_that_tags_passed(self, tag: int, vr: str = "", length: int = 0) -> None:
        self._watch.pass_by(tag, vr, length)
        self.is_done = self._only_for_listeners and self._watch.is_idle

    def _pass(self, data: memoryview) -> None:
        if data and self._watch.sees:
            token = Passed(data)
            for see in self._watch.sees:
                see(token)


def read_values(chunks: Iterable[Buffer], transfer_syntax: str, values: KeptValues) -> None:
    """Gather values of top-level elements without looking at more of the chunks than these need.

    Raises :class:`ObjectInvalid` where they are no data set, or are cut off before these values.
    """
    walk = DataSetWalk(transfer_syntax, (values,), only_for_listeners=True)
    for chunk in chunks:
        walk.feed(chunk)
        if walk.is_done:
            break
    else:
        walk.finish()
