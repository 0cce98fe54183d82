"""The XML header of ISMRMRD (MRD v1), and the meta attributes of an image: without entities, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from xml.etree import ElementTree

from openmodality.acquisition.readers.bounds import LARGEST_TEXT_BYTES
from openmodality.acquisition.readers.found import EMPTY
from openmodality.errors import ObjectInvalid
from openmodality.value_class import value_class

_HZ_PER_MHZ: Final = 1e6
_SINGLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "measurementInformation/patientPosition": "PatientPosition",
        "measurementInformation/protocolName": "ProtocolName",
        "measurementInformation/seriesDescription": "SeriesDescription",
        "acquisitionSystemInformation/systemFieldStrength_T": "MagneticFieldStrength",
        "sequenceParameters/sequence_type": "SequenceName",
    }
)
"""Elements of the header with one value, and the DICOM keyword."""
_LISTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sequenceParameters/TR": "RepetitionTime",
        "sequenceParameters/TE": "EchoTime",
        "sequenceParameters/TI": "InversionTime",
        "sequenceParameters/flipAngle_deg": "FlipAngle",
    }
)
"""Elements with a value for each contrast, in DICOM's units."""
_IDENTITY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "subjectInformation/patientName": "PatientName",
        "subjectInformation/patientID": "PatientID",
        "subjectInformation/patientBirthdate": "PatientBirthDate",
        "studyInformation/accessionNumber": "AccessionNumber",
    }
)
_FREQUENCY: Final = "experimentalConditions/H1resonanceFrequency_Hz"


@value_class
class MrdHeader:
    """What the header says: ``keywords`` of all images, ``by_contrast`` with a value for each, and of whom it is."""

    keywords: Mapping[str, Any] = EMPTY
    by_contrast: Mapping[str, tuple[float, ...]] = EMPTY
    identity: Mapping[str, str] = EMPTY


def parse_header(xml: bytes | str, where: str) -> MrdHeader:
    """The header.

    Raises :class:`ObjectInvalid` where it is no XML, or has entities.
    """
    root = parse_xml(xml, where)
    keywords: dict[str, Any] = {name: text for path, name in _SINGLE.items() if (text := _find_text(root, path))}
    if frequency := _find_text(root, _FREQUENCY):
        keywords["ImagingFrequency"] = _read_number(frequency, _FREQUENCY, where) / _HZ_PER_MHZ
    lists = {
        name: tuple(_read_number(text, path, where) for text in _list_texts(root, path))
        for path, name in _LISTS.items()
    }
    identity = {name: text for path, name in _IDENTITY.items() if (text := _find_text(root, path))}
    return MrdHeader(keywords, {name: values for name, values in lists.items() if values}, identity)


def parse_meta(text: bytes | str, where: str) -> dict[str, list[str]]:
    """The meta attributes of an image: names, each with its values.

    Raises :class:`ObjectInvalid` where they are no XML, or have entities.
    """
    if not text.strip():
        return {}
    root = parse_xml(text, where)
    meta: dict[str, list[str]] = {}
    for entry in root.iter("meta"):
        name = (entry.findtext("name") or "").strip()
        meta.setdefault(name, []).extend((value.text or "").strip() for value in entry.findall("value"))
    return meta


def parse_xml(xml: bytes | str, where: str) -> ElementTree.Element:
    """The root of an XML text, its names without namespaces.

    Raises :class:`ObjectInvalid` where it is too large, no XML, or has a document type, which can hold entities.
    """
    text = xml if isinstance(xml, str) else xml.rstrip(b"\0").decode("utf-8", "replace")
    if len(text) > LARGEST_TEXT_BYTES:
        raise ObjectInvalid(f"{where}: an XML text of more than {LARGEST_TEXT_BYTES >> 20} MiB")
    if "<!" in text.replace("<!--", ""):
        raise ObjectInvalid(f"{where}: an XML text with a document type or entities", advice="give plain elements")
    try:
        root = ElementTree.fromstring(text.strip().encode())
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise ObjectInvalid(f"{where}: a header that is no XML") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _find_text(root: ElementTree.Element, path: str) -> str:
    return (root.findtext(path) or "").strip()


def _list_texts(root: ElementTree.Element, path: str) -> list[str]:
    return [(element.text or "").strip() for element in root.findall(path)]


def _read_number(text: str, path: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ObjectInvalid(f"{where}: {path} is no number") from error
