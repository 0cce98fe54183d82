"""Decides which demographics are of one patient; keeps patients from the worklist, from operators, and from images.

Rules. An empty Patient ID identifies nobody: each such study has a patient of its own. The same ID of another issuer is
another patient. Under one ID of one issuer two sets of demographics are of one patient where name or birth date agrees,
or neither contradicts; else the second is another patient, who is listed beside the first. The RIS or the operator may
correct the name of a patient, as long as the birth date does not contradict. Where several patients may be meant, the
one is taken with whom most agrees.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final

from sqlalchemy import update

from openmodality.errors import UsageError
from openmodality.standard.text_rules import fold_name
from openmodality.store.columns import list_keywords
from openmodality.store.listing.reader import StoredRow, is_one_of
from openmodality.store.schema import patients
from openmodality.store.transaction import Transaction

DEMOGRAPHICS: Final = list_keywords(patients)
"""Keywords of the attributes that are kept of a patient."""
_OF_ID: Final = ("IssuerOfPatientID", "PatientID")
_READ_ID: Final = itemgetter(*_OF_ID)
_AT_ONCE: Final = 500
_NAMES: Final = ("alphabetic_name", "ideographic_name", "phonetic_name")
_COLUMNS: Final = 'id, identity, "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate"'
_MAX_NAME_CHARACTERS: Final = 256
"""As much of a name as can be searched for: PostgreSQL's index holds 2704 bytes for an entry."""


def is_same_patient(known: Mapping[str, str], other: Mapping[str, str], *, corrects: bool = False) -> bool:
    """Whether two sets of demographics, by keyword, are of one patient; ``corrects``: by whoever knows the patient."""
    if not known["PatientID"] or any(known[key] != other.get(key, "") for key in ("PatientID", "IssuerOfPatientID")):
        return False
    name, birth = _compare(known, other)
    if corrects:
        return birth is not False or name is True
    return True in (name, birth) or False not in (name, birth)


def keep_patient(transaction: Transaction, attributes: Mapping[str, str]) -> int:
    """Add a patient or update the demographics of one who is known (RF-4.2.3.3.1.1-03); returns the id of the row.

    ``attributes`` by keyword. What is empty leaves what is known as it is. Raises :class:`UsageError` where there is no
    Patient ID.
    """
    if not attributes.get("PatientID"):
        raise UsageError("a patient without (0010,0020) Patient ID cannot be registered")
    row = _find_patient(transaction, attributes, corrects=True)
    if row is None:
        return _add_patient(transaction, attributes)
    changed = {keyword: value for keyword in DEMOGRAPHICS if (value := attributes.get(keyword, ""))}
    if "PatientName" in changed:
        changed |= _list_names(changed["PatientName"])
    changed["identity"] = _renew_identity(transaction, row, {**row, **changed})
    transaction.execute(update(patients).where(patients.c.id == row["id"]).values(changed))
    return int(row["id"])


def keep_patients(transaction: Transaction, many: Sequence[Mapping[str, str]]) -> None:
    """Keep each, as :func:`keep_patient` does, in the order that any other device follows.

    Those who are new go in together, and of whom nothing new is said is not written. Each has a Patient ID.
    """
    in_order = sorted(many, key=itemgetter(*_OF_ID))
    for start in range(0, len(in_order), _AT_ONCE):
        some = in_order[start : start + _AT_ONCE]
        namesakes = _read_all_namesakes(transaction, some)
        times = Counter(map(_READ_ID, some))
        are_new = [each for each in some if not namesakes.get(_READ_ID(each)) and times[_READ_ID(each)] == 1]
        rows = [_make_row(transaction, each, make_identity(each, "", is_first=True)) for each in are_new]
        are_in = not rows or transaction.insert_missing("patients", list(rows[0]), [list(row.values()) for row in rows])
        done = set(map(_READ_ID, are_new)) if are_in == len(rows) else set()
        for each in some:
            if _READ_ID(each) not in done and not _is_kept(namesakes.get(_READ_ID(each), ()), each):
                keep_patient(transaction, each)


def _read_all_namesakes(
    transaction: Transaction, many: Sequence[Mapping[str, str]]
) -> dict[tuple[str, ...], list[StoredRow]]:
    """All that is known of the patients with these IDs, by ID and issuer."""
    columns = ", ".join(f'"{keyword}"' for keyword in DEMOGRAPHICS)
    among = is_one_of('"PatientID"', sorted({each["PatientID"] for each in many}))
    namesakes: dict[tuple[str, ...], list[StoredRow]] = {}
    for row in transaction.rows(f"SELECT {columns} FROM patients WHERE {among.sql}", among.values):
        namesakes.setdefault(_READ_ID(row), []).append(row)
    return namesakes


def _is_kept(known: Sequence[StoredRow], attributes: Mapping[str, str]) -> bool:
    """Whether there is one patient with this ID, of whom all of this is known."""
    return len(known) == 1 and all(value in ("", known[0][keyword]) for keyword, value in attributes.items())


def find_or_add_patient(transaction: Transaction, attributes: Mapping[str, str], study_instance_uid: str) -> int:
    """The id of the patient whom a new study belongs to, by what its first instance says."""
    row = _find_patient(transaction, attributes)
    return _add_patient(transaction, attributes, study_instance_uid) if row is None else int(row["id"])


def make_identity(attributes: Mapping[str, str], study_instance_uid: str, *, is_first: bool) -> str:
    """The unique key of a patient: the ID for the first with that ID, for others with name and birth date added."""
    if not attributes["PatientID"]:
        parts: tuple[object, ...] = (study_instance_uid,)
    elif is_first:
        parts = (attributes["PatientID"], attributes["IssuerOfPatientID"])
    else:
        name, birth = fold_name(attributes["PatientName"]), attributes["PatientBirthDate"]
        parts = (attributes["PatientID"], attributes["IssuerOfPatientID"], *name, birth)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _compare(known: Mapping[str, str], other: Mapping[str, str]) -> tuple[bool | None, bool | None]:
    """Whether the names agree, and whether the birth dates do."""
    name = _agrees(*(fold_name(each["PatientName"]) for each in (known, {"PatientName": "", **other})))
    return name, _agrees(known["PatientBirthDate"], other.get("PatientBirthDate", ""))


def _agrees(one: object, other: object) -> bool | None:
    """Whether two values agree; ``None`` where one is not known."""
    return None if not _is_known(one) or not _is_known(other) else one == other


def _is_known(value: object) -> bool:
    return any(value) if isinstance(value, tuple) else bool(value)


def _find_patient(
    transaction: Transaction, attributes: Mapping[str, str], *, corrects: bool = False
) -> StoredRow | None:
    """The patient who is meant: of those who may be, the one with whom most agrees, of equal ones the first."""
    known = _read_namesakes(transaction, attributes)
    same = [row for row in known if is_same_patient(row, attributes, corrects=corrects)]
    return max(same, key=lambda row: _rank(row, attributes), default=None)


def _rank(known: Mapping[str, str], other: Mapping[str, str]) -> tuple[int, int]:
    """The higher, the more likely two are one patient: first by what agrees, then by what does not contradict."""
    compared = _compare(known, other)
    return compared.count(True), -compared.count(False)


def _renew_identity(transaction: Transaction, row: StoredRow, changed: Mapping[str, str]) -> str:
    """The identity of a patient whose name or birth date changes; it stays where it is that of the first with an ID.

    It stays, too, where a patient of an older database has the new one.
    """
    if row["identity"] == make_identity(changed, "", is_first=True):
        return str(row["identity"])
    identity = make_identity(changed, "", is_first=False)
    is_taken = transaction.rows("SELECT id FROM patients WHERE identity = ?", (identity,))
    return str(row["identity"]) if is_taken else identity


def _read_namesakes(transaction: Transaction, attributes: Mapping[str, str]) -> Sequence[StoredRow]:
    """The patients with an ID of an issuer, the first one first."""
    if not attributes.get("PatientID"):
        return []
    return transaction.rows(
        f'SELECT {_COLUMNS} FROM patients WHERE "PatientID" = ? AND "IssuerOfPatientID" = ? ORDER BY id',
        (attributes["PatientID"], attributes.get("IssuerOfPatientID", "")),
    )


def _add_patient(transaction: Transaction, attributes: Mapping[str, str], study_instance_uid: str = "") -> int:
    """Add a patient. Where another has the identity, added by another process or kept from an earlier name, it is taken
    only if both are one patient; else the new one gets another identity.
    """
    known = {keyword: attributes.get(keyword, "") for keyword in DEMOGRAPHICS}
    is_first = not _read_namesakes(transaction, known)
    identity = make_identity(known, study_instance_uid, is_first=is_first)
    while True:
        row = _make_row(transaction, known, identity)
        is_added = transaction.insert_missing("patients", list(row), [list(row.values())]) == 1
        (found,) = transaction.rows(f"SELECT {_COLUMNS} FROM patients WHERE identity = ?", (identity,))
        if is_added or not known["PatientID"] or is_same_patient(found, known):
            return int(found["id"])
        if is_first:
            is_first, identity = False, make_identity(known, study_instance_uid, is_first=False)
        else:
            identity = hashlib.sha256(f"{identity}/{found['id']}".encode()).hexdigest()


def _make_row(transaction: Transaction, known: Mapping[str, str], identity: str) -> dict[str, object]:
    names = _list_names(known["PatientName"])
    return {**known, **names, "identity": identity, "created_at": transaction.now}


def _list_names(name: str) -> dict[str, str]:
    groups = (group[:_MAX_NAME_CHARACTERS] for group in fold_name(name))
    return dict(zip(_NAMES, groups, strict=True))
