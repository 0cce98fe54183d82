"""Service: certificates and until when they hold, the last lines of the log, earlier site files."""

from __future__ import annotations

import math
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.activities.certificates import (
    CertificateFile,
    count_days_left,
    judge_validity,
    list_certificate_files,
)
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.service import WRITE, ChangePlace, render_change, write_and_return
from openmodality.console.pages.shell import Page, render_page
from openmodality.console.security.access import At, Manager, SentForm
from openmodality.console.template_files import format_clock
from openmodality.device.site.site_change import find_kept, list_kept, plan_change
from openmodality.device.site.site_loader import read_site_text
from openmodality.errors import ConfigurationError
from openmodality.network.certificates import CertificateFacts
from openmodality.value_class import dataclass

_LEVELS: Final = {"debug": "unknown", "info": "unknown", "warning": "busy"}


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A certificate of this device: where it is used, and until when it holds."""

    used_for: str
    file: str
    subject: str
    issuer: str
    ends: str
    said: str
    level: str


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line of the log."""

    at: str
    level: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class KeptRow:
    """An earlier text of the site file, and how many lines of it are others now."""

    name: str
    at: str
    lines: int


router = APIRouter()


@router.get("/service/certificates")
def _show_certificates(request: Request, who: Manager, context: At) -> Response:
    page = Page("service_certificates.html", "Certificates", "service")
    rows = list_certificate_rows(context)
    return render_page(request, context, who, page, tab="certificates", rows=rows)


@router.get("/service/log")
def _show_log(request: Request, who: Manager, context: At) -> Response:
    rows = None if context.log is None else list_log(context)
    return render_page(request, context, who, Page("service_log.html", "Log", "service"), tab="log", rows=rows)


@router.get("/service/earlier")
def _show_kept(request: Request, who: Manager, context: At) -> Response:
    page = Page("service_earlier.html", "Earlier settings", "service")
    return render_page(request, context, who, page, tab="earlier", rows=list_kept_rows(context))


@router.post("/service/earlier/{name}")
def _put_back(request: Request, who: Manager, form: SentForm, context: At, name: str) -> Response:
    file = context.modality.site.path
    change = plan_change(file, read_site_text(file), read_site_text(find_kept(file, name)))
    if form["step"] == WRITE:
        return write_and_return(context, who, change, form, "/service/earlier")
    place = ChangePlace(f"Put {name} back", f"/service/earlier/{name}", "/service/earlier")
    return render_change(request, context, who, change, place)


def list_certificate_rows(context: ConsoleContext) -> list[CertificateRow]:
    """What the files of certificates hold that the site file names, what ends soonest first in each file."""
    files = list_certificate_files(context.modality.site)
    return [row for file in files for row in _make_rows(context, file)]


def _make_rows(context: ConsoleContext, file: CertificateFile) -> list[CertificateRow]:
    try:
        found = file.read(file.path)
    except ConfigurationError as error:
        return [CertificateRow(file.used_for, file.name, "", "", "", error.message, "bad")]
    now, days = context.modality.clock(), context.modality.site.settings.tls.expiry_warning_days
    return [_make_row(file, each, now, days) for each in sorted(found, key=lambda each: each.ends_at)]


def _make_row(file: CertificateFile, facts: CertificateFacts, now: float, warning_days: int) -> CertificateRow:
    said, level = describe_validity(facts, now, warning_days)
    ends = "" if math.isinf(facts.ends_at) else format_clock(facts.ends_at)
    return CertificateRow(file.used_for, file.name, facts.subject, facts.issuer, ends, said, level)


def describe_validity(facts: CertificateFacts, now: float, warning_days: int) -> tuple[str, str]:
    """Whether a certificate or a revocation list holds, in words, and the level of its mark."""
    validity = judge_validity(facts, now, warning_days)
    if validity == "not_yet":
        return f"holds from {format_clock(facts.begins_at, now)} on", "bad"
    if validity == "over":
        return "has ended: peers refuse it", "bad"
    if math.isinf(facts.ends_at):
        return "has no end", "ok"
    return f"{count_days_left(facts, now):.0f} days left", "busy" if validity == "soon" else "ok"


def list_log(context: ConsoleContext) -> list[LogRow]:
    """The last lines of the log, newest first."""
    lines = context.log.list_lines() if context.log else []
    return [LogRow(format_clock(each.at), each.level, _LEVELS.get(each.level, "bad"), each.text) for each in lines]


def list_kept_rows(context: ConsoleContext) -> list[KeptRow]:
    """The earlier texts of the site file, newest first, with how much of each differs from what is there now."""
    file = context.modality.site.path
    now = read_site_text(file).splitlines()
    return [
        KeptRow(path.name, _describe_moment(path.name), len(set(now) ^ set(read_site_text(path).splitlines())))
        for path in list_kept(file)
    ]


def _describe_moment(name: str) -> str:
    day, time = name[:8], name[9:15]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}:{time[4:]}"
