"""Runs one C-FIND and watches each status, an identifier in the final response, and whether C-CANCEL is obeyed.

:func:`openmodality.query.finding.send_find` tolerates what peers do wrong; here it must be seen. A query that breaks
off gives the matches that had come until then. A peer that sends matches slowly and without end is stopped like one
that sends too many.
"""

from __future__ import annotations

from dataclasses import field
from time import monotonic
from typing import Final

from pydicom import Dataset

from openmodality.conformance.doctor.findings import ENDED_WELL, ENDLESS, classify, format_status
from openmodality.dimse.channel import Channel, Message, context_for, read_all
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.request_response import await_response, send_cancel, send_request
from openmodality.dimse.status import is_pending
from openmodality.errors import ObjectInvalid, OpenModalityError
from openmodality.standard.dimse import CommandField, Priority, Status
from openmodality.value_class import dataclass

MAX_FOUND: Final = 100
"""So many matches tell enough; then the peer is asked to stop."""
_MAX_AFTER_CANCEL: Final = 500
_CANCEL_S: Final = 2.0
"""A peer that goes on for so many matches, or so long, ignores C-CANCEL."""
_LONGEST_QUERY_S: Final = 10.0
"""How long matches are taken; then the peer is asked to stop."""
_LONGEST_ITEM_BYTES: Final = 1024 * 1024
"""A match is a few thousand bytes; what sends more is stopped before it fills the memory."""


@dataclass(slots=True)
class FoundItems:
    """The answer to a query. ``outcome`` is ``done``, or what broke it off; ``raw`` are the bytes of the items."""

    items: list[Dataset] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    outcome: str = ENDED_WELL
    reason: str = ""
    has_leftover: bool = False
    unreadable: int = 0
    surplus: int = 0

    def describe_failure(self) -> str:
        """What broke the query off, for people."""
        return f"{self.outcome} ({self.reason})" if self.reason else self.outcome

    @property
    def is_done(self) -> bool:
        """Whether the query came to a good end."""
        return self.outcome == ENDED_WELL

    @property
    def was_cancelled(self) -> bool:
        """Whether there was more than is taken."""
        return self.surplus > 0


def ask(channel: Channel, sop_class_uid: str, identifier: Dataset, *, limit_s: float) -> FoundItems:
    """Put a query and take up to :data:`MAX_FOUND` matches. An error of the association ends up in the outcome."""
    found = FoundItems()
    try:
        _ask(channel, sop_class_uid, identifier, found, limit_s)
    except OpenModalityError as error:
        found.outcome, found.reason = classify(error), error.message
    return found


def _ask(channel: Channel, sop_class_uid: str, identifier: Dataset, found: FoundItems, limit_s: float) -> None:
    context = context_for(channel, sop_class_uid)
    command = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=sop_class_uid, Priority=Priority.MEDIUM)
    message_id = send_request(
        channel, context.context_id, command, encode_data_set(identifier, context.transfer_syntax)
    )
    cancelled_at, until = 0.0, monotonic() + _LONGEST_QUERY_S
    while True:
        response = await_response(channel, message_id, timeout_s=limit_s)
        status = response.command.Status or Status.SUCCESS
        if not is_pending(status):
            _end(found, response, status)
            return
        found.statuses.add(status)
        if not found.surplus and len(found.items) + found.unreadable < MAX_FOUND and monotonic() < until:
            _take(found, response)
            continue
        found.surplus += 1
        if found.surplus == 1:
            cancelled_at = monotonic()
            send_cancel(channel, context.context_id, message_id)
        elif found.surplus > _MAX_AFTER_CANCEL or monotonic() - cancelled_at > _CANCEL_S:
            found.outcome, found.reason = ENDLESS, "it sends matches without end and ignores C-CANCEL"
            return


def _take(found: FoundItems, response: Message) -> None:
    raw = read_all(response, _LONGEST_ITEM_BYTES)
    try:
        found.items.append(decode_data_set(raw, response.context.transfer_syntax))
        found.raw.append(raw)
    except ObjectInvalid:
        found.unreadable += 1


def _end(found: FoundItems, response: Message, status: int) -> None:
    """Look at the final response: its status, and whether it carries an identifier, which PS3.7 9.1.2.1 forbids."""
    found.has_leftover = response.command.has_data_set
    is_cancel = status == Status.CANCEL and found.surplus > 0
    if status != Status.SUCCESS and not is_cancel:
        found.outcome = format_status(status)
        found.reason = response.command.ErrorComment or ""
