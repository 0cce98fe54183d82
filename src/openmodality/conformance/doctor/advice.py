"""Writes the lines for the site file that an examination advises: the table of the peer, ready to be copied.

A line that is only for some devices, or only a guess, is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from openmodality.conformance.doctor.examination import Examination
from openmodality.device.paths import TagPath, format_keywords
from openmodality.device.profile.parameters import SYNTAXES_BY_KEYWORD
from openmodality.device.site.settings_doc import format_toml_key, format_toml_value
from openmodality.network.entity import RemoteAE
from openmodality.standard.sop_classes import (
    BASIC_COLOR_PRINT_MANAGEMENT_META,
    BASIC_GRAYSCALE_PRINT_MANAGEMENT_META,
    PATIENT_ROOT_FIND,
    STORAGE_COMMITMENT_PUSH_MODEL,
    STUDY_ROOT_FIND,
)
from openmodality.standard.statuses import ServiceName
from openmodality.value_class import dataclass

_PEER_SERVICES: Final[tuple[tuple[str, frozenset[ServiceName]], ...]] = (
    ("verification", frozenset({"verification"})),
    ("storage", frozenset({"storage"})),
    ("storage_commitment", frozenset({"storage_commitment"})),
    ("query_retrieve", frozenset({"query"})),
    ("worklist", frozenset({"worklist"})),
    ("mpps", frozenset({"mpps"})),
    ("print", frozenset({"print"})),
)
"""Services as a site file names them, with the one that the peer must offer."""
_STORE_WARNINGS: Final = frozenset({"status B000", "status B006", "status B007"})
_STEP_WARNINGS: Final = frozenset({"status 0107", "status 0116"})
_NO_COMMITMENT: Final = frozenset({"never", "status 0110"})


@dataclass(frozen=True, slots=True)
class AdvisedDevice:
    """For whom the lines are: the services that a device uses, its worklist keys, and the peer's name with it.

    Without a device all services are named, and keys are comments.
    """

    peer_name: str = ""
    services: frozenset[str] | None = None
    worklist_keys: frozenset[TagPath] | None = None


def make_advice(examination: Examination, remote: RemoteAE, device: AdvisedDevice) -> list[str]:
    """The lines of the table of this peer."""
    name = device.peer_name or re.sub("[^A-Za-z0-9_-]+", "_", remote.ae_title).lower()
    return [
        f"[peers.{format_toml_key(name)}]",
        *_write_lines(_list_settings(examination, remote, device)),
        *_list_comments(examination, device),
        *_list_worklist_keys(examination, name, device),
        *_list_parameters(examination, name),
    ]


def _write_lines(values: Iterable[tuple[str, object]]) -> Iterator[str]:
    for key, value in values:
        yield f"{format_toml_key(key)} = {format_toml_value(value)}"


def _list_settings(examination: Examination, remote: RemoteAE, device: AdvisedDevice) -> Iterator[tuple[str, object]]:
    yield from (("ae_title", remote.ae_title), ("host", remote.host), ("port", remote.port))
    services = _list_services(examination, device)
    yield "services", services
    if remote.ssl_context is not None:
        yield "tls", True
    if syntaxes := _list_common_syntaxes(examination):
        yield "transfer_syntaxes", syntaxes
    if "query_retrieve" in services and not examination.accepts(STUDY_ROOT_FIND):
        yield "query_model", "patient"
    if "print" in services and not examination.accepts(BASIC_GRAYSCALE_PRINT_MANAGEMENT_META):
        yield "print_color", "color"
    if "storage_commitment" in services and _commits(examination):
        yield "automatic_commitment", True
        if examination.facts.get("commitment_route") == "same":
            yield "commitment_same_association", True


def _list_services(examination: Examination, device: AdvisedDevice) -> list[str]:
    offered = {each.service for each in examination.offered.values() if each.is_accepted}
    if not examination.accepts(STUDY_ROOT_FIND) and not examination.accepts(PATIENT_ROOT_FIND):
        offered.discard("query")
    if not any(map(examination.accepts, (BASIC_GRAYSCALE_PRINT_MANAGEMENT_META, BASIC_COLOR_PRINT_MANAGEMENT_META))):
        offered.discard("print")  # a Presentation LUT alone prints nothing
    named = [name for name, needed in _PEER_SERVICES if needed & offered]
    return [name for name in named if device.services is None or name in device.services]


def _commits(examination: Examination) -> bool:
    """Whether storage commitment may be asked for, as far as the examination shows."""
    failed = {outcome for operation, outcome in examination.observed if operation.startswith("commitment")}
    return examination.accepts(STORAGE_COMMITMENT_PUSH_MODEL) and not failed & _NO_COMMITMENT


def _list_common_syntaxes(examination: Examination) -> list[str]:
    """The uncompressed transfer syntaxes that every accepted SOP class has; none where those are all three."""
    sets = [set(each.transfer_syntaxes) for each in examination.offered.values() if each.is_accepted]
    common = set.intersection(*sets) if sets else set()
    names = [name for name, uid in _PREFERRED if uid in common]
    return names if len(names) < len(_PREFERRED) else []


_ORDER: Final = ("ExplicitVRLittleEndian", "ImplicitVRLittleEndian", "ExplicitVRBigEndian")
_PREFERRED: Final = tuple((name, str(SYNTAXES_BY_KEYWORD[name])) for name in _ORDER)


def _list_comments(examination: Examination, device: AdvisedDevice) -> Iterator[str]:
    if examination.facts.get("worklist_undeclared"):
        yield '# assumed_character_set = "ISO_IR 100"  # ask its people which: items declare none'
    if "commitment_route" in examination.facts and examination.facts["commitment_route"] == "new":
        yield "# results of commitment come on a new association:"
        yield "# its people must know our AE title, host and port"


def _list_worklist_keys(examination: Examination, name: str, device: AdvisedDevice) -> Iterator[str]:
    """Keys that do harm where they are sent with a value, and are to be return keys only."""
    bad = [each.path for each in examination.keys if each.service == "worklist" and each.loses_matches]
    if not bad:
        return
    known = None if device.worklist_keys is None else {format_keywords(path) for path in device.worklist_keys}
    yield f"[peers.{format_toml_key(name)}.worklist_keys]"
    for path in bad:
        mark = "" if known is not None and path in known else "# "
        yield f"{mark}{format_toml_key(path)} = {format_toml_value('return')}"


def _list_parameters(examination: Examination, name: str) -> Iterator[str]:
    seen = set(examination.observed)
    switches = []
    if any(("storage", outcome) in seen for outcome in _STORE_WARNINGS):
        switches.append("store_warnings_are_success = true")
    if any(("step", outcome) in seen for outcome in _STEP_WARNINGS):
        switches.append("mpps_warning_is_success = true")
    if switches:
        yield f"[peers.{format_toml_key(name)}.parameters.behaviour]"
        yield from switches
