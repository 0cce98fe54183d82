"""``openmodality worklist``: what is scheduled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from pydicom import Dataset

from openmodality.activities.worklist_query import RETURN_KEYS, ask_for_worklist, describe_limits
from openmodality.app.records.peers import item_as_json
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.attributes import format_element, parse_keys, say_odd_keys
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.options import add_keys, add_limit, split_key
from openmodality.cli.terminal.output import clean, date_and_time, say
from openmodality.cli.terminal.peer import add_calling, add_timeout, is_direct, resolve
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.table import Column, add_wide, print_rows
from openmodality.cli.terminal.tls import add_tls
from openmodality.device.paths import parse_path
from openmodality.dimse.reading import read_elements
from openmodality.errors import UsageError
from openmodality.query.identifier import Key, identifier
from openmodality.services.worklist import find_defects
from openmodality.standard.tags import (
    SCHEDULED_PROCEDURE_STEP_SEQUENCE,
    SCHEDULED_PROCEDURE_STEP_START_DATE,
    SCHEDULED_PROCEDURE_STEP_START_TIME,
)

if TYPE_CHECKING:
    import ssl

_MOST_ITEMS: Final = 9999
"""As many as a device may be told to take (``worklist.max_items``): a RIS that never ends its answer is left."""


class ListedItem(NamedTuple):
    """An item with its number, where it has one, and what is wrong with it."""

    number: int | None
    attributes: Dataset
    defects: Sequence[str]


class _Line:
    """An item as a line of the table; what stands in it is looked up once."""

    def __init__(self, item: ListedItem) -> None:
        self.number = item.number
        self._above = read_elements(item.attributes)
        steps = self._above.get(SCHEDULED_PROCEDURE_STEP_SEQUENCE)
        self._inside = read_elements(steps.value[0]) if steps is not None and steps.VR == "SQ" and steps.value else {}

    def read(self, tag: int) -> str:
        """An attribute of the item."""
        return format_element(self._above.get(tag))

    def read_step(self, tag: int) -> str:
        """An attribute of its scheduled step."""
        return format_element(self._inside.get(tag))

    def read_start(self) -> str:
        """When the step is to start."""
        date, time = SCHEDULED_PROCEDURE_STEP_START_DATE, SCHEDULED_PROCEDURE_STEP_START_TIME
        return date_and_time(self.read_step(date), self.read_step(time))


def _make_column(heading: str, keyword: str, *, leave_out: int = 0, words: bool = False) -> Column[_Line]:
    (tag,) = parse_path(keyword)
    return Column(heading, lambda line: line.read(tag), leave_out=leave_out, words=words)


def _make_step_column(heading: str, keyword: str, *, leave_out: int = 0, words: bool = False) -> Column[_Line]:
    (tag,) = parse_path(keyword)
    return Column(heading, lambda line: line.read_step(tag), leave_out=leave_out, words=words)


_NUMBER: Final = Column[_Line]("item", lambda line: line.number)
_COLUMNS: Final = (
    Column[_Line]("start", _Line.read_start),
    _make_step_column("station", "ScheduledStationAETitle", leave_out=5),
    _make_step_column("modality", "Modality", leave_out=4),
    _make_column("patient", "PatientName", words=True),
    _make_column("patient ID", "PatientID", leave_out=1),
    _make_column("accession", "AccessionNumber", leave_out=2),
    _make_step_column("step ID", "ScheduledProcedureStepID", leave_out=3),
    _make_step_column("procedure step", "ScheduledProcedureStepDescription", words=True),
)


def _declare(parser: Parser) -> None:
    parser.add_argument("peer", metavar="PEER", nargs="?")
    add_keys(parser)
    add_limit(parser, _MOST_ITEMS)
    for add in (add_site, add_calling, add_timeout, add_tls, add_wide, add_json):
        add(parser)


def run(
    peer: str | None,
    keys: tuple[str, ...],
    limit: int | None,
    site_file: str,
    calling: str | None,
    timeout: float | None,
    tls: ssl.SSLContext | None,
    wide: bool,
    as_json: bool,
) -> None:
    """Ask a RIS what is scheduled (Modality Worklist), and show what is wrong with its items.

    PEER AETITLE@host:port is asked straight: for everything that matches the keys. Otherwise the device of the site
    file asks PEER, or its first peer with a worklist, with the keys of its own profile, by default for what is
    scheduled for it today; the items are kept, and their numbers are what "exam start" takes.
    """
    say_odd_keys(keys)
    if peer is not None and is_direct(peer):
        listing = _ask(peer, keys, limit, site_file, (calling, timeout, tls))
    elif any(given is not None for given in (limit, calling, timeout, tls)):
        raise UsageError(
            "--limit, --calling, --timeout and --tls are for a PEER given as AETITLE@host:port",
            advice="set them in the site file",
        )
    else:
        listing = _ask_as_device(peer, keys, site_file)
    listing.print(as_json=as_json, wide=wide)


command = CliCommand(run, _declare)


class Listing:
    """Items with their numbers, where they have some, and what is wrong with them."""

    def __init__(self, items: Sequence[ListedItem], notices: Sequence[str]) -> None:
        self._items = items
        self._notices = notices

    def print(self, *, as_json: bool, wide: bool) -> None:
        """On stdout; notices go to stderr."""
        if as_json:
            print_document([item_as_json(*each) for each in self._items], notices=list(self._notices))
            return
        is_numbered = any(item.number is not None for item in self._items)
        columns = (_NUMBER, *_COLUMNS) if is_numbered else _COLUMNS
        print_rows(columns, map(_Line, self._items), empty="nothing is scheduled", wide=wide)
        for place, (number, _, found) in enumerate(self._items, 1):
            for defect in found:
                print(f"item {place if number is None else number}: {clean(defect)}")
        for notice in self._notices:
            say(notice)


def _ask(
    peer: str,
    keys: tuple[str, ...],
    limit: int | None,
    site_file: str,
    ourselves: tuple[str | None, float | None, ssl.SSLContext | None],
) -> Listing:
    ends = resolve(peer, "worklist", site_file, *ourselves)
    asked = identifier([Key(path) for path in RETURN_KEYS], parse_keys(keys, RETURN_KEYS))
    answer = ask_for_worklist(ends, asked, limit=limit or _MOST_ITEMS)
    today = date.today()
    items = [ListedItem(None, item, list(map(str, find_defects(item, today)))) for item in answer.items]
    return Listing(items, describe_limits(answer))


def _ask_as_device(peer: str | None, keys: tuple[str, ...], site_file: str) -> Listing:
    values = dict(split_key(key) for key in keys)
    with device(site_file) as modality:
        answer = modality.query_worklist({name.split(">")[-1]: value for name, value in values.items()}, peer)
    return Listing([ListedItem(item.id, item.attributes, item.defects) for item in answer.items], answer.notices)
