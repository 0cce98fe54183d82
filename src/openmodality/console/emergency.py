"""Starts an emergency exam, of a patient whose identity is not known yet: by one click, without login if the site
allows.

Without login it can be started from this machine alone, and shows neither worklist nor images.
"""

from __future__ import annotations

import logging
from datetime import datetime

from fastapi import Request

from openmodality.audit.events import ActingPerson
from openmodality.console.address import is_asked_from_here
from openmodality.console.context import ConsoleContext
from openmodality.errors import UsageError
from openmodality.exam.session import Exam

_log = logging.getLogger(__name__)


def start_emergency(context: ConsoleContext, operator: str = "") -> Exam:
    """Start an exam of a patient with a made-up name and ID."""
    now = datetime.fromtimestamp(context.modality.clock())
    patient = {"PatientID": f"EM{now:%y%m%d%H%M%S}", "PatientName": f"EMERGENCY^{now:%H%M%S}"}
    if not operator:
        return context.modality.start_exam(patient=patient)
    return context.modality.start_exam(patient=patient, OperatorsName=operator)


def is_offered(context: ConsoleContext, request: Request) -> bool:
    """Whether an exam may be started without login from where a request comes."""
    return context.live.console.emergency_start and is_asked_from_here(request)


def override(context: ConsoleContext, request: Request) -> Exam:
    """Start an emergency exam without login (110127 Emergency Override Started).

    Raises :class:`UsageError` where the site does not allow it, or several were started a moment ago.
    """
    address = request.client.host if request.client else ""
    if not is_offered(context, request):
        raise UsageError("no exam is started here without login", advice="log in")
    wait_s = context.override_limits.find_wait_s("", address)
    if wait_s > 0:
        raise UsageError("several emergency exams were started just now", advice=f"wait {wait_s:.0f} s, or log in")
    context.override_limits.note_failure("", address)
    exam = start_emergency(context)
    note_override(context, exam, address)
    return exam


def note_override(context: ConsoleContext, exam: Exam, address: str) -> None:
    """Put on record that an exam was started without login. Nothing else notes that."""
    context.modality.audit.tell_emergency(ActingPerson("nobody", address), f"exam {exam.id} was started without login")
    _log.warning("console.emergency_override", extra={"exam": exam.id, "address": address})
