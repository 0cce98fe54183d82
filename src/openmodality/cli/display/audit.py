"""How rows of the audit trail are shown: as a list and in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, fromstring

from openmodality.app.records.audit import describe_event
from openmodality.app.records.values import format_time
from openmodality.audit.codes import Outcome
from openmodality.cli.terminal.table import Column
from openmodality.counted import format_count
from openmodality.store.listing.audit import AuditRow, AuditState, ChainState

if TYPE_CHECKING:
    from collections.abc import Sequence

AUDIT_COLUMNS: Final[Sequence[Column[AuditRow]]] = (
    Column("row", lambda each: each.number),
    Column("at", lambda each: format_time(each.entry.at)),
    Column("event", lambda each: describe_event(each), words=True),
    Column("outcome", lambda each: Outcome(each.entry.outcome).word, leave_out=1),
    Column("who", lambda each: ", ".join(each.users), words=True),
    Column("patient", lambda each: ", ".join(each.patients), leave_out=2),
)


def describe_trail(state: AuditState) -> str:
    """Where the delivery of the trail stands, in words."""
    if not state.delivered:
        return f"{format_count(state.last, 'row')}, none delivered"
    when = format_time(state.delivered_at)
    left = f"{format_count(state.backlog, 'row')} to be delivered, the oldest of {format_time(state.oldest_left)}"
    return f"delivered up to row {state.delivered}, {when}; {left if state.backlog else 'nothing is left'}"


def describe_chain(chain: ChainState) -> str:
    """Whether the chain is whole, in words."""
    if chain.broken_at:
        return f"the chain is broken at row {chain.broken_at}: {chain.reason}"
    return f"the chain is whole: {format_count(chain.rows, 'row')}, head {chain.last}:{chain.head}"


def format_message(row: AuditRow) -> list[tuple[str, str]]:
    """The message of a row, an element in each line, indented as they are nested."""
    return list(_walk(fromstring(row.entry.message), 0))


def _walk(element: Element, depth: int) -> Iterator[tuple[str, str]]:
    said = " ".join(f"{name}={value!r}" for name, value in element.attrib.items())
    text = (element.text or "").strip()
    yield "  " * depth + element.tag, " ".join(filter(None, (said, text)))
    for child in element:
        yield from _walk(child, depth + 1)
