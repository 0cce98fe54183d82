"""Compares the patient whom an input names with that of the exam; where they differ, a person has to accept it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pydicom.dataset import Dataset

from openmodality.device.site.site import Site
from openmodality.errors import OtherIdentity
from openmodality.exam.facts import describe_exam
from openmodality.standard.value_rules import mend_value
from openmodality.store.listing.exams import ExamRecord

_KEYWORDS: Final = ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber")
_ACCEPT: Final = "--accept-identity, or accept_identity=True, takes it all the same"


def check_identities(site: Site, exam: ExamRecord, identities: Iterable[Mapping[str, str]], where: str) -> None:
    """Compare the identity that an input names with that of the exam. Only attributes that both have are compared.

    Raises :class:`OtherIdentity` where they differ; its message names the attributes, its advice shows both identities.
    """
    known = read_identity(site, exam)
    for identity in identities:
        differing = [keyword for keyword in _KEYWORDS if not _agree(keyword, identity.get(keyword, ""), known[keyword])]
        if differing:
            theirs = ", ".join(f"{keyword} {identity[keyword]}" for keyword in differing)
            ours = ", ".join(f"{keyword} {known[keyword]}" for keyword in differing)
            raise OtherIdentity(
                f"{where}: {', '.join(differing)} {'is' if len(differing) == 1 else 'are'} not that of exam {exam.id}",
                advice=f"the input says {theirs}; the exam says {ours}; {_ACCEPT}",
            )


def read_identity(site: Site, exam: ExamRecord) -> dict[str, str]:
    """Name, ID and birth date of the patient, and accession number, as images of the exam have them."""
    facts = describe_exam(site, exam, None)
    known = {keyword: _find_value(keyword, facts.worklist, facts.user) for keyword in _KEYWORDS}
    return known | {"AccessionNumber": exam.accession_number}


def _find_value(keyword: str, *parts: Dataset) -> str:
    return next((str(part.get(keyword)) for part in parts if part.get(keyword)), "")


def _agree(keyword: str, theirs: str, ours: str) -> bool:
    if not theirs.strip() or not ours.strip():
        return True
    return _normalize(keyword, theirs) == _normalize(keyword, ours)


def _normalize(keyword: str, value: str) -> object:
    """A value in a form for comparison: without case, trailing delimiters, blanks, and the form of a date."""
    if keyword == "PatientName":
        alphabetic = value.partition("=")[0].replace("_", " ").casefold()
        if "^" not in alphabetic and "," in alphabetic:
            alphabetic = "^".join(part.strip() for part in alphabetic.split(","))
        parts = [" ".join(part.split()) for part in alphabetic.split("^")]
        while parts and not parts[-1]:
            parts.pop()
        return tuple(parts)
    if keyword == "PatientBirthDate":
        return mend_value("DA", value).text or value.strip()
    return value.strip()
