"""Says in words what a peer would notice of the difference between two statements, as their JSON has them.

An :class:`_Area` is a list of rows in the JSON, by a key that names a row, with a sentence for a row that came, one for
a row that went, and one for each field that changed. What only the device itself notices, such as whether a key is
displayed, is in no area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final, Literal, TypeAlias

from openmodality.conformance.as_json import StatementJson, make_damage_error
from openmodality.conformance.tables import EFFECT_WORDS, POLICY_WORDS, SECURITY_WORDS, SERVICE_TITLES
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES
from openmodality.value_class import dataclass

Row: TypeAlias = Mapping[str, Any]
_Rows: TypeAlias = Mapping[tuple[str, ...], Row]
DifferenceKind: TypeAlias = Literal["came", "went", "changed"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, as a sentence."""

    area: str
    change: DifferenceKind
    text: str


@dataclass(frozen=True, slots=True)
class _Area:
    """Rows of a kind. Sentences are formats of the fields of a row; ``{was}`` and ``{now}`` are those of a change."""

    name: str
    find: Callable[[StatementJson], Iterable[Row]]
    key: tuple[str, ...]
    came: str
    went: str
    changed: Mapping[str, str] = field(default_factory=dict)


def _read_member(name: str) -> Callable[[StatementJson], Iterable[Row]]:
    return lambda statement: statement[name]


def _list_contexts(statement: StatementJson) -> Iterator[Row]:
    """The contexts that are switched on, transfer syntaxes by name."""
    for row in statement["presentation_contexts"]:
        if row["is_enabled"]:
            verb = "proposes" if row["direction"] == "proposed" else "accepts"
            yield {**row, "verb": verb, "transfer_syntaxes": name_syntaxes(row["transfer_syntaxes"])}


def name_syntaxes(uids: Iterable[str]) -> str:
    """Transfer syntaxes by their names, or by UID where we know none."""
    return ", ".join(TRANSFER_SYNTAXES[uid].name if uid in TRANSFER_SYNTAXES else uid for uid in uids)


def _list_policies(statement: StatementJson) -> Iterator[Row]:
    policy, device = statement["association"], statement["device"]
    for name, words in POLICY_WORDS.items():
        yield {"name": words, "value": _say(policy[name] if name in policy else device[name])}


def _list_security(statement: StatementJson) -> Iterator[Row]:
    """The settings of TLS; a setting that an older statement lacks counts as none."""
    for name, words in SECURITY_WORDS.items():
        value = statement["security"].get(name, [])
        yield {"name": words, "value": _say([SERVICE_TITLES[each] for each in value] if name == "services" else value)}


def _list_statuses(statement: StatementJson) -> Iterator[Row]:
    for row in statement["statuses"]:
        effect = EFFECT_WORDS.get(row["effect"], row["effect"])
        ends = ", and the association is aborted" if row["aborts"] else ""
        yield {**row, "code": "any other status" if row["code"] == "*" else row["code"], "outcome": f"{effect}{ends}"}


def _list_steps(statement: StatementJson) -> Iterator[Row]:
    for row in statement["performed_step"]:
        for operation, member in (("N-CREATE", "n_create"), ("N-SET", "n_set")):
            if row[member]:
                yield {**row, "operation": operation, "type": row[member]}


def _list_uses(statement: StatementJson) -> Iterator[Row]:
    for item in statement["objects"]:
        for use in item["modules"]:
            yield {**use, "object": item["name"]}


def _list_attributes(statement: StatementJson) -> Iterator[Row]:
    for module in statement["modules"]:
        for row in module["attributes"]:
            for name in row["objects"]:
                yield {**row, "module": module["name"], "object": name, "values": _say(row["values"])}


def _list_terms(statement: StatementJson) -> Iterator[Row]:
    yield from ({"term": row["term"] or "the default repertoire"} for row in statement["character_sets"]["supported"])


def _list_media(statement: StatementJson) -> Iterator[Row]:
    for row in statement["media"]:
        if row["is_enabled"]:
            for uid in row["sop_classes"]:
                yield {**row, "sop_class": uid}


def _say(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


_AREAS: Final = (
    _Area(
        "application entities", _read_member("application_entities"), ("role",),
        "The AE {role} is new: {ae_title}, port {port}.", "The AE {role} ({ae_title}) is gone.",
        {
            "ae_title": "The AE {role} is now called {now}; it was {was}: peers that know its title must learn it.",
            "port": "The AE {role} now listens on port {now}; it was {was}.",
            "most_accepted": "The AE {role} now accepts {now} associations at a time; it was {was}.",
            "most_initiated": "The AE {role} now opens {now} associations at a time; it was {was}.",
            "is_tls": "TLS of the AE {role}: now {now}, before {was}.",
        },
    ),
    _Area(
        "presentation contexts", _list_contexts, ("ae", "verb", "sop_class", "role"),
        "The AE {ae} now {verb} {sop_class} as {role}, in {transfer_syntaxes}.",
        "The AE {ae} no longer {verb} {sop_class} as {role}.",
        {"transfer_syntaxes": "The AE {ae} now {verb} {sop_class} as {role} in {now}; it was {was}."},
    ),
    _Area(
        "associations", _list_policies, ("name",),
        "{name}: now {value}.", "{name}: nothing is said of it any more.",
        {"value": "{name}: now {now}; before {was}."},
    ),
    _Area(
        "worklist", _read_member("worklist_keys"), ("path",),
        "The worklist is now asked for {keyword} ({path}).", "The worklist is no longer asked for {keyword} ({path}).",
        {"matching": "The worklist now matches {keyword} by {now}; it was {was}."},
    ),
    _Area(
        "query", _read_member("query_keys"), ("role", "model", "level", "path"),
        "As {role} the {model} root has the key {keyword} at level {level}.",
        "As {role} the {model} root no longer has the key {keyword} at level {level}.",
        {"type": "As {role} the {model} root has {keyword} at level {level} as type {now}; it was {was}."},
    ),
    _Area(
        "performed procedure step", _list_steps, ("operation", "path"),
        "{operation} of the performed step now carries {keyword} ({path}), type {type}.",
        "{operation} of the performed step no longer carries {keyword} ({path}).",
        {"type": "{operation} of the performed step has {keyword} ({path}) as type {now}; it was {was}."},
    ),
    _Area(
        "print", _read_member("print_attributes"), ("sop_class", "operation", "path"),
        "{operation} of {sop_class} now has {keyword} ({path}).",
        "{operation} of {sop_class} no longer has {keyword} ({path}).",
        {
            "presence": "{operation} of {sop_class} has {keyword} as {now}; it was {was}.",
            "values": "{operation} of {sop_class} has {keyword} with the values {now}; they were {was}.",
        },
    ),
    _Area(
        "statuses received", _list_statuses, ("service", "operation", "code"),
        "A status {code} to {operation} ({service}) now {outcome}.",
        "A status {code} to {operation} ({service}) has no rule of its own any more.",
        {"outcome": "A status {code} to {operation} ({service}): now {now}; before {was}."},
    ),
    _Area(
        "statuses returned", _read_member("answers"), ("service", "operation", "code"),
        "{operation} may now be answered with {code}: {meaning}.", "{operation} is no longer answered with {code}.",
        {"meaning": "{operation} is answered with {code} where {now}; it was where {was}."},
    ),
    _Area(
        "failures", _read_member("failures"), ("service", "failure"),
        "A failure ({failure}) of {service} is now told of.", "A failure ({failure}) of {service} is told of no more.",
        {
            "ends": "A failure ({failure}) of {service} now ends the {now}; it was the {was}.",
            "is_transient": "After a failure ({failure}) of {service} it is tried again: now {now}, before {was}.",
        },
    ),
    _Area(
        "rejections", _read_member("rejections"), ("situation",),
        "Associations are now rejected where {situation}: {reason_name}.",
        "Associations are no longer rejected where {situation}.",
        {
            "result_name": "Where {situation}, associations are now {now}; they were {was}.",
            "reason_name": "Where {situation}, associations are now rejected with {now}; it was {was}.",
        },
    ),
    _Area(
        "parameters", _read_member("parameters"), ("key",),
        "The parameter {key} is new, {value}: {meaning}.", "The parameter {key} is gone.",
        {
            "value": "{key} is now {now}; it was {was} ({meaning}).",
            "minimum": "{key} may now be {now} at the least; it was {was}.",
            "maximum": "{key} may now be {now} at the most; it was {was}.",
            "default": "{key} is {now} by default; it was {was}.",
        },
    ),
    _Area(
        "mapping", _read_member("mapping"), ("worklist", "image", "performed_step"),
        "{worklist} of the worklist now goes to {image} of images and {performed_step} of the performed step.",
        "{worklist} of the worklist no longer goes to {image} of images and {performed_step} of the performed step.",
    ),
    _Area(
        "objects", _list_uses, ("object", "module"),
        "{object} now has the module {module} ({presence}).", "{object} no longer has the module {module}.",
        {"presence": "{object} has the module {module} as {now}; it was {was}."},
    ),
    _Area(
        "attributes", _list_attributes, ("object", "module", "path"),
        "{object} now has {keyword} ({path}) in {module}, {presence}.",
        "{object} no longer has {keyword} ({path}) in {module}.",
        {
            "presence": "{object} has {keyword} ({path}) as {now}; it was {was}.",
            "values": "{object} has {keyword} ({path}) with the values {now}; they were {was}.",
        },
    ),
    _Area(
        "private attributes", _read_member("private_attributes"), ("creator", "tag"),
        "The private attribute {name} ({tag}) is new.", "The private attribute {name} ({tag}) is gone.",
        {
            "vr": "The private attribute ({tag}) has VR {now}; it was {was}.",
            "name": "The private attribute ({tag}) is {now}; it was {was}.",
        },
    ),
    _Area(
        "dose report", _read_member("dose_report"), ("path",),
        "Dose reports now have {concept_meaning} ({concept_code}).",
        "Dose reports no longer have {concept_meaning} ({concept_code}).",
        {
            "units": "{concept_meaning} of dose reports is in {now}; it was in {was}.",
            "presence": "{concept_meaning} of dose reports is there {now}; it was {was}.",
        },
    ),
    _Area(
        "character sets", _list_terms, ("term",),
        "The character set {term} is supported now.", "The character set {term} is no longer supported.",
    ),
    _Area(
        "body parts", _read_member("body_parts"), ("term",),
        "Body Part Examined may now be {term}.", "Body Part Examined is no longer {term}.",
    ),
    _Area(
        "media", _list_media, ("profile", "activity", "sop_class"),
        "{activity} under {profile} now takes the SOP class {sop_class}.",
        "{activity} under {profile} no longer takes the SOP class {sop_class}.",
    ),
    _Area(
        "security", _list_security, ("name",),
        "{name}: now {value}.", "{name}: nothing is said of it any more.",
        {"value": "{name}: now {now}; before {was}."},
    ),
)  # fmt: skip


def find_differences(before: StatementJson, after: StatementJson) -> list[Difference]:
    """What a peer would notice if ``after`` took the place of ``before``.

    Raises :class:`UsageError` where a row of a statement lacks a member.
    """
    try:
        return list(_find(before, after))
    except (KeyError, TypeError, AttributeError) as error:
        raise make_damage_error(error) from error


def _find(before: StatementJson, after: StatementJson) -> Iterator[Difference]:
    if before["device"]["profile"] != after["device"]["profile"]:
        was, now = before["device"]["profile"], after["device"]["profile"]
        yield Difference("device", "changed", f"It is another device: {now} in place of {was}.")
    for area in _AREAS:
        yield from _compare(area, _index(area, before), _index(area, after))


def _index(area: _Area, statement: StatementJson) -> _Rows:
    return {tuple(str(row[name]) for name in area.key): row for row in area.find(statement)}


def _compare(
    area: _Area, before: Mapping[tuple[str, ...], Row], after: Mapping[tuple[str, ...], Row]
) -> Iterator[Difference]:
    for key, row in before.items():
        if key not in after:
            yield Difference(area.name, "went", _format(area.went, row))
    for key, row in after.items():
        if key not in before:
            yield Difference(area.name, "came", _format(area.came, row))
            continue
        for name, sentence in area.changed.items():
            was, now = before[key][name], row[name]
            if was != now:
                yield Difference(area.name, "changed", _format(sentence, row, was=_say(was), now=_say(now)))


def _format(sentence: str, row: Row, **values: str) -> str:
    words = {name: _say(value) for name, value in row.items()}
    if "service" in words:
        words["service"] = SERVICE_TITLES.get(words["service"], words["service"])
    return sentence.format(**words, **values)
