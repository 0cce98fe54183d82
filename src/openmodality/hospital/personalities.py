"""Named ways in which the virtual hospital misbehaves. A table of facts; ``docs/hospital.md`` lists it.

``server:NAME`` acts on every request that it is about, ``@N`` on the N-th since it was switched on, ``@N+`` from the
N-th on, ``/N`` on every N-th, ``=SECONDS`` sets how long where that matters. The name of the server may be left out
where only one has the personality.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Any, Final

from openmodality.errors import ConfigurationError
from openmodality.hospital import effects, print_effects
from openmodality.hospital.audit_repository import SyslogEffect
from openmodality.hospital.commitments import When
from openmodality.hospital.effects import AssociationEffect, HandlerEffect
from openmodality.hospital.web_effects import WebEffect
from openmodality.standard.dimse import CommandField
from openmodality.standard.print_management import PrinterEvent, PrinterStatus
from openmodality.standard.sop_classes import (
    BASIC_COLOR_IMAGE_BOX,
    BASIC_FILM_BOX,
    BASIC_FILM_SESSION,
    BASIC_GRAYSCALE_IMAGE_BOX,
)
from openmodality.upper_layer import rejections
from openmodality.value_class import dataclass

_RIS: Final = "ris"
_PACS: Final = "pacs"
_PRINTER: Final = "printer"
_AUDIT: Final = "audit"
ALL_SERVERS: Final = (_RIS, _PACS, _PRINTER)
"""Those that speak DICOM."""


class Hook(Enum):
    """Where a personality acts; what is counted for ``@N``."""

    ASSOCIATION = "association requests"
    REQUEST = "requests of any kind"
    STORE = "instances (C-STORE)"
    FIND = "worklist queries (C-FIND)"
    STEP = "performed step requests (N-CREATE, N-SET)"
    STEP_CREATE = "N-CREATE of a performed step"
    COMMIT = "commitment requests (N-ACTION)"
    REPORT = "commitment results"
    WEB_REQUEST = "requests over DICOMweb (STOW-RS)"
    WEB_INSTANCE = "instances over DICOMweb (STOW-RS)"
    PRINTER_GET = "questions about the printer (N-GET)"
    FILM_SESSION = "N-CREATE of a film session"
    FILM_BOX = "N-CREATE of a film box"
    IMAGE_BOX = "N-SET of an image box"
    PRINT = "orders to print (N-ACTION)"
    FILM_DELETE = "N-DELETE of a film session"
    SYSLOG = "connections to the audit repository"


COMMAND_FIELDS: Final[Mapping[Hook, frozenset[CommandField]]] = {
    Hook.REQUEST: frozenset(CommandField),
    Hook.STORE: frozenset({CommandField.C_STORE_RQ}),
    Hook.FIND: frozenset({CommandField.C_FIND_RQ}),
    Hook.STEP: frozenset({CommandField.N_CREATE_RQ, CommandField.N_SET_RQ}),
    Hook.STEP_CREATE: frozenset({CommandField.N_CREATE_RQ}),
    Hook.COMMIT: frozenset({CommandField.N_ACTION_RQ}),
    Hook.PRINTER_GET: frozenset({CommandField.N_GET_RQ}),
    Hook.FILM_SESSION: frozenset({CommandField.N_CREATE_RQ}),
    Hook.FILM_BOX: frozenset({CommandField.N_CREATE_RQ}),
    Hook.IMAGE_BOX: frozenset({CommandField.N_SET_RQ}),
    Hook.PRINT: frozenset({CommandField.N_ACTION_RQ}),
    Hook.FILM_DELETE: frozenset({CommandField.N_DELETE_RQ}),
}
"""The requests that a hook sees."""

SOP_CLASSES: Final[Mapping[Hook, frozenset[str]]] = {
    Hook.FILM_SESSION: frozenset({BASIC_FILM_SESSION}),
    Hook.FILM_BOX: frozenset({BASIC_FILM_BOX}),
    Hook.IMAGE_BOX: frozenset({BASIC_GRAYSCALE_IMAGE_BOX, BASIC_COLOR_IMAGE_BOX}),
    Hook.FILM_DELETE: frozenset({BASIC_FILM_SESSION}),
}
"""The SOP classes of the requests that a hook sees; those of any class where it is not named."""


@dataclass(frozen=True, slots=True)
class Personality:
    """One way to misbehave: where, whose, what; exactly one of the four kinds of effect."""

    hook: Hook
    servers: tuple[str, ...]
    summary: str
    message: HandlerEffect | None = None
    association: AssociationEffect | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    syslog: SyslogEffect | None = None
    web: WebEffect | None = None


def _web(summary: str, hook: Hook = Hook.WEB_REQUEST, **effect: Any) -> Personality:
    return Personality(hook, (_PACS,), summary, web=WebEffect(**effect))


def _association(summary: str, effect: AssociationEffect) -> Personality:
    return Personality(Hook.ASSOCIATION, ALL_SERVERS, summary, association=effect)


def _syslog(summary: str, effect: SyslogEffect, seconds: float = 0.0) -> Personality:
    return Personality(Hook.SYSLOG, (_AUDIT,), summary, seconds=seconds, syslog=effect)


def _any(summary: str, effect: HandlerEffect, seconds: float = 0.0) -> Personality:
    return Personality(Hook.REQUEST, ALL_SERVERS, summary, effect, seconds=seconds)


def _store(summary: str, effect: HandlerEffect) -> Personality:
    return Personality(Hook.STORE, (_PACS,), summary, effect)


def _step(summary: str, effect: HandlerEffect, hook: Hook = Hook.STEP) -> Personality:
    return Personality(hook, (_RIS,), summary, effect)


def _find(summary: str, effect: HandlerEffect) -> Personality:
    return Personality(Hook.FIND, (_RIS,), summary, effect)


def _report(summary: str, seconds: float = 0.0, **changes: object) -> Personality:
    return Personality(Hook.REPORT, (_PACS,), summary, report=changes, seconds=seconds)


def _printer(hook: Hook, summary: str, effect: HandlerEffect) -> Personality:
    return Personality(hook, (_PRINTER,), summary, effect)


_PRINT_WARNINGS: Final = {
    "session-0107": (Hook.FILM_SESSION, "attribute list error", 0x0107),
    "session-0116": (Hook.FILM_SESSION, "attribute value out of range", 0x0116),
    "session-b600": (Hook.FILM_SESSION, "memory allocation is not supported", 0xB600),
    "film-b605": (Hook.FILM_BOX, "density outside the printer's range", 0xB605),
    "image-b604": (Hook.IMAGE_BOX, "image made smaller", 0xB604),
    "image-b605": (Hook.IMAGE_BOX, "density outside the printer's range", 0xB605),
    "image-b609": (Hook.IMAGE_BOX, "image cropped", 0xB609),
    "image-b60a": (Hook.IMAGE_BOX, "image decimated", 0xB60A),
    "print-b601": (Hook.PRINT, "films are not collated", 0xB601),
    "print-b602": (Hook.PRINT, "the session has an empty page", 0xB602),
    "print-b603": (Hook.PRINT, "empty page", 0xB603),
    "print-b604": (Hook.PRINT, "image made smaller", 0xB604),
    "print-b609": (Hook.PRINT, "image cropped", 0xB609),
    "print-b60a": (Hook.PRINT, "image decimated", 0xB60A),
}
_PRINT_REFUSALS: Final = {
    "printer-0110": (Hook.PRINTER_GET, "processing failure", 0x0110),
    "session-0110": (Hook.FILM_SESSION, "processing failure", 0x0110),
    "film-0106": (Hook.FILM_BOX, "invalid attribute value", 0x0106),
    "film-c616": (Hook.FILM_BOX, "the film box before is not printed", 0xC616),
    "image-c603": (Hook.IMAGE_BOX, "image larger than its box", 0xC603),
    "image-c605": (Hook.IMAGE_BOX, "out of memory", 0xC605),
    "image-c613": (Hook.IMAGE_BOX, "combined image larger than its box", 0xC613),
    "print-c600": (Hook.PRINT, "the session has no film box", 0xC600),
    "print-c601": (Hook.PRINT, "print queue is full", 0xC601),
    "print-c602": (Hook.PRINT, "print queue is full", 0xC602),
    "print-c603": (Hook.PRINT, "image larger than its box", 0xC603),
    "print-c613": (Hook.PRINT, "combined image larger than its box", 0xC613),
    "delete-0110": (Hook.FILM_DELETE, "processing failure", 0x0110),
}

PERSONALITIES: Final[Mapping[str, Personality]] = {
    "refuse-association": _association(
        "rejects the association: permanent, no reason given", effects.rejected(rejections.NO_REASON_GIVEN)
    ),
    "reject-called-ae": _association(
        "rejects the association: called AE title not recognized",
        effects.rejected(rejections.CALLED_AE_TITLE_NOT_RECOGNIZED),
    ),
    "reject-calling-ae": _association(
        "rejects the association: calling AE title not recognized",
        effects.rejected(rejections.CALLING_AE_TITLE_NOT_RECOGNIZED),
    ),
    "local-limit": _association(
        "rejects the association: transient, local limit exceeded", effects.rejected(rejections.LOCAL_LIMIT_EXCEEDED)
    ),
    "congestion": _association(
        "rejects the association: transient, temporary congestion", effects.rejected(rejections.TEMPORARY_CONGESTION)
    ),
    "zero-contexts": _association("accepts the association and none of its contexts", effects.without_contexts),
    "hang": _any("never answers, and never hangs up", effects.hang),
    "slow": _any("answers late (=SECONDS, 2 by default)", effects.slow, 2.0),
    "abort": _any("aborts in place of an answer", effects.abort),
    "drop": _any("cuts the connection in place of an answer", effects.drop),
    "stow-401": _web("does not know who asks, and stores nothing (401)", status=401),
    "stow-409": _web("stores nothing, and does not say why (409)", status=409),
    "stow-413": _web("takes no request of this size (413)", status=413),
    "stow-503": _web("has no time now, and stores nothing (503)", status=503),
    "stow-cut": _web("cuts the connection in place of an answer", is_cut=True),
    "stow-a700": _web("refuses the instance: out of resources", Hook.WEB_INSTANCE, failure=0xA700),
    "stow-0122": _web("refuses the instance: SOP Class not supported", Hook.WEB_INSTANCE, failure=0x0122),
    "stow-unsaid": _web("stores the instance, and leaves it out of its answer", Hook.WEB_INSTANCE, is_unsaid=True),
    "a700": _store("refuses the instance: out of resources", effects.status(0xA700)),
    "a900": _store("refuses the instance: data set does not match SOP Class", effects.status(0xA900)),
    "c000": _store("refuses the instance: cannot understand", effects.status(0xC000)),
    "b000": _store("stores, with the warning: coercion of data elements", effects.done_but(0xB000)),
    "b006": _store("stores, with the warning: elements discarded", effects.done_but(0xB006)),
    "b007": _store("stores, with the warning: data set does not match SOP Class", effects.done_but(0xB007)),
    "duplicate-0111": _store("stores, and says that the instance is a duplicate", effects.done_but(0x0111)),
    "abort-mid-transfer": _store("aborts in the middle of an instance", effects.abort_within),
    "drop-mid-transfer": _store("cuts the connection in the middle of an instance", effects.drop_within),
    "store-hang": _store("takes the instance and never answers", effects.hang),
    "store-lost-answer": _store("stores, and cuts the connection before it says so", effects.lose_answer),
    "commit-early": _report("reports before the response to N-ACTION", when=When.EARLY),
    "commit-same-association": _report("reports on the association of the request", when=When.SAME),
    "commit-late": _report("reports late (=SECONDS, 30 by default)", 30.0, when=When.NEW),
    "commit-failures": _report("reports the first instance as failed (0110H)", with_failures=True),
    "commit-never": _report("takes the request and never reports", when=When.NEVER),
    "commit-unknown": _report("reports under another Transaction UID", with_unknown_transaction=True),
    "commit-twice": _report("reports twice", times=2),
    "commit-no-role": _report("reports without role selection", with_role_selection=False),
    "commit-refused": Personality(Hook.COMMIT, (_PACS,), "refuses N-ACTION: 0110H", effects.status(0x0110)),
    "commit-busy": Personality(Hook.COMMIT, (_PACS,), "refuses N-ACTION: resource limitation", effects.status(0x0213)),
    "commit-hang": Personality(Hook.COMMIT, (_PACS,), "never answers N-ACTION", effects.hang),
    "mpps-0110": _step("refuses: processing failure", effects.status(0x0110)),
    "mpps-0107": _step("does it, with the warning: attribute list error", effects.done_but(0x0107)),
    "mpps-0116": _step("does it, with the warning: attribute value out of range", effects.done_but(0x0116)),
    "mpps-0111": _step(
        "refuses N-CREATE: duplicate SOP instance", effects.status(0x0111), Hook.STEP_CREATE
    ),
    "mpps-other-uid": _step("creates the step under another SOP Instance UID", effects.other_uid, Hook.STEP_CREATE),
    "mpps-no-uid": _step("answers N-CREATE without SOP Instance UID", effects.without_uid, Hook.STEP_CREATE),
    "mpps-hang": _step("never answers N-CREATE and N-SET", effects.hang),
    "mpps-lost-answer": _step("does it, and cuts the connection before it says so", effects.lose_answer),
    "worklist-ff01": _find("answers with FF01: optional keys are not supported", effects.pending_as(0xFF01)),
    "worklist-a700": _find("refuses: out of resources", effects.status(0xA700)),
    "worklist-a900": _find("refuses: identifier does not match SOP Class", effects.status(0xA900)),
    "worklist-c000": _find("refuses: unable to process", effects.status(0xC000)),
    "worklist-hang": _find("never answers", effects.hang),
    "worklist-stall": _find("sends one item and then nothing", effects.stall),
    "worklist-endless": _find("sends items without end and ignores C-CANCEL", effects.endless),
    "worklist-leftover": _find("sends an identifier with the final response", effects.leftover),
    "worklist-no-step": _find("Scheduled Procedure Step Sequence without item", effects.spoiled(effects.no_step)),
    "worklist-several-steps": _find(
        "Scheduled Procedure Step Sequence with two items", effects.spoiled(effects.several_steps)
    ),
    "worklist-no-study-uid": _find("items without Study Instance UID", effects.spoiled(effects.no_study_uid)),
    "worklist-no-charset": _find(
        "items without Specific Character Set", effects.defective(effects.no_character_set)
    ),
    "printer-warning": _printer(
        Hook.PRINTER_GET, "says that the printer is in WARNING: SUPPLY LOW",
        print_effects.printer_is(PrinterStatus.WARNING, "SUPPLY LOW"),
    ),
    "printer-failure": _printer(
        Hook.PRINTER_GET, "says that the printer is in FAILURE: FILM JAM",
        print_effects.printer_is(PrinterStatus.FAILURE, "FILM JAM"),
    ),
    "printer-event": _printer(
        Hook.IMAGE_BOX, "reports the warning SUPPLY LOW between request and response",
        print_effects.reports_within(PrinterEvent.WARNING, "SUPPLY LOW"),
    ),
    "printer-event-failure": _printer(
        Hook.IMAGE_BOX, "reports the failure FILM JAM between request and response",
        print_effects.reports_within(PrinterEvent.FAILURE, "FILM JAM"),
    ),
    "out-of-film": _printer(
        Hook.PRINT, "reports SUPPLY EMPTY and refuses the sheet: 0110H", print_effects.out_of_film
    ),
    "print-hang": _printer(Hook.PRINT, "never answers the order to print", effects.hang),
    "print-lost-answer": _printer(
        Hook.PRINT, "prints, and cuts the connection before it says so", effects.lose_answer
    ),
    "audit-refuse": _syslog("closes each connection before TLS", SyslogEffect.REFUSE),
    "audit-drop": _syslog("takes one message and resets the connection", SyslogEffect.DROP),
    "audit-early-close": _syslog("closes the connection before it has read anything", SyslogEffect.CLOSE_EARLY),
    "audit-slow": _syslog("waits before it reads", SyslogEffect.STALL, 2.0),
    "audit-hang": _syslog("reads all and does not close its side", SyslogEffect.HANG, effects.FOR_EVER_S),
    **{
        name: _printer(hook, f"does it, with the warning: {meaning}", effects.done_but(code))
        for name, (hook, meaning, code) in _PRINT_WARNINGS.items()
    },
    **{
        name: _printer(hook, f"refuses: {meaning}", effects.status(code))
        for name, (hook, meaning, code) in _PRINT_REFUSALS.items()
    },
}  # fmt: skip
"""All personalities by name."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """On which requests a personality acts, counted from 1: from ``first`` on, every ``every``-th, or once."""

    first: int = 1
    every: int = 1
    once: bool = False

    def fires(self, count: int) -> bool:
        """Whether it acts on the ``count``-th request."""
        return count == self.first if self.once else count >= self.first and count % self.every == 0


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """A personality that is to be switched on at a server."""

    server: str
    name: str
    trigger: Trigger = Trigger()
    seconds: float = 0.0

    @property
    def personality(self) -> Personality:
        return PERSONALITIES[self.name]


_SPECIFICATION: Final = re.compile(
    r"(?:(?P<server>\w+):)?(?P<name>[a-z0-9-]+?)(?:@(?P<at>[1-9]\d*)(?P<on>\+)?|/(?P<every>[1-9]\d*))?"
    r"(?:=(?P<seconds>\d+(?:\.\d+)?))?"
)


def parse(text: str) -> Misbehaviour:
    """Read ``pacs:a700@5``. Raises :class:`ConfigurationError` where it is no personality."""
    found = _SPECIFICATION.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            f"{text!r} is not a personality", advice="write it as SERVER:NAME[@N|@N+|/N][=SECONDS], e.g. pacs:a700@5"
        )
    personality = PERSONALITIES.get(found["name"])
    if personality is None:
        raise ConfigurationError(
            f"there is no personality {found['name']!r}", advice="see openmodality hospital --list-personalities"
        )
    server = found["server"] or (personality.servers[0] if len(personality.servers) == 1 else "")
    if server not in personality.servers:
        allowed = ", ".join(personality.servers)
        raise ConfigurationError(f"{text!r}: {found['name']} needs one of these servers before it: {allowed}")
    once = found["at"] is not None and found["on"] is None
    trigger = Trigger(int(found["at"] or 1), int(found["every"] or 1), once)
    seconds = float(found["seconds"]) if found["seconds"] else personality.seconds
    return Misbehaviour(server, found["name"], trigger, seconds)
