"""Predicts from two statements, or from a statement and an examined peer, what will fail between them.

Statements come as their JSON. The rules are a list: each looks at one side as the one that asks, and at the other as
the one that answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from openmodality.conformance.as_json import StatementJson, make_damage_error
from openmodality.conformance.comparing import name_syntaxes
from openmodality.conformance.doctor.findings import KeyAnswer, KeyMatching, KeyReturn
from openmodality.conformance.tables import SERVICE_TITLES
from openmodality.device.paths import format_keywords, parse_path
from openmodality.value_class import dataclass

StatedRow = Mapping[str, Any]
_SERVICES: Final = "services"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Something that will fail or, without ``fails``, may fail; ``asks`` and ``answers`` name the two sides."""

    area: str
    asks: str
    answers: str
    fails: bool
    text: str


@dataclass(frozen=True, slots=True)
class _Side:
    """A statement under the name by which people know it."""

    name: str
    stated: StatementJson

    def list_contexts(self, direction: str) -> list[StatedRow]:
        """The contexts that are switched on, by direction: proposed or accepted."""
        rows = self.stated["presentation_contexts"]
        return [row for row in rows if row["is_enabled"] and row["direction"] == direction]


def predict(first: StatementJson, second: StatementJson) -> list[Prediction]:
    """What will fail between two devices, whichever asks.

    Raises :class:`UsageError` where a row of a statement lacks a member.
    """
    names = _name_sides(first, second)
    sides = (_Side(names[0], first), _Side(names[1], second))
    try:
        found = [each for asks, answers in (sides, sides[::-1]) for rule in _RULES for each in rule(asks, answers)]
    except (KeyError, TypeError, AttributeError) as error:
        raise make_damage_error(error) from error
    return list(dict.fromkeys(found))


def _name_sides(first: StatementJson, second: StatementJson) -> tuple[str, str]:
    names = [str(each["device"].get("title") or each["device"].get("profile")) for each in (first, second)]
    return (names[0], names[1]) if names[0] != names[1] else (f"{names[0]} (1st)", f"{names[1]} (2nd)")


def _find_missing_classes(asks: _Side, answers: _Side) -> Iterator[Prediction]:
    """Services that nobody offers, SOP classes that are not accepted, and no common transfer syntax."""
    accepted: dict[str, set[str]] = {}
    for row in answers.list_contexts("accepted"):
        accepted.setdefault(row["sop_class_uid"], set()).update(row["transfer_syntaxes"])
    by_service: dict[str, list[StatedRow]] = {}
    for row in asks.list_contexts("proposed"):
        by_service.setdefault(row["service"], []).append(row)
    for service, rows in by_service.items():
        title = SERVICE_TITLES.get(service, service)
        known = [row for row in rows if row["sop_class_uid"] in accepted]
        if not known:
            text = f"{title}: the other side accepts none of its SOP classes"
            yield Prediction(_SERVICES, asks.name, answers.name, True, text)
            continue
        yield from _judge_classes(asks, answers, title, rows, accepted)


def _judge_classes(
    asks: _Side, answers: _Side, title: str, rows: Iterable[StatedRow], accepted: Mapping[str, set[str]]
) -> Iterator[Prediction]:
    for row in rows:
        uid, proposed = row["sop_class_uid"], row["transfer_syntaxes"]
        if uid not in accepted:
            text = f"{title}: {row['sop_class']} is not accepted"
            yield Prediction("SOP classes", asks.name, answers.name, True, text)
        elif not accepted[uid].intersection(proposed):
            text = f"{title}: no transfer syntax in common for {row['sop_class']}; proposed: {name_syntaxes(proposed)}"
            yield Prediction("transfer syntaxes", asks.name, answers.name, True, text)


def _find_missing_keys(asks: _Side, answers: _Side) -> Iterator[Prediction]:
    """Keys of queries that the other side does not have at that level."""
    known = {_read_key(row) for row in answers.stated["query_keys"] if row["role"] == "SCP"}
    levels = {each[:2] for each in known}
    lacking: dict[tuple[str, str], list[str]] = {}
    for row in asks.stated["query_keys"]:
        if row["role"] == "SCU" and _read_key(row)[:2] in levels and _read_key(row) not in known:
            lacking.setdefault((row["model"], row["level"]), []).append(row["keyword"])
    for (model, level), keywords in lacking.items():
        text = (
            f"the {model} root at level {level} lacks the keys {', '.join(keywords)}: they are not matched or returned"
        )
        yield Prediction("keys", asks.name, answers.name, False, text)


def _read_key(row: StatedRow) -> tuple[str, str, str]:
    return str(row["model"]).upper(), row["level"], row["path"]


def _find_missing_character_sets(asks: _Side, answers: _Side) -> Iterator[Prediction]:
    """Character sets of objects that the other side takes and whose text it cannot read."""
    proposed = {row["sop_class_uid"] for row in asks.list_contexts("proposed") if row["service"] == "storage"}
    accepted = {row["sop_class_uid"] for row in answers.list_contexts("accepted")}
    supported = {row["term"] for row in answers.stated["character_sets"]["supported"]}
    written = [term for terms in asks.stated["character_sets"]["written"] for term in terms.split("\\")]
    lacking = [term for term in dict.fromkeys(written) if term and term not in supported]
    if lacking and proposed & accepted:
        text = f"text is written in {', '.join(lacking)}, which the other side does not support"
        yield Prediction("character sets", asks.name, answers.name, True, text)


def _find_unknown_titles(asks: _Side, answers: _Side) -> Iterator[Prediction]:
    """AE titles that the other side does not know (PS3.8 Table 9-21, reason 3), if it states any peers."""
    known = {row["ae_title"] for row in answers.stated["remote_entities"]}
    rejects = any(row["reason"] == 3 and row["source"] == 1 for row in answers.stated["rejections"])
    asking = {row["ae"] for row in asks.list_contexts("proposed")}
    titles = [row["ae_title"] for row in asks.stated["application_entities"] if row["role"] in asking]
    unknown = [title for title in titles if title not in known]
    if known and rejects and unknown and answers.list_contexts("accepted"):
        text = f"associations of {', '.join(unknown)} are rejected: the other side has no peer of that AE title"
        yield Prediction("AE titles", asks.name, answers.name, True, text)


def _find_wrong_addresses(asks: _Side, answers: _Side) -> Iterator[Prediction]:
    """Peers by the title of a local AE of the other side, at another port than it listens on."""
    listening = {row["ae_title"]: row["port"] for row in answers.stated["application_entities"]}
    for row in asks.stated["remote_entities"]:
        port = listening.get(row["ae_title"], row["port"])
        if port != row["port"]:
            where = "does not listen" if port is None else f"listens on port {port}"
            text = f"{row['ae_title']} is called at port {row['port']}, and {where}"
            yield Prediction("addresses", asks.name, answers.name, True, text)


def _find_tls_gaps(asks: _Side, answers: _Side) -> Iterator[Prediction]:
    """TLS on one side alone, and nothing in common (PS3.15 B.9)."""
    ours, theirs = asks.stated["security"], answers.stated["security"]
    if ours["is_enabled"] != theirs["is_enabled"]:
        which = asks.name if ours["is_enabled"] else answers.name
        yield Prediction("security", asks.name, answers.name, True, f"{which} speaks TLS, and the other side does not")
    elif ours["is_enabled"]:
        for member, what in (("versions", "version of TLS"), ("cipher_suites", "cipher suite")):
            if ours[member] and theirs[member] and not set(ours[member]) & set(theirs[member]):
                yield Prediction("security", asks.name, answers.name, True, f"no {what} in common")


def _find_limits(asks: _Side, answers: _Side) -> Iterator[Prediction]:
    """More associations at a time than the other side takes."""
    most = [row["most_accepted"] for row in answers.stated["application_entities"] if row["most_accepted"]]
    for row in asks.stated["application_entities"]:
        opened = row["most_initiated"]
        if most and opened and opened > max(most):
            text = f"{row['ae_title']} opens {opened} associations at a time, and {max(most)} are accepted"
            yield Prediction("associations", asks.name, answers.name, False, text)


_Rule = Callable[[_Side, _Side], Iterator[Prediction]]
_RULES: Final[Sequence[_Rule]] = (
    _find_missing_classes,
    _find_missing_keys,
    _find_missing_character_sets,
    _find_unknown_titles,
    _find_wrong_addresses,
    _find_tls_gaps,
    _find_limits,
)


@dataclass(frozen=True, slots=True)
class ExaminedPeer:
    """The findings of an examination that can be compared with a statement.

    ``offered`` are the transfer syntaxes that it accepts for each SOP class: an absent one was not proposed to it, an
    empty one is not accepted. ``character_sets`` are those that its worklist declares.
    """

    name: str
    offered: Mapping[str, Sequence[str]]
    keys: Sequence[KeyAnswer] = ()
    character_sets: Sequence[str] = ()


def predict_with_peer(stated: StatementJson, peer: ExaminedPeer) -> list[Prediction]:
    """What of a device's statement will fail with a peer that was examined.

    Raises :class:`UsageError` where a row of the statement lacks a member.
    """
    try:
        return list(_find_with_peer(stated, peer))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise make_damage_error(error) from error


def _find_with_peer(stated: StatementJson, peer: ExaminedPeer) -> Iterator[Prediction]:
    name = str(stated["device"]["title"])
    proposed = [row for row in _Side(name, stated).list_contexts("proposed") if row["sop_class_uid"] in peer.offered]
    accepted = list(_make_contexts(peer.offered))
    answers = _Side(peer.name, {"presentation_contexts": accepted})
    for each in _find_missing_classes(_Side(name, {"presentation_contexts": proposed}), answers):
        # a service that this peer has nothing of is asked of another one
        yield replace(each, fails=False) if each.area == _SERVICES else each
    answered = {each.path: each for each in peer.keys if each.service == "worklist"}
    for row in stated["worklist_keys"]:
        path = format_keywords(parse_path(row["path"]))
        if path in answered:
            yield from _judge_key(name, peer.name, row, answered[path])
    supported = {row["term"] for row in stated["character_sets"]["supported"]}
    unknown = [term for term in peer.character_sets if term not in supported]
    if unknown:
        text = f"Modality Worklist: items come in {', '.join(unknown)}, which this device does not state"
        yield Prediction("character sets", name, peer.name, False, text)


def _judge_key(name: str, peer: str, row: StatedRow, answer: KeyAnswer) -> Iterator[Prediction]:
    """The prediction for a worklist key of the device at this peer."""
    if answer.returned is KeyReturn.ABSENT:
        text = f"Modality Worklist: {answer.path} is not returned"
        yield Prediction("keys", name, peer, False, text)
    if row["matching"] and answer.matching is KeyMatching.IGNORED:
        text = f"Modality Worklist: narrowing by {answer.path} has no effect"
        yield Prediction("keys", name, peer, False, text)
    if row["matching"] and answer.loses_matches:
        text = f"Modality Worklist: narrowing by {answer.path} finds nothing or is refused"
        yield Prediction("keys", name, peer, True, text)


def _make_contexts(offered: Mapping[str, Sequence[str]]) -> Iterator[StatedRow]:
    """The contexts of an examined peer, as a statement would have them."""
    for uid, syntaxes in offered.items():
        if syntaxes:
            yield {
                "is_enabled": True,
                "direction": "accepted",
                "sop_class_uid": uid,
                "transfer_syntaxes": list(syntaxes),
            }
