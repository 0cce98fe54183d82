"""``openmodality studies``, ``series`` and ``instances``: what is in the local database."""

from __future__ import annotations

from typing import Any

from openmodality.cli.display.entities import INSTANCES, SERIES, STUDIES, Entity, entity_as_json, find_entity
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.lazy import CommandEntry, LazyCommand
from openmodality.cli.terminal.options import add_keys, split_key
from openmodality.cli.terminal.output import print_fields
from openmodality.cli.terminal.site import add_site, look
from openmodality.cli.terminal.table import add_wide, print_rows


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
    return Group(f"{entity.plural.capitalize()} in the local database.", commands)


def _declare_list(parser: Parser) -> None:
    add_keys(parser, "A matching key of this level or one above, such as PatientName=DOE*. May be repeated.")
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def _list_command(entity: Entity) -> CliCommand:
    def list_(keys: tuple[str, ...], site_file: str, wide: bool, as_json: bool) -> None:
        with look(site_file) as view:
            found = view.find(entity.level, dict(split_key(key) for key in keys))
        if as_json:
            print_document(map(entity_as_json, found))
        else:
            print_rows(entity.columns, found, empty=f"there are no such {entity.plural}", wide=wide)

    text = f"{entity.plural.capitalize()} that match the keys, newest study first."
    return CliCommand(list_, _declare_list, text=text)


def _declare_show(parser: Parser) -> None:
    parser.add_argument("uid", metavar="UID")
    add_site(parser)
    add_wide(parser)
    add_json(parser)


def _show_command(entity: Entity) -> CliCommand:
    def show(uid: str, site_file: str, wide: bool, as_json: bool) -> None:
        below = entity.below
        with look(site_file) as view:
            each = find_entity(view, entity, uid)
            contents = view.find(below.level, {entity.unique_key: uid}) if below else []
            path = None if below else view.instance_path(uid)
        if as_json:
            extra: dict[str, Any] = {"path": str(path)} if path else {}
            if below:
                extra[f"{below.plural}_below"] = [entity_as_json(item) for item in contents]
            print_document([{**entity_as_json(each), **extra}])
            return
        counts = [(name, getattr(each, name)) for name in entity.counts]
        print_fields([*each.attributes.items(), *counts, ("file", path)])
        if below:
            print()
            print_rows(below.columns, contents, wide=wide)

    return CliCommand(show, _declare_show, text=f"One {entity.noun}: its attributes, and what is below it.")


studies = _group(STUDIES)
series = _group(SERIES)
instances = _group(INSTANCES)
