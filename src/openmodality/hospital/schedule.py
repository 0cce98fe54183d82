"""The day's schedule: worklist items for invented patients, repeatable for a seed, kept in ``schedule.json``.

The file is written once and read at each start, and may be edited. An item holds attributes by keyword; ``{today}`` in
a value stands for the date of the start, so that the schedule is never stale. Study Instance UIDs that an item does not
name are derived from seed, date and the item's identifiers: the same all day, new the next.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement

from openmodality.device.charsets import list_unheld
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.reading import read_items, read_text
from openmodality.encoding.uid import uid_of_uuid
from openmodality.errors import ConfigurationError
from openmodality.hospital.patients import (
    CODING_SCHEME,
    DAY,
    DEFAULT_REPERTOIRE,
    HOSPITAL_ISSUER,
    PEOPLE,
    STATIONS,
    NameRepertoire,
    Order,
    Person,
)
from openmodality.services.worklist import Defect, find_defects
from openmodality.standard.sop_classes import DETACHED_STUDY_MANAGEMENT
from openmodality.standard.tags import (
    ACCESSION_NUMBER,
    PATIENT_ID,
    REQUESTED_PROCEDURE_ID,
    SCHEDULED_PROCEDURE_STEP_SEQUENCE,
    STUDY_INSTANCE_UID,
)
from openmodality.store.private_files import open_private, protect_file

TODAY: Final = "{today}"
FIRST_START_MINUTES: Final = 8 * 60
MINUTES_PER_STEP: Final = 20

_ItemValues = dict[str, Any]
"""Attributes by keyword; a sequence is a list of such."""


def day(seed: int) -> list[_ItemValues]:
    """The items of one day, in the form of the file."""
    chance = random.Random(seed)
    found: list[_ItemValues] = []
    people = _people(chance)
    for number, order in enumerate(DAY, start=1):
        for step, description in enumerate(order.steps, start=1):
            start = FIRST_START_MINUTES + MINUTES_PER_STEP * len(found)
            item = _make_procedure(number, order, people[order.patient])
            item["ScheduledProcedureStepSequence"] = [_step(f"{number}-{step}", order, description, start)]
            found.append(item)
    return found


def _people(chance: random.Random) -> dict[int, _ItemValues]:
    """Demographics by the patient's number of the day, everybody once."""
    left = {character_set: chance.sample(people, len(people)) for character_set, people in PEOPLE.items()}
    people: dict[int, _ItemValues] = {}
    for order in DAY:
        if order.patient not in people:
            emergency = order.is_emergency
            person = Person(f"Emergency^{order.patient}", "O") if emergency else left[order.character_set].pop()
            people[order.patient] = _demographics(chance, order, person)
    return people


def _demographics(chance: random.Random, order: Order, person: Person) -> _ItemValues:
    values: _ItemValues = {
        **_declare(order.character_set),
        "PatientName": person.name,
        "PatientID": f"OM-{TODAY}-{order.patient:02}" if order.is_emergency else f"OM-{chance.randint(1000, 9999)}",
        "IssuerOfPatientID": HOSPITAL_ISSUER,
        "PatientBirthDate": "",
        "PatientSex": "",
    }
    if not order.is_emergency:
        born = date(chance.randint(1935, 2012), chance.randint(1, 12), chance.randint(1, 28))
        values |= {"PatientBirthDate": f"{born:%Y%m%d}", "PatientSex": person.sex}
        values |= {"PatientWeight": chance.randint(45, 110), "PatientSize": chance.randint(150, 195) / 100}
        values |= {"MedicalAlerts": "", "Allergies": chance.choice(("", "Penicillin", "Iodine contrast media"))}
        values |= {"PregnancyStatus": 4 if person.sex == "F" else 1}
    return values


def _declare(character_set: NameRepertoire) -> _ItemValues:
    if character_set == DEFAULT_REPERTOIRE:
        return {}
    return {"SpecificCharacterSet": character_set if isinstance(character_set, str) else list(character_set)}


def _make_procedure(number: int, order: Order, demographics: _ItemValues) -> _ItemValues:
    values: _ItemValues = {
        **demographics,
        "AccessionNumber": f"A{TODAY}-{number:02}",
        "RequestedProcedureID": f"RP{number:02}",
        "RequestedProcedureDescription": order.procedure,
        "RequestedProcedurePriority": "STAT" if order.is_emergency else "MEDIUM",
    }
    if not order.is_emergency:
        values |= {
            "RequestedProcedureCodeSequence": [_code(order.code, order.procedure)],
            "RequestingPhysician": "Grey^Alice",
            "ReferringPhysicianName": "Brook^Thomas",
            "AdmissionID": f"ADM{number:03}",
            "CurrentPatientLocation": "Ward 3",
            "PatientTransportArrangements": "",
        }
    return values


def _step(identifier: str, order: Order, description: str, start_minutes: int) -> _ItemValues:
    ae_title, name, location = STATIONS[order.modality]
    values: _ItemValues = {
        "Modality": order.modality,
        "ScheduledStationAETitle": ae_title,
        "ScheduledStationName": name,
        "ScheduledProcedureStepLocation": location,
        "ScheduledProcedureStepStartDate": TODAY,
        "ScheduledProcedureStepStartTime": f"{start_minutes // 60:02}{start_minutes % 60:02}00",
        "ScheduledProcedureStepID": f"SPS{identifier}",
        "ScheduledProcedureStepDescription": description,
    }
    if not order.is_emergency:
        values["ScheduledPerformingPhysicianName"] = "House^Robin"
        values["ScheduledProtocolCodeSequence"] = [_code(f"P-{order.code}", description)]
    return values


def _code(value: str, meaning: str) -> _ItemValues:
    return {"CodeValue": value, "CodingSchemeDesignator": CODING_SCHEME, "CodeMeaning": meaning}


# The file


def load_schedule(file: Path, seed: int, today: date) -> list[Dataset]:
    """Read the schedule, written first where missing. Raises :class:`ConfigurationError` where it is wrong."""
    if not file.exists():
        _write(file, day(seed))
    protect_file(file)
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{file}, line {error.lineno} column {error.colno}: {error.msg}") from error
    listed = said.get("items") if isinstance(said, dict) else None
    if not isinstance(listed, list):
        raise ConfigurationError(f'{file}: "items" must be a list of worklist items')
    return [_read_item(f"{file}, item {number}", values, seed, today) for number, values in enumerate(listed, start=1)]


def _write(file: Path, found: Sequence[_ItemValues]) -> None:
    about = (
        "The virtual hospital's worklist, read at each start. Attributes by their DICOM keyword; {today} is the date of"
        " the start; a Study Instance UID that is not given is made."
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".json.tmp")
        with open(temporary, "w", encoding="utf-8", opener=open_private) as stream:
            json.dump({"about": about, "items": found}, stream, ensure_ascii=False, indent=2)
            stream.write("\n")
        temporary.replace(file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error


def _read_item(where: str, values: object, seed: int, today: date) -> Dataset:
    if not isinstance(values, dict):
        raise ConfigurationError(f"{where}: must be an object of attributes by keyword")
    item = data_set(values, where, today)
    if not read_text(item, STUDY_INSTANCE_UID):
        complete(item, f"{seed} {today:%Y%m%d}")
    check_item(item, where)
    return item


def data_set(values: Mapping[str, Any], where: str, today: date) -> Dataset:
    """Attributes by keyword as a data set. Raises :class:`ConfigurationError` where one is wrong."""
    result = Dataset()
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise ConfigurationError(f"{where}: {keyword!r} is not a keyword of PS3.6")
        vr = dictionary_VR(tag)
        try:
            result.add(DataElement(tag, vr, _read_value(value, vr, f"{where}, {keyword}", today), config.RAISE))
        except (TypeError, ValueError, AttributeError) as error:
            raise ConfigurationError(f"{where}: the value of {keyword} is no {vr}") from error
    return result


def _read_value(value: Any, vr: str, where: str, today: date) -> Any:
    if vr == "SQ":
        return [data_set(each, where, today) for each in value]
    if isinstance(value, list):
        return [_read_value(each, vr, where, today) for each in value]
    return value.replace(TODAY, f"{today:%Y%m%d}") if isinstance(value, str) and TODAY in value else value


def complete(item: Dataset, salt: str) -> None:
    """Give an item the Study Instance UID and the study reference that it lacks; same identifiers, same UID."""
    identifiers = [read_text(item, tag) for tag in (PATIENT_ID, ACCESSION_NUMBER, REQUESTED_PROCEDURE_ID)]
    name = "\\".join([salt, *identifiers])
    uid = uid_of_uuid(uuid.uuid5(uuid.NAMESPACE_OID, name))
    item.StudyInstanceUID = uid
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = DETACHED_STUDY_MANAGEMENT, uid
    if "ReferencedStudySequence" not in item:
        item.ReferencedStudySequence = [reference]


def check_item(item: Dataset, where: str) -> None:
    """Raises :class:`ConfigurationError` where an item breaks the standard."""
    wrong = [*find_defects(item), *_find_undeclared(item)]
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        problem = f"{name_of(wrong[0].tag)}: {wrong[0].problem}"  # what a device would do with it is no matter here
        raise ConfigurationError(f"{where}: {problem}{more}", advice="a worklist item must keep to PS3.4 Table K.6-1")


def _find_undeclared(item: Dataset) -> Iterator[Defect]:
    said = item.get("SpecificCharacterSet") or ""
    declared = (said,) if isinstance(said, str) else tuple(said)
    for path in list_unheld(item, declared):
        yield Defect(path[-1], "characters that Specific Character Set does not hold")


def step_of(item: Dataset) -> Dataset:
    """The item's Scheduled Procedure Step; an empty one where it has none."""
    found = read_items(item, SCHEDULED_PROCEDURE_STEP_SEQUENCE)
    return found[0] if found else Dataset()
