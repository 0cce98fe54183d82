"""Service: shows the settings of the site file with what each allows, and a change before it is written.

A change that makes no valid site is not written, and an earlier text can be put back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.live_settings import AT_ONCE, list_differences
from openmodality.console.memory import PageNote
from openmodality.console.pages.shell import Page, render_page
from openmodality.console.pages.words import describe_count
from openmodality.console.security.access import At, Form, Manager, SentForm
from openmodality.console.security.accounts import Principal
from openmodality.device.profile.profile import Profile
from openmodality.device.site.setting_values import (
    NEW_TABLES,
    SettingTable,
    SettingValue,
    find_setting_table,
    list_setting_tables,
    read_typed_value,
)
from openmodality.device.site.site_change import SiteChange, mask_passwords, plan_change, write_change
from openmodality.device.site.site_loader import make_site, read_site_text
from openmodality.device.site.site_text import remove_table, remove_value, set_value
from openmodality.errors import ConfigurationError, UsageError
from openmodality.value_class import dataclass

_FIELD: Final = "value-"
_RESET: Final = "reset-"
WRITE: Final = "write"
"""The step of a form that has been looked at."""
_MOST_FOUND: Final = 100


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A setting with its field: what is allowed, and when a change of it is in force."""

    key: str
    table: str
    label: str
    meaning: str
    kind: str
    choices: Sequence[str]
    allowed: str
    default: str
    section: str
    typed: str
    shown: str
    is_set: bool
    is_changeable: bool
    is_at_once: bool
    is_reset: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A table of settings in a list: how many there are, and how many the file sets."""

    name: str
    count: int
    set_count: int


@dataclass(frozen=True, slots=True)
class ChangedSetting:
    """A setting that would change, and when it is in force."""

    key: str
    before: str
    after: str
    when: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What a change would write, for a person to decide."""

    based_on: str
    changed: Sequence[ChangedSetting]
    lines: Sequence[tuple[str, str]]
    needs_restart: bool


@dataclass(frozen=True, slots=True)
class ChangePlace:
    """Where a change is decided: the form goes to ``url`` with ``fields``; ``back`` leads away without writing."""

    title: str
    url: str
    back: str
    fields: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class TypedTable:
    """A table as somebody has typed it: the text that it would make, and what is wrong by key."""

    table: SettingTable
    text: str
    typed: dict[str, str]
    reset: frozenset[str]
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


router = APIRouter()


@router.get("/service")
def _show_tables(request: Request, who: Manager, context: At, find: str = "") -> Response:
    profile, text = context.modality.site.profile, read_site_text(context.modality.site.path)
    tables = _list_tables(profile, text)
    rows = [TableRow(each.name, len(each.values), sum(value.is_set for value in each.values)) for each in tables]
    found = [make_field_row(value) for table in tables for value in table.values if _fits(value, find)] if find else []
    return render_page(
        request,
        context,
        who,
        Page("service.html", "Service", "service"),
        tab="settings",
        tables=rows,
        found=found[:_MOST_FOUND],
        find=find,
        kinds=NEW_TABLES,
        file=str(context.modality.site.path),
        statement=profile.statement,
        waiting=context.live.list_waiting(text),
        problem=_find_problem(context, text),
    )


@router.get("/service/new")
def _begin_table(_: Manager, context: At, kind: str = "", name: str = "") -> Response:
    table = find_setting_table(
        context.modality.site.profile, read_site_text(context.modality.site.path), f"{kind}.{name}"
    )
    return RedirectResponse(f"/service/table/{quote(table.name)}", 303)


@router.get("/service/table/{name}")
def _show_table(request: Request, who: Manager, context: At, name: str) -> Response:
    text = read_site_text(context.modality.site.path)
    table = find_setting_table(context.modality.site.profile, text, name)
    return _render_table(request, context, who, TypedTable(table, text, {}, frozenset()))


@router.post("/service/table/{name}")
def _change_table(request: Request, who: Manager, form: SentForm, context: At, name: str) -> Response:
    file = context.modality.site.path
    text = read_site_text(file)
    table = find_setting_table(context.modality.site.profile, text, name)
    typed = read_typed_table(table, text, form)
    if form["step"] == "edit" or typed.errors:
        return _render_table(request, context, who, typed, 400 if typed.errors else 200)
    try:
        change = plan_change(file, text, typed.text)
    except ConfigurationError as error:
        return _render_table(request, context, who, _place_problems(typed, error), 400)
    url = f"/service/table/{name}"
    if form["step"] == WRITE:
        return write_and_return(context, who, change, form, url)
    fields = [(each, form.read_raw(each)) for each in form if each.startswith((_FIELD, _RESET))]
    return render_change(request, context, who, change, ChangePlace(f"Change {name}", url, url, fields))


@router.post("/service/remove/{name}")
def _remove_table(request: Request, who: Manager, form: SentForm, context: At, name: str) -> Response:
    file = context.modality.site.path
    text = read_site_text(file)
    table = find_setting_table(context.modality.site.profile, text, name)
    kind, _, own = name.partition(".")
    if kind not in NEW_TABLES or not any(value.is_set for value in table.values):
        raise UsageError(f"{name} is not removed here")
    change = plan_change(file, text, remove_table(text, (kind, own)))
    if form["step"] == WRITE:
        return write_and_return(context, who, change, form, "/service")
    place = ChangePlace(f"Remove {name}", f"/service/remove/{name}", f"/service/table/{name}")
    return render_change(request, context, who, change, place)


def render_change(
    request: Request,
    context: ConsoleContext,
    who: Principal,
    change: SiteChange,
    place: ChangePlace,
) -> Response:
    """The page on which somebody looks at a change before it is written."""
    page = Page("service_change.html", place.title, "service")
    return render_page(request, context, who, page, decided=place, change=make_change_view(change))


def make_change_view(change: SiteChange) -> ChangeView:
    """A change with its lines and the settings that would be others."""
    profile = change.site.profile
    before, after = (
        {value.key: value for table in _list_tables(profile, text) for value in table.values}
        for text in (change.before, change.after)
    )
    keys = list_differences(change.before, change.after)
    changed = [
        ChangedSetting(
            key,
            mask_passwords(before[key].shown) if key in before else "",
            mask_passwords(after[key].shown) if key in after else "",
            "at once" if key in AT_ONCE else "after a restart",
        )
        for key in keys
    ]
    lines = [({"+": "added", "-": "removed"}.get(line[:1], "kept"), line) for line in change.lines]
    needs_restart = any(key not in AT_ONCE for key in keys)
    return ChangeView(change.based_on, changed, lines, needs_restart)


def write_and_return(context: ConsoleContext, who: Principal, change: SiteChange, form: Form, back: str) -> Response:
    """Write a change that somebody has looked at, and go to a page that says so."""
    if form["based_on"] != change.based_on:
        note = PageNote(
            "failed", "the site file was changed meanwhile", "look at what would change now, and decide again"
        )
    else:
        keys = list_differences(change.before, change.after)
        try:
            kept = write_change(change, context.modality.clock())
        except ConfigurationError as error:
            note = PageNote("failed", error.message, error.advice)
        else:
            context.modality.audit.tell_settings(keys)
            context.live.take(change.site)
            context.accounts.limits = context.live.find_limits()
            note = PageNote("done", describe_written(keys), f"What was there before is kept as {kept.name}.")
    context.memory.notes.add(who.session, note)
    return RedirectResponse(back, 303)


def describe_written(keys: Sequence[str]) -> str:
    """What became of a change, in words."""
    later = [key for key in keys if key not in AT_ONCE]
    if not keys:
        return "The site file is written; no setting is another."
    said = f"The site file is written: {describe_count(len(keys), 'setting')} changed."
    return f"{said} {len(later)} in force after a restart of openmodality serve." if later else f"{said} In force now."


def read_typed_table(table: SettingTable, text: str, form: Form) -> TypedTable:
    """What somebody has typed for a table, and the text of the site file that it makes."""
    typed: dict[str, str] = {}
    errors: dict[str, str] = {}
    reset = frozenset(value.key for value in table.values if f"{_RESET}{value.key}" in form)
    for value in table.values:
        if not value.is_changeable or f"{_FIELD}{value.key}" not in form:
            continue
        given = "\n".join(line.strip() for line in form[f"{_FIELD}{value.key}"].splitlines())
        typed[value.key] = given
        try:
            text = _change(text, value, given, is_reset=value.key in reset)
        except (UsageError, ConfigurationError) as error:
            errors[value.key] = str(error)
    return TypedTable(table, text, typed, reset, errors)


def _change(text: str, value: SettingValue, given: str, *, is_reset: bool) -> str:
    if is_reset or (not given and value.is_set and not value.setting.default):
        return remove_value(text, value.place)
    if given == value.typed:
        return text
    return set_value(text, value.place, read_typed_value(value.setting, given))


def _place_problems(typed: TypedTable, error: ConfigurationError) -> TypedTable:
    """Each problem at the field that it is about, as errors of the loader name it; others above the form."""
    errors: dict[str, str] = {}
    others = []
    for line in str(error).splitlines():
        about = next((value.key for value in typed.table.values if re.search(rf"\b{re.escape(value.key)}\b", line)), "")
        if about:
            errors[about] = line.partition(about)[2].lstrip("[]0123456789: ")
        else:
            others.append(line)
    return replace(typed, errors=errors, problems=tuple(others))


def _render_table(
    request: Request, context: ConsoleContext, who: Principal, typed: TypedTable, status: int = 200
) -> Response:
    name = typed.table.name
    page = Page("service_table.html", name, "service", status=status)
    rows = [make_field_row(value, typed) for value in typed.table.values]
    is_named = name.partition(".")[0] in NEW_TABLES
    is_there = any(value.is_set for value in typed.table.values)
    return render_page(
        request,
        context,
        who,
        page,
        tab="settings",
        name=name,
        rows=rows,
        problems=typed.problems,
        is_new=is_named and not is_there,
        is_removable=is_named and is_there,
        statement=context.modality.site.profile.statement,
    )


def make_field_row(value: SettingValue, typed: TypedTable | None = None) -> FieldRow:
    """A setting with its field, as it was typed where somebody has."""
    setting = value.setting
    given = typed.typed.get(value.key) if typed else None
    return FieldRow(
        key=value.key,
        table=value.table,
        label=value.place[-1],
        meaning=setting.meaning,
        kind=setting.kind,
        choices=setting.choices,
        allowed=setting.allowed,
        default=setting.default,
        section=value.section,
        typed=value.typed if given is None else given,
        shown=mask_passwords(value.shown),
        is_set=value.is_set,
        is_changeable=value.is_changeable,
        is_at_once=value.key in AT_ONCE,
        is_reset=typed is not None and value.key in typed.reset,
        error=typed.errors.get(value.key, "") if typed else "",
    )


def _fits(value: SettingValue, find: str) -> bool:
    wanted = find.casefold().split()
    words: Iterable[str] = (value.key, value.setting.meaning, value.section)
    text = " ".join(words).casefold().replace("_", " ")
    return all(word.replace("_", " ") in text for word in wanted)


def _list_tables(profile: Profile, text: str) -> list[SettingTable]:
    """The tables of a text; none where it cannot be read."""
    try:
        return list_setting_tables(profile, text)
    except ConfigurationError:
        return []


def _find_problem(context: ConsoleContext, text: str) -> str:
    """Why the site file, as it is now, would not be loaded; empty where it would."""
    try:
        make_site(context.modality.site.path, text)
    except ConfigurationError as error:
        return str(error)
    return ""
