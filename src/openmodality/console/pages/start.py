"""Check and start: shows the patient, the procedure, and patients with a similar identity; then the exam starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydicom import Dataset

from openmodality.activities.worklist import ItemCheck
from openmodality.console.context import ConsoleContext
from openmodality.console.memory import PageNote
from openmodality.console.pages.shell import (
    PREGNANCY,
    Banner,
    Page,
    describe_age,
    describe_alerts,
    describe_procedure,
    render_page,
)
from openmodality.console.pages.words import describe_attribute
from openmodality.console.pages.worklist_view import read_asked_lines
from openmodality.console.second_identifier import Similar, describe_check, find_mistake, find_similar
from openmodality.console.security.access import At, Form, Operator, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.console.template_files import format_date, format_dicom_time, format_person
from openmodality.device.paths import TagPath
from openmodality.dimse.attribute_names import keyword_of
from openmodality.dimse.reading import read_items_at, read_texts
from openmodality.errors import OpenModalityError
from openmodality.standard.tags import BODY_PART_EXAMINED, CODE_MEANING, CODE_VALUE, CODING_SCHEME_DESIGNATOR
from openmodality.store.rows.worklist import WorklistItem
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class Typed:
    """What the operator has typed; nothing of it is lost when something is wrong."""

    second: str = ""
    operator: str = ""
    body_part: str = ""
    accepts: bool = False
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartLook:
    """An item before its start: what was typed, what has changed at the RIS, why it was not started."""

    item: WorklistItem
    typed: Typed
    changes: Sequence[str] = ()
    failed: Sequence[str] = ()
    status: int = 200


@dataclass(frozen=True, slots=True)
class Fact:
    """An attribute of the item that the statement says is displayed; ``is_alert`` for what must not be missed."""

    label: str
    value: str
    is_alert: bool = False


@dataclass(frozen=True, slots=True)
class StartView:
    """An item to be checked."""

    id: int
    name: str
    patient_id: str
    birth_date: str
    age: str
    sex: str
    procedure: str
    facts: Sequence[Fact]
    defects: Sequence[str]
    similar: Sequence[Similar]
    more_similar: int
    check: str
    check_label: str
    body_parts: Sequence[str]
    hindrances: Sequence[str]
    changes: Sequence[str]


_MOST_SIMILAR: Final = 12
_UNITS: Final = {"PatientSize": "m", "PatientWeight": "kg"}
_ALERT_KEYWORDS = ("MedicalAlerts", "Allergies", "PregnancyStatus", "SpecialNeeds", "PatientState")

router = APIRouter()


@router.get("/start/{item_id}")
def _show_start(request: Request, viewer: Viewer, context: At, item_id: int) -> Response:
    (item,) = context.modality.find_items([item_id])
    part = read_texts(item.attributes, BODY_PART_EXAMINED)
    typed = Typed(operator=viewer.name, body_part=part[0] if part else "")
    return _render(request, context, viewer, StartLook(item, typed))


@router.post("/start/{item_id}")
def _start_exam(request: Request, who: Operator, form: SentForm, context: At, item_id: int) -> Response:
    (item,) = context.modality.find_items([item_id])
    typed = read_typed(context, item, form)
    if typed.errors:
        return _render(request, context, who, StartLook(item, typed, status=400))
    seen: list[ItemCheck] = []

    def confirm(check: ItemCheck) -> bool:
        seen.append(check)
        return typed.accepts

    attributes = {"OperatorsName": typed.operator, "BodyPartExamined": typed.body_part}
    given = {keyword: value for keyword, value in attributes.items() if value}
    try:
        exam = context.modality.start_exam(item_id, patient=given, confirm=confirm)
    except OpenModalityError as error:
        changes = [check.notice for check in seen if check.notice]
        (newest,) = context.modality.find_items([item_id])  # the RIS was asked, and may have said otherwise
        look = StartLook(newest, typed, changes, () if changes else (str(error),), status=409)
        return _render(request, context, who, look)
    for notice in exam.notices:
        context.memory.notes.add(who.session, PageNote("failed", notice))
    return RedirectResponse(f"/exam/{exam.id}", 303)


def read_typed(context: ConsoleContext, item: WorklistItem, form: Form) -> Typed:
    """What the operator has typed, and what is wrong with it by field."""
    errors = {}
    mode = context.live.console.identity_check
    if mistake := find_mistake(mode, item, form["second"]):
        errors["second"] = mistake
    if needs_body_part(context) and not form["body_part"]:
        errors["body_part"] = "Choose the body part: this device needs it for its images."
    return Typed(form["second"], form["operator"], form["body_part"], bool(form["accepts"]), errors)


def needs_body_part(context: ConsoleContext) -> bool:
    """Whether the device states a body part in all of its images, so that somebody has to choose it."""
    rules = context.modality.site.profile.attribute_rules
    always = ("ALWAYS", "VNAP")
    return any(rule.keyword == "BodyPartExamined" and rule.requirement in always for rule in rules)


def _render(request: Request, context: ConsoleContext, who: Principal, look: StartLook) -> Response:
    view = make_start_view(context, look)
    banner = Banner(
        name=view.name,
        patient_id=view.patient_id,
        birth_date=view.birth_date,
        age=view.age,
        sex=view.sex,
        accession=look.item["AccessionNumber"],
        procedure=view.procedure,
        state="NOT STARTED",
        alerts=describe_alerts(lambda tag: look.item[keyword_of(tag)]),
    )
    page = Page("start.html", "Check and start", "today", banner, look.status)
    return render_page(request, context, who, page, start=view, typed=look.typed)


def make_start_view(context: ConsoleContext, look: StartLook) -> StartView:
    """An item with all attributes that the statement marks as displayed, and patients with a similar identity."""
    item = look.item
    mode = context.live.console.identity_check
    similar = find_similar(item, read_asked_lines(context))
    return StartView(
        id=item.id,
        name=item["PatientName"],
        patient_id=item["PatientID"],
        birth_date=item["PatientBirthDate"],
        age=describe_age(item["PatientBirthDate"], date.today()),
        sex=item["PatientSex"],
        procedure=describe_procedure(lambda tag: item[keyword_of(tag)]),
        facts=list_facts(context, item),
        defects=item.defects,
        similar=similar[:_MOST_SIMILAR],
        more_similar=max(len(similar) - _MOST_SIMILAR, 0),
        check=mode,
        check_label=describe_check(mode),
        body_parts=context.modality.body_parts,
        hindrances=[*look.failed, *_list_hindrances(context, item)],
        changes=look.changes,
    )


def _list_hindrances(context: ConsoleContext, item: WorklistItem) -> list[str]:
    return [
        f"{serving.where} serves this item and is {serving.state}."
        for serving in context.modality.find_serving([item])[item.id]
        if serving.state.is_open
    ]


def list_facts(context: ConsoleContext, item: WorklistItem) -> list[Fact]:
    """The attributes that the statement marks as displayed and that have a value, alerts first."""
    facts = [
        Fact(describe_attribute(row.path[-1]), value, row.keyword in _ALERT_KEYWORDS and value != PREGNANCY["1"])
        for row in context.modality.site.profile.worklist_keys
        if row.displayed and (value := read_shown_value(item.attributes, row.path, row.vr, row.keyword))
    ]
    return sorted(facts, key=lambda fact: not fact.is_alert)


def read_shown_value(attributes: Dataset, path: TagPath, vr: str, keyword: str) -> str:
    """The values of an attribute, of each item of its sequences, for people."""
    if vr == "SQ":
        return ", ".join(dict.fromkeys(filter(None, map(describe_code, read_items_at(attributes, path)))))
    values = [text for place in read_items_at(attributes, path[:-1]) for text in read_texts(place, path[-1])]
    if keyword == "PregnancyStatus":
        values = [PREGNANCY.get(value, value) for value in values]
    if keyword in _UNITS:
        values = [f"{value} {_UNITS[keyword]}" for value in values]
    shown = map({"PN": format_person, "DA": format_date, "TM": format_dicom_time}.get(vr, str), values)
    return ", ".join(dict.fromkeys(shown))


def describe_code(item: Dataset) -> str:
    """A code for people: its meaning, with value and scheme behind it (PS3.3 8.8)."""
    meaning, value, scheme = (
        " ".join(read_texts(item, tag)) for tag in (CODE_MEANING, CODE_VALUE, CODING_SCHEME_DESIGNATOR)
    )
    return f"{meaning} ({value} {scheme})" if meaning and value else meaning or value
