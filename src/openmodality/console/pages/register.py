"""Registers a patient who is not on the worklist, with what the operator types (RF-8.1.1.6-01, -02).

The exam is REGISTERED; its performed step begins with the first image. Where the worklist has this patient, the page
says so before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydicom.datadict import keyword_for_tag

from openmodality.console.context import ConsoleContext
from openmodality.console.memory import PageNote
from openmodality.console.pages.shell import Page, render_page
from openmodality.console.pages.start import needs_body_part
from openmodality.console.security.access import At, Operator, SentForm
from openmodality.console.security.accounts import Principal
from openmodality.errors import ObjectInvalid, OpenModalityError
from openmodality.standard.life import judge_patient_value
from openmodality.standard.tags import PATIENT_SIZE, PATIENT_WEIGHT
from openmodality.store.rows.worklist import WorklistLine
from openmodality.value_class import dataclass

_NAME: Final = "PatientName"
_BIRTH_DATE: Final = "PatientBirthDate"
_BODY_PART: Final = "BodyPartExamined"
_MEASURES: Final = MappingProxyType({"PatientSize": PATIENT_SIZE, "PatientWeight": PATIENT_WEIGHT})


@dataclass(frozen=True, slots=True)
class RegisterField:
    """A field of the form: the attribute that it says, and what is allowed."""

    keyword: str
    label: str
    hint: str = ""
    choices: Sequence[tuple[str, str]] = ()
    is_needed: bool = False


_FIELDS: Final = (
    RegisterField("PatientID", "Patient ID", is_needed=True),
    RegisterField(_NAME, "Patient's Name", "Family name, given name", is_needed=True),
    RegisterField(_BIRTH_DATE, "Born", "YYYY-MM-DD"),
    RegisterField("PatientSex", "Sex", choices=(("F", "female"), ("M", "male"), ("O", "other"))),
    RegisterField("PatientSize", "Size in m"),
    RegisterField("PatientWeight", "Weight in kg"),
    RegisterField("AccessionNumber", "Accession Number", "Empty: the device makes one"),
    RegisterField("StudyDescription", "What is to be done"),
    RegisterField("OperatorsName", "Operator"),
)


@dataclass(frozen=True, slots=True)
class Registration:
    """What was typed, what is wrong with it by keyword, and the patients of the worklist whom it may mean.

    ``refused`` says why it was not registered where no single field is wrong.
    """

    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    known: Sequence[WorklistLine] = ()
    refused: str = ""


router = APIRouter()


@router.get("/register")
def _show_form(request: Request, who: Operator, context: At) -> Response:
    return _render(request, context, who, Registration({"OperatorsName": who.name}))


@router.post("/register")
def _register(request: Request, who: Operator, form: SentForm, context: At) -> Response:
    typed = {each.keyword: form[each.keyword] for each in list_register_fields(context)}
    errors = find_mistakes(context, typed)
    if errors:
        return _render(request, context, who, Registration(typed, errors), 400)
    known = find_on_worklist(context, typed)
    if known and not form["accepts"]:
        return _render(request, context, who, Registration(typed, known=known), 409)
    try:
        exam = context.modality.register(make_patient(typed))
    except ObjectInvalid as error:
        refused = place_error(error, typed)
        return _render(request, context, who, refused, 400)
    except OpenModalityError as error:
        return _render(request, context, who, Registration(typed, refused=str(error)), 409)
    for notice in exam.notices:
        context.memory.notes.add(who.session, PageNote("failed", notice))
    return RedirectResponse(f"/exam/{exam.id}", 303)


def list_register_fields(context: ConsoleContext) -> list[RegisterField]:
    """The fields of this device: with the body part, from its own terms, where it has some."""
    terms = [(term, term) for term in context.modality.body_parts]
    body_part = RegisterField(_BODY_PART, "Body part", choices=terms, is_needed=needs_body_part(context))
    return [*_FIELDS, body_part] if terms else list(_FIELDS)


def find_mistakes(context: ConsoleContext, typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with what was typed, by keyword."""
    errors = {
        each.keyword: f"{each.label}: this is needed."
        for each in list_register_fields(context)
        if each.is_needed and not typed[each.keyword]
    }
    for each in list_register_fields(context):
        if each.choices and typed[each.keyword] and typed[each.keyword] not in dict(each.choices):
            errors[each.keyword] = "Choose one of the list."
    for keyword, tag in _MEASURES.items():
        if mistake := judge_patient_value(tag, typed[keyword].replace(",", ".")):
            errors[keyword] = f"{mistake[0].capitalize()}: give {mistake[1]}."
    if typed[_BIRTH_DATE] and not _is_date_of_past(context, typed[_BIRTH_DATE]):
        errors[_BIRTH_DATE] = "Give a day that has been, as YYYY-MM-DD."
    return errors


def _is_date_of_past(context: ConsoleContext, text: str) -> bool:
    try:
        born = datetime.strptime(text.replace("-", ""), "%Y%m%d")
    except ValueError:
        return False
    return born <= datetime.fromtimestamp(context.modality.clock())


def find_on_worklist(context: ConsoleContext, typed: Mapping[str, str]) -> list[WorklistLine]:
    """The items of the last list that are of this patient or this request by their numbers."""
    asked = context.memory.asked
    keywords = [keyword for keyword in ("PatientID", "AccessionNumber") if typed[keyword]]
    lines = context.modality.worklist_lines(asked.items) if asked else []
    return [line for line in lines if any(line[keyword] == typed[keyword] for keyword in keywords)]


def make_patient(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed by keyword, as DICOM has it; what is empty is left out."""
    family, comma, given = typed[_NAME].partition(",")
    changed = {_BIRTH_DATE: typed[_BIRTH_DATE].replace("-", "")}
    if comma:
        changed[_NAME] = f"{family.strip()}^{given.strip()}"
    return {keyword: value for keyword, value in {**typed, **changed}.items() if value}


def place_error(error: ObjectInvalid, typed: Mapping[str, str]) -> Registration:
    """What the device refuses, at its field where there is one."""
    keyword = keyword_for_tag(error.tag) if error.tag else ""
    if keyword in typed:
        return Registration(typed, {keyword: str(error)})
    return Registration(typed, refused=str(error))


def _render(
    request: Request, context: ConsoleContext, who: Principal, registration: Registration, status: int = 200
) -> Response:
    page = Page("register.html", "Register by hand", "today", status=status)
    return render_page(request, context, who, page, fields=list_register_fields(context), registration=registration)
