"""``openmodality studies``, ``series`` and ``instances``: what is in the local database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from openmodality.app.records.entities import entity_as_json
from openmodality.app.records.problems import problem_as_json
from openmodality.cli.display.entities import (
    DEVICE_COLUMN,
    INSTANCES,
    SERIES,
    STUDIES,
    Entity,
    find_entity,
)
from openmodality.cli.display.problems import PROBLEM_COLUMNS
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser, see_help
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.lazy import CommandEntry, LazyCommand
from openmodality.cli.terminal.options import add_keys, split_key
from openmodality.cli.terminal.output import print_fields, say
from openmodality.cli.terminal.site import add_site, open_view
from openmodality.cli.terminal.table import add_wide, print_rows
from openmodality.cli.terminal.values import parse_integer
from openmodality.errors import UsageError
from openmodality.store.listing.search import Search

if TYPE_CHECKING:
    from openmodality.store.listing.problems import Problem


_SHOWN: Final = 100
"""How many a list shows where nobody says how many."""
_LARGEST: Final = 2**62


def _group(entity: Entity) -> Group:
    delete = CommandEntry(
        "openmodality.cli.commands.local_data_delete",
        f"Delete {entity.plural} from the local database and from disk, for good.",
        f"{entity.plural}_command",
    )
    commands: dict[str, CliCommand | LazyCommand] = {
        "delete": LazyCommand(delete),
        "list": _list_command(entity),
        "show": _show_command(entity),
    }
    if entity is INSTANCES:
        commands |= {
            "dismiss": LazyCommand(_problem_entry("dismiss", "List problems of instance files no more.")),
            "list": CliCommand(list_or_problems, _declare_list_of_instances),
            "retry": LazyCommand(_problem_entry("retry", "Try again to index, or to store, files with problems.")),
        }
    return Group(f"{entity.plural.capitalize()} in the local database.", commands)


def _problem_entry(verb: str, summary: str) -> CommandEntry:
    return CommandEntry("openmodality.cli.commands.problems", summary, f"{verb}_command")


def _declare_list_of_instances(parser: Parser) -> None:
    parser.add_argument(
        "--problems", action="store_true", help="Files that could not be indexed or were set aside, with the reason."
    )
    _declare_list(parser)


def list_or_problems(
    problems: bool,
    keys: tuple[str, ...],
    limit: int,
    offset: int,
    all_devices: bool,
    site_file: str,
    wide: bool,
    as_json: bool,
) -> None:
    """Instances that match the keys, newest study first; or the instance files that are not among them."""
    if not problems:
        _list(INSTANCES, keys, _Page(limit, offset, all_devices), site_file, wide=wide, as_json=as_json)
        return
    if keys:
        raise UsageError("--problems shows all of them: it takes no keys", advice=see_help("instances list"))
    with open_view(site_file) as view:
        found = view.problems.list()
    if as_json:
        print_document(map(problem_as_json, found))
    else:
        print_rows(PROBLEM_COLUMNS, found, empty="there are no problems", wide=wide)


class _Page(NamedTuple):
    """Which part of a list is shown, and of whom."""

    limit: int
    offset: int
    all_devices: bool


def _declare_list(parser: Parser) -> None:
    add_keys(parser, "A matching key of this level or one above, such as PatientName=DOE*. May be repeated.")
    parser.add_argument(
        "--limit", metavar="N", type=parse_integer(1, _LARGEST), default=_SHOWN, help="Only the newest."
    )
    parser.add_argument(
        "--offset", metavar="N", type=parse_integer(0, _LARGEST), default=0, help="Leave out so many of the newest."
    )
    parser.add_argument(
        "--all-devices", action="store_true", help="Also what the other devices have that share the database."
    )
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def _list_command(entity: Entity) -> CliCommand:
    def list_(
        keys: tuple[str, ...], limit: int, offset: int, all_devices: bool, site_file: str, wide: bool, as_json: bool
    ) -> None:
        _list(entity, keys, _Page(limit, offset, all_devices), site_file, wide=wide, as_json=as_json)

    text = f"{entity.plural.capitalize()} that match the keys, newest study first."
    return CliCommand(list_, _declare_list, text=text)


def _list(entity: Entity, keys: tuple[str, ...], page: _Page, site_file: str, *, wide: bool, as_json: bool) -> None:
    if keys:
        from openmodality.cli.terminal.attributes import say_odd_keys  # noqa: PLC0415 - start-up time

        say_odd_keys(keys)
    search = Search(entity.level, dict(split_key(key) for key in keys), all_devices=page.all_devices)
    with open_view(site_file) as view:
        found, is_more = view.search(search, limit=page.limit, offset=page.offset)
    if as_json:
        print_document(map(entity_as_json, found), more_available=is_more)
        return
    columns = (*entity.columns, *([DEVICE_COLUMN] if page.all_devices else []))
    print_rows(columns, found, empty=f"there are no such {entity.plural}", wide=wide)
    if is_more:
        say(f"there are more than {page.limit}; raise --limit or --offset to see older ones")


def _declare_show(parser: Parser) -> None:
    parser.add_argument("uid", metavar="UID")
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def _show_command(entity: Entity) -> CliCommand:
    def show(uid: str, site_file: str, wide: bool, as_json: bool) -> None:
        below = entity.below
        with open_view(site_file) as view:
            problems = view.problems.find(uid) if entity is INSTANCES else []
            if problems and not view.find(entity.level, {entity.unique_key: uid}):
                _show_problems(problems, wide=wide, as_json=as_json)
                return
            each = find_entity(view, entity, uid)
            contents = view.find(below.level, {entity.unique_key: uid}) if below else []
            path = None if below else view.instance_path(uid)
        if as_json:
            extra: dict[str, Any] = {"path": str(path)} if path else {}
            if entity is INSTANCES:
                extra["problems"] = list(map(problem_as_json, problems))
            if below:
                extra[f"{below.plural}_below"] = [entity_as_json(item) for item in contents]
            print_document([{**entity_as_json(each), **extra}])
            return
        counts = [(name, getattr(each, name)) for name in entity.counts]
        print_fields([*each.attributes.items(), *counts, ("file", path)])
        if below:
            print()
            print_rows(below.columns, contents, wide=wide)
        if problems:
            print()
            print_rows(PROBLEM_COLUMNS, problems, wide=wide)

    more = "below it" if entity.below else "wrong with its file"
    return CliCommand(show, _declare_show, text=f"One {entity.noun}: its attributes, and what is {more}.")


def _show_problems(problems: Sequence[Problem], *, wide: bool, as_json: bool) -> None:
    """An instance that the index does not have: what is wrong with its file."""
    if as_json:
        uid = problems[0].sop_instance_uid
        print_document([{"SOPInstanceUID": uid, "problems": list(map(problem_as_json, problems))}])
    else:
        print_rows(PROBLEM_COLUMNS, problems, wide=wide)


studies = _group(STUDIES)
series = _group(SERIES)
instances = _group(INSTANCES)
