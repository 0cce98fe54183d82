"""Rows of the audit trail as they are shown and delivered, and whether their chain is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openmodality.audit.chain import FIRST_DIGEST, AuditEntry, compute_digest
from openmodality.store.listing.reader import Condition, Reader, StoredRow, combine, is_one_of
from openmodality.value_class import dataclass

_COLUMNS: Final = "SELECT number, device_id, at, kind, outcome, users, patients, message, digest FROM audit"
_PAGE: Final = 1000
_NO_LIMIT: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the audit trail; ``digest`` chains it to the one before."""

    number: int
    device_id: int
    entry: AuditEntry
    digest: str

    @property
    def users(self) -> tuple[str, ...]:
        """The User IDs of who took part."""
        return tuple(self.entry.users.split("\n")) if self.entry.users else ()

    @property
    def patients(self) -> tuple[str, ...]:
        """The Patient IDs of those whom it is about."""
        return tuple(self.entry.patients.split("\n")) if self.entry.patients else ()


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """What rows are looked for: within ``since`` and ``until``, of these kinds, with this user and this patient.

    ``before`` is a row's number: only those below it, for the next page.
    """

    since: float | None = None
    until: float | None = None
    kinds: Sequence[str] = ()
    user: str = ""
    patient: str = ""
    failed_only: bool = False
    before: int | None = None


@dataclass(frozen=True, slots=True)
class ChainState:
    """How far the chain is whole: ``rows`` were looked at; ``broken_at`` is the first row that does not fit, else 0.

    ``head`` is the digest of the last row that fits, ``reason`` what is wrong with the one after it.
    """

    rows: int
    last: int
    head: str
    broken_at: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuditState:
    """Where the audit trail of a device stands: its last row, and up to which row it has delivered for certain."""

    last: int
    delivered: int
    delivered_digest: str
    delivered_at: float | None
    backlog: int
    oldest_left: float | None


def find_audit_rows(reader: Reader, search: AuditSearch, limit: int | None = None) -> list[AuditRow]:
    """Rows that are looked for, newest first."""
    fits = _make_condition(search)
    sql = f"{_COLUMNS} WHERE {fits.sql} ORDER BY number DESC LIMIT ?"
    return [_make_row(row) for row in reader.rows(sql, (*fits.values, _NO_LIMIT if limit is None else limit))]


def count_audit_rows(reader: Reader, search: AuditSearch) -> int:
    """How many rows are looked for."""
    fits = _make_condition(search)
    return int(reader.rows(f"SELECT count(*) AS n FROM audit WHERE {fits.sql}", fits.values)[0]["n"])


def read_audit_row(reader: Reader, number: int) -> AuditRow | None:
    """One row; ``None`` where there is none of this number."""
    rows = reader.rows(f"{_COLUMNS} WHERE number = ?", (number,))
    return _make_row(rows[0]) if rows else None


def read_undelivered(reader: Reader, after: int, limit: int) -> list[AuditRow]:
    """The next rows of this device that are to be delivered, oldest first."""
    sql = f"{_COLUMNS} WHERE device_id = ? AND number > ? ORDER BY number LIMIT ?"
    return [_make_row(row) for row in reader.rows(sql, (reader.device_id, after, limit))]


def read_audit_state(reader: Reader) -> AuditState:
    """Where the audit trail of this device stands."""
    sql = "SELECT delivered, delivered_digest, delivered_at FROM audit_states WHERE device_id = ?"
    known = reader.rows(sql, (reader.device_id,))
    row: StoredRow = known[0] if known else {"delivered": 0, "delivered_digest": "", "delivered_at": None}
    [left] = reader.rows(
        "SELECT count(*) AS n, min(at) AS oldest FROM audit WHERE device_id = ? AND number > ?",
        (reader.device_id, row["delivered"]),
    )
    [newest] = reader.rows("SELECT coalesce(max(number), 0) AS last FROM audit")
    delivered = (row["delivered"], row["delivered_digest"], row["delivered_at"])
    return AuditState(newest["last"], *delivered, left["n"], left["oldest"])


def read_settings_digest(reader: Reader) -> str:
    """The digest of the settings with which this device has started last; empty where it has not."""
    known = reader.rows("SELECT settings FROM audit_states WHERE device_id = ?", (reader.device_id,))
    return str(known[0]["settings"]) if known else ""


def verify_chain(reader: Reader) -> ChainState:
    """Walk the whole chain up to the first row that does not fit, or to its end."""
    rows, last, digest = 0, 0, FIRST_DIGEST
    for row in _walk(reader):
        rows += 1
        if row.number != last + 1:
            missing = f"row {last + 1} is missing" if row.number > last + 1 else "its number comes twice"
            return ChainState(rows, last, digest, last + 1 if row.number > last + 1 else row.number, missing)
        if compute_digest(digest, row.number, row.device_id, row.entry) != row.digest:
            return ChainState(rows, last, digest, row.number, "the row is not as it was written")
        last, digest = row.number, row.digest
    return _compare_with_delivered(reader, ChainState(rows, last, digest))


def read_digest(reader: Reader, number: int) -> str:
    """The digest of a row; empty where there is none of this number."""
    row = read_audit_row(reader, number)
    return row.digest if row else ""


def _compare_with_delivered(reader: Reader, state: ChainState) -> ChainState:
    """Rows that were delivered must still be there, and be the same."""
    sql = "SELECT delivered, delivered_digest FROM audit_states WHERE delivered > 0 ORDER BY delivered"
    for row in reader.rows(sql):
        number, digest = row["delivered"], row["delivered_digest"]
        if number > state.last:
            reason = f"rows up to {number} were delivered and are not here any more"
            return ChainState(state.rows, state.last, state.head, state.last + 1, reason)
        if read_digest(reader, number) != digest:
            return ChainState(state.rows, state.last, state.head, number, "the row is not the one that was delivered")
    return state


def _walk(reader: Reader) -> Iterator[AuditRow]:
    after = -(2**62)
    while rows := reader.rows(f"{_COLUMNS} WHERE number > ? ORDER BY number LIMIT ?", (after, _PAGE)):
        yield from map(_make_row, rows)
        after = rows[-1]["number"]


def _make_condition(search: AuditSearch) -> Condition:
    conditions = []
    if search.since is not None:
        conditions.append(Condition("at >= ?", (search.since,)))
    if search.until is not None:
        conditions.append(Condition("at < ?", (search.until,)))
    if search.before is not None:
        conditions.append(Condition("number < ?", (search.before,)))
    if search.kinds:
        conditions.append(is_one_of("kind", list(search.kinds)))
    for column, value in (("users", search.user), ("patients", search.patient)):
        if value:
            conditions.append(_has_line(column, value))
    if search.failed_only:
        conditions.append(Condition("outcome <> 0"))
    return combine(conditions)


def _has_line(column: str, value: str) -> Condition:
    """Whether one line of a column is the value."""
    escaped = value.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    forms = (escaped, f"{escaped}\n%", f"%\n{escaped}", f"%\n{escaped}\n%")
    return combine([Condition(f"{column} LIKE ? ESCAPE '!'", (form,)) for form in forms], "OR")


def _make_row(row: StoredRow) -> AuditRow:
    entry = AuditEntry(*(row[name] for name in AuditEntry._fields))
    return AuditRow(row["number"], row["device_id"], entry, row["digest"])
