"""``openmodality studies delete``, ``series delete`` and ``instances delete``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openmodality.app.records.entities import COUNTS
from openmodality.cli.display.entities import INSTANCES, SERIES, STUDIES, Entity, find_entity
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.confirmation import add_yes, ask_to_confirm
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.site import add_site, device
from openmodality.counted import format_count
from openmodality.store.listing.entities import Found
from openmodality.store.rows.deletion import NotCommitted

_NOUNS: Final = {"studies": "study", "series": "series", "instances": "instance"}


def _declare_delete(parser: Parser) -> None:
    parser.add_argument("uids", metavar="UID", nargs="+")
    parser.add_argument("--force", action="store_true", help="Delete what no archive has committed to keep, too.")
    add_yes(parser)
    add_site(parser)
    add_json(parser)


def _delete_command(entity: Entity) -> CliCommand:
    def delete(uids: tuple[str, ...], force: bool, yes: bool, site_file: str, as_json: bool) -> None:
        with device(site_file) as modality:
            chosen = [find_entity(modality.view, entity, uid) for uid in uids]
            _refuse_uncommitted(chosen, entity, force=force)
            ask_to_confirm(_question(chosen, entity), yes=yes)
            deleted = [modality.delete(entity.level, uid, force=force) for uid in uids]
        totals = {name: sum(getattr(each, name) for each in deleted) for name in COUNTS[:3]}
        if as_json:
            print_document([totals])
        else:
            gone = [format_count(totals[name], noun) for name, noun in _NOUNS.items() if totals[name]]
            print(f"deleted: {', '.join(gone)}")

    text = (
        f"Delete {entity.plural} from the local database and from disk, for good. Refused while an exam is in progress"
        " on them or a job needs them; without --force also where an archive has not committed to keep them."
    )
    return CliCommand(delete, _declare_delete, text=text)


def _refuse_uncommitted(chosen: Sequence[Found], entity: Entity, *, force: bool) -> None:
    """Refuse to delete what is not committed before the person is asked, not after."""
    uncommitted = sum(each.instances - each.committed for each in chosen)
    if uncommitted and not force:
        total = format_count(sum(each.instances for each in chosen), "instance")
        raise NotCommitted(f"{uncommitted} of {total} are not committed, so {entity.plural} stay")


def _question(chosen: Sequence[Found], entity: Entity) -> str:
    instances = sum(each.instances for each in chosen)
    uncommitted = instances - sum(each.committed for each in chosen)
    what = f"{len(chosen)} series" if entity is SERIES else format_count(len(chosen), entity.noun)
    held = "" if entity is INSTANCES else f" with {format_count(instances, 'instance')}"
    lost = f", {uncommitted} of them kept by no archive," if uncommitted else ""
    return f"Delete {what}{held}{lost} for good?"


studies_command = _delete_command(STUDIES)
series_command = _delete_command(SERIES)
instances_command = _delete_command(INSTANCES)
