"""The personalities that are switched on, and the hook points at which they act."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from openmodality.dimse.channel import Message
from openmodality.dimse.service import Handler, Response, Service
from openmodality.hospital.audit_repository import SyslogEffect
from openmodality.hospital.commitments import ReportPlan
from openmodality.hospital.effects import Answer, Call
from openmodality.hospital.journal import Journal
from openmodality.hospital.personalities import COMMAND_FIELDS, SOP_CLASSES, Hook, Misbehaviour
from openmodality.hospital.web_effects import WebEffect
from openmodality.network.acceptor import Decide
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.acceptance import Load
from openmodality.upper_layer.pdu import A_ASSOCIATE_RQ
from openmodality.value_class import dataclass


@dataclass(slots=True)
class _Active:
    text: str
    misbehaviour: Misbehaviour
    count: int = 0


class Personalities:
    """What is switched on; may change at any time. ``stopped`` ends what waits."""

    def __init__(self, journal: Journal) -> None:
        self.stopped = threading.Event()
        self._journal = journal
        self._lock = threading.Lock()
        self._active: list[_Active] = []

    def add(self, text: str, misbehaviour: Misbehaviour) -> None:
        """Switch one on; its count begins at 1."""
        with self._lock:
            self._active.append(_Active(text, misbehaviour))

    def remove(self, text: str) -> None:
        """Switch off what was switched on under this text; all for the empty text."""
        with self._lock:
            self._active = [active for active in self._active if text not in ("", active.text)]

    @property
    def texts(self) -> list[str]:
        """What is switched on."""
        with self._lock:
            return [active.text for active in self._active]

    def fired(self, server: str, hooks: Iterable[Hook]) -> list[Misbehaviour]:
        """Count one request at these hooks and give what acts on it."""
        found = []
        with self._lock:
            for active in self._active:
                misbehaviour = active.misbehaviour
                if misbehaviour.server == server and misbehaviour.personality.hook in hooks:
                    active.count += 1
                    if misbehaviour.trigger.fires(active.count):
                        found.append(misbehaviour)
        for misbehaviour in found:
            name = misbehaviour.name
            self._journal.note(server.upper(), "misbehaved", f"misbehaves on purpose: {name}", personality=name)
        return found

    # Hook points

    def decide(self, server: str, honest: Decide) -> Decide:
        """Association requests."""

        def decided(request: A_ASSOCIATE_RQ, load: Load) -> Answer:
            answer = honest(request, load)
            for misbehaviour in self.fired(server, {Hook.ASSOCIATION}):
                effect = misbehaviour.personality.association
                answer = effect(answer) if effect else answer
            return answer

        return decided

    def services(self, server: str, honest: Sequence[Service]) -> tuple[Service, ...]:
        """Requests: each handler of each service, with what acts on it around it."""
        return tuple(replace(service, handlers=dict(self._handlers(server, service))) for service in honest)

    def _handlers(self, server: str, service: Service) -> Iterator[tuple[CommandField, Handler]]:
        for command, handler in service.handlers.items():
            hooks = frozenset(hook for hook, commands in COMMAND_FIELDS.items() if command in commands)
            yield command, partial(self._handle, server, hooks, handler)

    def _handle(
        self, server: str, hooks: frozenset[Hook], handler: Handler, message: Message
    ) -> Response | Iterable[Response]:
        command = message.command
        sop_class_uid = command.AffectedSOPClassUID or command.RequestedSOPClassUID
        hooks = frozenset(hook for hook in hooks if sop_class_uid in SOP_CLASSES.get(hook, (sop_class_uid,)))
        for misbehaviour in self.fired(server, hooks):
            effect = misbehaviour.personality.message
            if effect is not None:
                handler = _wrap_effect(effect, handler, misbehaviour.seconds, self.stopped)
        return handler(message)

    def find_syslog_effect(self) -> tuple[SyslogEffect, float] | None:
        """What acts on a new connection to the audit repository."""
        for misbehaviour in self.fired("audit", {Hook.SYSLOG}):
            if misbehaviour.personality.syslog is not None:
                return misbehaviour.personality.syslog, misbehaviour.seconds
        return None

    def find_web_effects(self, server: str, is_instance: bool) -> list[WebEffect]:
        """What goes wrong with a request over DICOMweb, or with an instance of it."""
        hook = Hook.WEB_INSTANCE if is_instance else Hook.WEB_REQUEST
        return [each.personality.web for each in self.fired(server, {hook}) if each.personality.web is not None]

    def report_plan(self, server: str, honest: ReportPlan) -> ReportPlan:
        """The way in which a commitment result is reported."""
        plan = honest
        for misbehaviour in self.fired(server, {Hook.REPORT}):
            delay_s = misbehaviour.seconds or plan.delay_s
            plan = replace(plan, **{"delay_s": delay_s, **misbehaviour.personality.report})
        return plan


def _wrap_effect(
    effect: Callable[[Call], Iterable[Response]], handler: Handler, seconds: float, stopped: threading.Event
) -> Handler:
    return lambda message: effect(Call(message, handler, seconds, stopped))
