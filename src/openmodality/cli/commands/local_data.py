"""``openmodality studies``, ``series`` and ``instances``: what is in the local database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from openmodality.cli.terminal.arguments import Command, Group, Parser
from openmodality.cli.terminal.confirmation import add_yes, confirmed
from openmodality.cli.terminal.options import add_json, add_keys, split_key
from openmodality.cli.terminal.output import counted, date_and_time, print_fields, print_json, print_table
from openmodality.cli.terminal.site import add_site, device
from openmodality.errors import NotFound
from openmodality.store.listing.entities import Found, Level
from openmodality.store.rows.deletion import NotCommitted

if TYPE_CHECKING:
    from openmodality.app import Modality


class _Entity(NamedTuple):
    """How the entities of a level are shown: keyword or count, by heading."""

    level: Level
    noun: str
    plural: str
    unique_key: str
    columns: Mapping[str, str]


STUDY: Final = _Entity(
    Level.STUDY,
    "study",
    "studies",
    "StudyInstanceUID",
    {
        "date": "StudyDate",
        "patient": "PatientName",
        "patient ID": "PatientID",
        "accession": "AccessionNumber",
        "modalities": "modalities",
        "series": "series",
        "instances": "instances",
        "sent": "sent",
        "committed": "committed",
        "Study Instance UID": "StudyInstanceUID",
    },
)
SERIES: Final = _Entity(
    Level.SERIES,
    "series",
    "series",
    "SeriesInstanceUID",
    {
        "number": "SeriesNumber",
        "modality": "Modality",
        "description": "SeriesDescription",
        "instances": "instances",
        "sent": "sent",
        "committed": "committed",
        "Series Instance UID": "SeriesInstanceUID",
    },
)
INSTANCE: Final = _Entity(
    Level.IMAGE,
    "instance",
    "instances",
    "SOPInstanceUID",
    {
        "series": "SeriesNumber",
        "number": "InstanceNumber",
        "modality": "Modality",
        "rows": "Rows",
        "columns": "Columns",
        "sent": "sent",
        "committed": "committed",
        "SOP Instance UID": "SOPInstanceUID",
    },
)
_COUNTS: Final = ("studies", "series", "instances", "sent", "committed", "modalities")


def _group(entity: _Entity) -> Group:
    commands = {
        "delete": _delete_command(entity),
        "list": _list_command(entity),
        "show": _show_command(entity),
    }
    return Group(f"{entity.plural.capitalize()} in the local database.", commands)


def _declare_list(parser: Parser) -> None:
    add_keys(parser, "A matching key of this level or one above, such as PatientName=DOE*. May be repeated.")
    add_site(parser)
    add_json(parser)


def _declare_show(parser: Parser) -> None:
    parser.add_argument("uid", metavar="UID")
    add_site(parser)
    add_json(parser)


def _declare_delete(parser: Parser) -> None:
    parser.add_argument("uids", metavar="UID", nargs="+")
    parser.add_argument("--force", action="store_true", help="Delete what no archive has committed to keep, too.")
    add_yes(parser)
    add_site(parser)
    add_json(parser)


def _list_command(entity: _Entity) -> Command:
    def list_(keys: tuple[str, ...], site_file: str, as_json: bool) -> None:
        with device(site_file) as modality:
            found = _find(modality, entity, dict(split_key(key) for key in keys))
        if as_json:
            print_json([_as_json(each) for each in found])
        else:
            rows = [_row(entity, each) for each in found]
            print_table(list(entity.columns), rows, empty=f"there are no such {entity.plural}")

    text = f"{entity.plural.capitalize()} that match the keys, newest study first."
    return Command(list_, _declare_list, text=text)


def _show_command(entity: _Entity) -> Command:
    def show(uid: str, site_file: str, as_json: bool) -> None:
        below = {Level.STUDY: SERIES, Level.SERIES: INSTANCE}.get(entity.level)
        with device(site_file) as modality:
            each = _one(modality, entity, uid)
            contents = _find(modality, below, {entity.unique_key: uid}) if below else []
            path = modality.instance_path(uid) if entity is INSTANCE else None
        if as_json:
            extra: dict[str, Any] = {"path": str(path)} if path else {}
            if below:
                extra[f"{below.plural}_below"] = [_as_json(item) for item in contents]
            print_json(_as_json(each) | extra)
            return
        counts = [(name, getattr(each, name)) for name in _COUNTS[2 if entity is STUDY else 3 : 5]]
        print_fields([*each.attributes.items(), *([] if path else counts), ("file", path)])
        if below:
            print()
            print_table(list(below.columns), [_row(below, item) for item in contents])

    return Command(show, _declare_show, text=f"One {entity.noun}: its attributes, and what is below it.")


def _delete_command(entity: _Entity) -> Command:
    def delete(uids: tuple[str, ...], force: bool, yes: bool, site_file: str, as_json: bool) -> None:
        with device(site_file) as modality:
            chosen = [_one(modality, entity, uid) for uid in uids]
            _refuse_uncommitted(chosen, entity, force=force)
            confirmed(_question(chosen, entity), yes=yes)
            deleted = [modality.delete(entity.level, uid, force=force) for uid in uids]
        totals = {name: sum(getattr(each, name) for each in deleted) for name in _COUNTS[:3]}
        if as_json:
            print_json(totals)
        else:
            nouns = {"studies": "study", "series": "series", "instances": "instance"}
            gone = [counted(totals[name], noun) for name, noun in nouns.items() if totals[name]]
            print(f"deleted: {', '.join(gone)}")

    text = (
        f"Delete {entity.plural} from the local database and from disk, for good. Refused while an exam is in progress"
        " on them or a job needs them; without --force also where an archive has not committed to keep them."
    )
    return Command(delete, _declare_delete, text=text)


def _refuse_uncommitted(chosen: Sequence[Found], entity: _Entity, *, force: bool) -> None:
    """Say so before anybody is asked, not after."""
    open_ = sum(each.instances - each.committed for each in chosen)
    if open_ and not force:
        total = counted(sum(each.instances for each in chosen), "instance")
        raise NotCommitted(f"{open_} of {total} are not committed, so {entity.plural} stay")


def _question(chosen: Sequence[Found], entity: _Entity) -> str:
    instances = sum(each.instances for each in chosen)
    open_ = instances - sum(each.committed for each in chosen)
    what = f"{len(chosen)} series" if entity is SERIES else counted(len(chosen), entity.noun)
    held = "" if entity is INSTANCE else f" with {counted(instances, 'instance')}"
    lost = f", {open_} of them kept by no archive," if open_ else ""
    return f"Delete {what}{held}{lost} for good?"


def _find(modality: Modality, entity: _Entity, keys: Mapping[str, str]) -> list[Found]:
    call = {Level.STUDY: modality.studies, Level.SERIES: modality.series, Level.IMAGE: modality.instances}
    return call[entity.level](**keys)


def _one(modality: Modality, entity: _Entity, uid: str) -> Found:
    found = _find(modality, entity, {entity.unique_key: uid})
    if len(found) != 1:
        raise NotFound(f"there is no {entity.noun} {uid}", advice=f"openmodality {entity.plural} list shows all")
    return found[0]


def _row(entity: _Entity, each: Found) -> list[object]:
    return [_value(each, name) for name in entity.columns.values()]


def _value(each: Found, name: str) -> object:
    if name in _COUNTS:
        return getattr(each, name)
    if name == "StudyDate":
        return date_and_time(each["StudyDate"], each["StudyTime"])
    return each[name]


def _as_json(each: Found) -> dict[str, Any]:
    counts = {name: getattr(each, name) for name in _COUNTS[:5]}
    return {**each.attributes, **counts, "modalities": list(each.modalities)}


studies = _group(STUDY)
series = _group(SERIES)
instances = _group(INSTANCE)
