"""Rows of the audit trail as programs read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import fromstring

from openmodality.app.records.values import format_zoned
from openmodality.audit.codes import EVENT_IDS, EventKind
from openmodality.store.listing.audit import AuditRow, AuditState, ChainState


def describe_event(row: AuditRow) -> str:
    """The event of a row as PS3.16 calls it; the type of an event says more where it has one."""
    kind = EVENT_IDS[EventKind(row.entry.kind)].meaning
    found = fromstring(row.entry.message).find("EventIdentification/EventTypeCode")
    return kind if found is None else f"{kind}: {found.get('originalText', '')}"


def audit_row_as_json(row: AuditRow, *, in_full: bool = False) -> Mapping[str, Any]:
    """A row for a program."""
    entry = row.entry
    return {
        "row": row.number,
        "at": format_zoned(entry.at),
        "kind": entry.kind,
        "event": describe_event(row),
        "outcome": entry.outcome,
        "users": list(row.users),
        "patients": list(row.patients),
        "digest": row.digest,
        "message": entry.message if in_full else None,
    }


def audit_state_as_json(state: AuditState) -> Mapping[str, Any]:
    """Where the delivery stands, for a program."""
    return {
        "last": state.last,
        "delivered": state.delivered,
        "delivered_at": format_zoned(state.delivered_at),
        "backlog": state.backlog,
        "oldest_left": format_zoned(state.oldest_left),
    }


def chain_as_json(chain: ChainState, state: AuditState) -> Mapping[str, Any]:
    """Whether the chain is whole, and where the delivery stands, for a program."""
    return {
        "whole": not chain.broken_at,
        "rows": chain.rows,
        "broken_at": chain.broken_at or None,
        "reason": chain.reason,
        "head": f"{chain.last}:{chain.head}",
        **audit_state_as_json(state),
    }
