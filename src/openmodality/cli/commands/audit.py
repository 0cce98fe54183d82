"""``openmodality audit``: who did what with whose images, and whether that record is whole."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Final

from openmodality.app.records.audit import audit_row_as_json, audit_state_as_json, chain_as_json
from openmodality.audit.codes import EventKind
from openmodality.cli.display.audit import (
    AUDIT_COLUMNS,
    describe_chain,
    describe_trail,
    format_message,
)
from openmodality.cli.terminal.arguments import DONE, CliCommand, Group, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import align_rows, say
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.table import add_wide, print_rows
from openmodality.cli.terminal.values import any_path, not_empty, parse_integer
from openmodality.errors import UsageError
from openmodality.store.listing.audit import AuditSearch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openmodality.store.listing.audit import AuditRow

_NEWEST: Final = 50
_LARGEST: Final = 2**63 - 1
_BROKEN: Final = 1
Head = tuple[int, str]
"""The number of the last row of a chain, and its digest."""


def parse_local_moment(text: str) -> float:
    """Seconds since the epoch of a local date, or date and time: ``2026-11-30``, ``2026-11-30T08:00``."""
    from datetime import datetime  # noqa: PLC0415 - start-up time

    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"{text!r} is no date: write 2026-11-30 or 2026-11-30T08:00") from None


def parse_head(text: str) -> Head:
    """The number and digest of a row, as ``audit verify`` prints them."""
    number, _, digest = text.partition(":")
    is_digest = len(digest) == 64 and not set(digest) - set("0123456789abcdef")
    if not number.isdecimal() or not number.isascii() or len(number) > 18 or not is_digest:
        raise ArgumentTypeError(f"{text!r} is no head: 'audit verify' prints NUMBER:DIGEST")
    return int(number), digest


def _add_filters(parser: Parser) -> None:
    parser.add_argument("--since", metavar="DATE", type=parse_local_moment, help="Only from this date or time on.")
    parser.add_argument("--until", metavar="DATE", type=parse_local_moment, help="Only before this date or time.")
    parser.add_argument(
        "--kind",
        dest="kinds",
        choices=[kind.value for kind in EventKind],
        action="append",
        default=[],
        help="Only this kind of event. May be repeated.",
    )
    parser.add_argument("--user", metavar="NAME", type=not_empty, help="Only with this user, program or AE title.")
    parser.add_argument("--patient", metavar="PATIENT-ID", type=not_empty, help="Only about this patient.")
    parser.add_argument("--failed", action="store_true", help="Only what has failed, wholly or in part.")


def _declare_list(parser: Parser) -> None:
    _add_filters(parser)
    parser.add_argument(
        "--limit", metavar="N", type=parse_integer(1, _LARGEST - 1), default=_NEWEST, help="Only the newest."
    )
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def list_rows(
    since: float | None,
    until: float | None,
    kinds: tuple[str, ...],
    user: str | None,
    patient: str | None,
    failed: bool,
    limit: int,
    site_file: str,
    wide: bool,
    as_json: bool,
) -> None:
    """Events of the audit trail, newest first. To read it is an event too."""
    search = AuditSearch(since, until, kinds, user or "", patient or "", failed)
    with device(site_file) as modality:
        page = modality.audit.find(search, limit)
    if as_json:
        state = audit_state_as_json(page.state)
        print_document(map(audit_row_as_json, page.rows), more_available=page.total > len(page.rows), **state)
        return
    print_rows(AUDIT_COLUMNS, page.rows, empty="there are no such events", wide=wide)
    if page.total > len(page.rows):
        say(f"there are {page.total}; raise --limit to see older ones")
    say(describe_trail(page.state))


def _declare_show(parser: Parser) -> None:
    parser.add_argument("row", metavar="ROW", type=parse_integer(1, _LARGEST))
    add_site(parser)
    add_json(parser)


def show_row(row: int, site_file: str, as_json: bool) -> None:
    """One event with all that its message says."""
    with device(site_file) as modality:
        found = modality.audit.show(row)
    if as_json:
        print_document([audit_row_as_json(found, in_full=True)])
        return
    for line in align_rows([("row", str(found.number)), ("digest", found.digest), *format_message(found)]):
        print(line)


def _declare_verify(parser: Parser) -> None:
    parser.add_argument(
        "--head",
        metavar="NUMBER:DIGEST",
        type=parse_head,
        help="A row that was written down earlier: it must still be there as it was.",
    )
    add_site(parser)
    add_json(parser)


def verify_trail(head: Head | None, site_file: str, as_json: bool) -> int:
    """Whether the audit trail is whole: no row was changed, taken out or put in. Exit status 1 where it is not.

    The last line names the head of the chain. Write it down elsewhere: with --head it shows later whether rows were cut
    off at the end.
    """
    with device(site_file) as modality:
        chain, state = modality.audit.verify(head)
    status = _BROKEN if chain.broken_at else DONE
    if as_json:
        print_document([chain_as_json(chain, state)])
        return status
    print(describe_chain(chain))
    print(describe_trail(state))
    return status


def _declare_export(parser: Parser) -> None:
    _add_filters(parser)
    parser.add_argument(
        "--to",
        dest="folder",
        metavar="DIR",
        type=any_path,
        required=True,
        help="A new folder: a file for each event, and the chain in chain.csv.",
    )
    add_site(parser)
    add_json(parser)


def export_rows(
    since: float | None,
    until: float | None,
    kinds: tuple[str, ...],
    user: str | None,
    patient: str | None,
    failed: bool,
    folder: Path,
    site_file: str,
    as_json: bool,
) -> None:
    """Write the messages of events as XML files, oldest first, such as for an archive of audit trails."""
    search = AuditSearch(since, until, kinds, user or "", patient or "", failed)
    if folder.exists():
        raise UsageError(f"{folder} is there already", advice="name a folder that is not")
    with device(site_file) as modality:
        rows = modality.audit.export(search)
    _write(folder, rows)
    if as_json:
        print_document(map(audit_row_as_json, rows), folder=str(folder))
    else:
        print(f"{len(rows)} events in {folder}")


def _write(folder: Path, rows: Sequence[AuditRow]) -> None:
    """Only the owner may read them: they name patients."""
    import csv  # noqa: PLC0415 - start-up time

    from openmodality.store.private_files import PRIVATE_FOLDER, open_private  # noqa: PLC0415 - likewise

    folder.mkdir(mode=PRIVATE_FOLDER, parents=True)
    for row in rows:
        with open(folder / f"{row.number:09}.xml", "w", encoding="utf-8", opener=open_private) as file:
            file.write(row.entry.message)
    with open(folder / "chain.csv", "w", encoding="utf-8", newline="", opener=open_private) as file:
        writer = csv.writer(file)
        writer.writerow(("row", "at", "kind", "outcome", "digest"))
        writer.writerows((row.number, row.entry.at, row.entry.kind, row.entry.outcome, row.digest) for row in rows)


command = Group(
    "The audit trail: who did what with whose images (PS3.15 A.5).",
    {
        "export": CliCommand(export_rows, _declare_export),
        "list": CliCommand(list_rows, _declare_list),
        "show": CliCommand(show_row, _declare_show),
        "verify": CliCommand(verify_trail, _declare_verify),
    },
)
