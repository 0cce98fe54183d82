"""C-FIND, both ends: matches are collected up to a limit, matches are answered (PS3.7 9.1.2, PS3.4 C.4.1, K.4.1).

Worklist and query share it; what a status means to each is said by the judge that they give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Final

from pydicom import Dataset

from openmodality.dimse.channel import FOREVER, Channel, Message, context_for, read_all
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.reading import has_value
from openmodality.dimse.request_response import SecondsLeft, await_response, send_cancel, send_request
from openmodality.dimse.service import Response
from openmodality.dimse.status import is_pending
from openmodality.dimse.verdict import Judge, Verdict
from openmodality.errors import ObjectInvalid, PeerTimeout, StoreError
from openmodality.query.matching import Supported, has_unsupported, matches, select_requested
from openmodality.standard.dimse import OUT_OF_RESOURCES, CommandField, Priority, Status
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET
from openmodality.value_class import dataclass

IDENTIFIER_DOES_NOT_MATCH: Final = 0xA900

_ESCAPE: Final = 0x1B

MAX_AFTER_CANCEL: Final = 1000
"""How many matches are dropped after a C-CANCEL: they may have been on their way. A peer that sends more ignores it."""


@dataclass(frozen=True, slots=True)
class FindAnswer:
    """What came back: the matches in their order, and the verdict on the final status.

    ``more_available``: the limit was reached or the peer stopped by itself. ``must_abort``: the verdict says it, or the
    peer went on after C-CANCEL, so that the association can only be aborted; the status is then Pending.
    ``unreadable`` counts matches that were no data set. ``undeclared`` has the bytes and the transfer syntax of those
    that have more than ASCII and declare no character set, by their place among the items.
    """

    items: tuple[Dataset, ...]
    verdict: Verdict
    comment: str = ""
    more_available: bool = False
    must_abort: bool = False
    optional_keys_unsupported: bool = False
    unreadable: int = 0
    undeclared: Mapping[int, tuple[bytes, str]] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The final status."""
        return self.verdict.status

    @property
    def is_usable(self) -> bool:
        """Whether the matches count: matching ended with Success, or was cut short on purpose."""
        return not self.verdict.is_failure

    def read_assuming(self, terms: Sequence[str]) -> tuple[Dataset, ...]:
        """The items; those that declare no character set are read in this one, and declare it from then on."""
        items = list(self.items)
        for place, (raw, transfer_syntax) in self.undeclared.items():
            items[place] = decode_data_set(raw, transfer_syntax, terms)
            items[place].SpecificCharacterSet = list(terms)
        return tuple(items)


HandOver = Callable[[Dataset], bool]
"""Takes a match as it comes; whether more are wanted."""


@dataclass(frozen=True, slots=True)
class Taking:
    """Which matches are taken: ``limit`` of them at most; all are collected, or handed over as they come."""

    limit: int | None = None
    hand_over: HandOver | None = None


@dataclass(slots=True)
class _Matches:
    taking: Taking
    items: list[Dataset] = field(default_factory=list)
    handed_over: int = 0
    is_enough: bool = False
    surplus: int = 0
    unreadable: int = 0
    optional_keys_unsupported: bool = False
    undeclared: dict[int, tuple[bytes, str]] = field(default_factory=dict)

    def take(self, response: Message) -> None:
        if response.command.Status == Status.PENDING_OPTIONAL_KEYS_UNSUPPORTED:
            self.optional_keys_unsupported = True
        limit = self.taking.limit
        if self.is_enough or (limit is not None and len(self.items) + self.handed_over >= limit):
            self.surplus += 1
            return
        raw, transfer_syntax = read_all(response), response.context.transfer_syntax
        try:
            item = decode_data_set(raw, transfer_syntax)
        except ObjectInvalid:
            self.unreadable += 1
            return
        if self.taking.hand_over is not None:
            self.handed_over += 1
            self.is_enough = not self.taking.hand_over(item)
            return
        if (_ESCAPE in raw or not raw.isascii()) and not has_value(item, SPECIFIC_CHARACTER_SET):
            self.undeclared[len(self.items)] = raw, transfer_syntax
        self.items.append(item)

    def make_answer(self, verdict: Verdict, comment: str | None, *, is_cancel_ignored: bool = False) -> FindAnswer:
        return FindAnswer(
            tuple(self.items),
            verdict,
            comment or "",
            more_available=self.surplus > 0 or verdict.effect == "partial",
            must_abort=verdict.must_abort or is_cancel_ignored,
            optional_keys_unsupported=self.optional_keys_unsupported,
            unreadable=self.unreadable,
            undeclared=self.undeclared,
        )


def send_find(
    channel: Channel,
    sop_class_uid: str,
    identifier: Dataset,
    *,
    judge: Judge,
    taking: Taking,
    left_s: SecondsLeft | None = None,
) -> FindAnswer:
    """Send C-FIND and take its matches; one more than the limit, or than are wanted, is answered with C-CANCEL.

    ``judge`` says what a status means. A pending response that it calls a failure ends the query; an identifier in the
    final response is ignored. ``left_s`` tells how long the final response may still take, whatever comes before it;
    without it the association's time-out holds for each response. Raises :class:`PeerTimeout` where that time is over.
    """
    context = context_for(channel, sop_class_uid)
    command = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=sop_class_uid, Priority=Priority.MEDIUM)
    data = encode_data_set(identifier, context.transfer_syntax)
    message_id = send_request(channel, context.context_id, command, data)
    found, patience = _Matches(taking), _Patience(channel, left_s)
    while True:
        response = patience.await_response(message_id)
        verdict = judge(response.command.Status or Status.SUCCESS)
        if verdict.is_failure or not is_pending(verdict.status):
            return found.make_answer(verdict, response.command.ErrorComment)
        before = found.is_enough or found.surplus > 0
        found.take(response)
        if not before and (found.is_enough or found.surplus):
            send_cancel(channel, context.context_id, message_id)
        elif found.surplus > MAX_AFTER_CANCEL:
            return found.make_answer(verdict, "the peer went on after C-CANCEL", is_cancel_ignored=True)


class _Patience:
    """Awaits responses within one time for all of them."""

    def __init__(self, channel: Channel, left_s: SecondsLeft | None) -> None:
        self._channel = channel
        self._left_s = left_s
        self._whole_s = left_s() if left_s else 0.0

    def await_response(self, message_id: int) -> Message:
        if self._left_s is None:
            return await_response(self._channel, message_id)
        try:
            return await_response(self._channel, message_id, timeout_s=self._tell_left)
        except PeerTimeout as error:
            if self._left_s() > 0:
                raise  # in the middle of a message, where another time holds
            raise self._explain_time_out() from error

    def _tell_left(self) -> float:
        """The time that is left. Raises :class:`PeerTimeout` where none is, even if a response waits to be read."""
        left = self._left_s() if self._left_s else FOREVER
        if left <= 0:
            raise self._explain_time_out()
        return left

    def _explain_time_out(self) -> PeerTimeout:
        peer, whole_s = self._channel.peer.called_ae_title, round(self._whole_s, 1)
        return PeerTimeout(
            f"no final response to C-FIND-RQ from {peer} within {whole_s:g} s",
            waiting_for="the final response to C-FIND-RQ",
            advice="check that the peer works and is not overloaded, ask for less, or set a longer time-out",
        )


def answer_matches(
    message: Message,
    identifier: Dataset,
    candidates: Iterable[Dataset | Sequence[bytes]],
    *,
    supported: Supported = None,
    added: Dataset | None = None,
) -> Iterator[Response]:
    """The SCP's responses: one for each candidate that matches, then Success.

    A match carries what was asked for and ``added``. Several of bytes have been matched and encoded already, and are
    sent together: the peer can cancel before the next ones. Out of resources (A700H) where the candidates end in a
    :class:`StoreError`.
    """
    transfer_syntax = message.context.transfer_syntax
    is_partly_supported = has_unsupported(identifier, supported)
    status = Status.PENDING_OPTIONAL_KEYS_UNSUPPORTED if is_partly_supported else Status.PENDING
    try:
        for candidate in candidates:
            if not isinstance(candidate, Dataset):
                yield Response(status, candidate[0], further=candidate[1:])
            elif matches(identifier, candidate, supported):
                match = select_requested(identifier, candidate, supported)
                match.update(added or Dataset())
                yield Response(status, encode_data_set(match, transfer_syntax))
    except StoreError as error:
        yield Response(OUT_OF_RESOURCES, comment=error.message)
        return
    yield Response(Status.SUCCESS)
