"""Companions: a file of the same name with ``.json`` or ``.toml`` that says what the pixels are.

It has DICOM keywords with values in DICOM's units, such as ``{"SliceThickness": 5, "EchoTime": 30}``, and names of
ours: the options of ``series.add_volume``, and ``object`` (such as "MR Image"), ``format`` (of raw pixels),
``detector``, ``mrd_position`` and ``exposure``: a table of the keywords of an irradiation event. Each is honoured, or
named in an error or a notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from pydicom.dataset import Dataset

from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.readers.found import EMPTY, IDENTITY_KEYWORDS, FoundSeries
from openmodality.acquisition.readers.tree import read_tree
from openmodality.acquisition.stack import read_matrix
from openmodality.acquisition.volume import Volume
from openmodality.errors import ObjectInvalid
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.value_class import value_class

OPTIONS: Final = frozenset(each.name for each in fields(Volume)) - {"array", "shape", "keywords", "unused"}
"""What ``series.add_volume`` is told, too."""
ABOUT_THE_FILE: Final = frozenset(("object", "format", "detector", "mrd_position", "exposure"))
SUFFIXES: Final = (".toml", ".json")
BESIDE: Final = (*SUFFIXES, ".bval", ".bvec")
"""Endings of files that say something of another one."""
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"space": ("RAS", "LPS"), "mrd_position": ("centre", "corner"), "nan": ("refuse", "zero")}
)
Prepare: TypeAlias = Callable[[Mapping[str, Any], str], Mapping[str, Any]]
"""Checks keywords and values that a person gave by the tables of a device; the second argument names their origin."""
_TEXTS: Final = ("object", "format", "dimension", "axes", "parts")


def take_as_given(keywords: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Keywords as they are."""
    return keywords


@value_class
class Companion:
    """What a companion says; ``keywords`` are DICOM's, ``settings`` are ours."""

    where: str = ""
    keywords: Mapping[str, Any] = EMPTY
    settings: Mapping[str, Any] = EMPTY


def find_stem(path: Path) -> Path:
    """The path without its ending, which is two parts long in ``.nii.gz``."""
    stem = path.with_suffix("")
    return stem.with_suffix("") if path.suffix.lower() == ".gz" and stem.suffix else stem


def list_companion_paths(path: Path) -> list[Path]:
    """Where companions of a file of pixels may stand: ``NAME.toml`` and ``NAME.json``."""
    stem = find_stem(path)
    return [stem.with_name(stem.name + suffix) for suffix in SUFFIXES]


def list_files_beside(path: Path) -> list[Path]:
    """The files that say something of a file of pixels: companions, and those of diffusion."""
    stem = find_stem(path)
    beside = (stem.with_name(stem.name + suffix) for suffix in BESIDE)
    return [each for each in beside if each != path and each.is_file()]


def read_companions(path: Path, prepare: Prepare = take_as_given) -> list[Companion]:
    """The companions that there are of a file, their keywords as ``prepare`` gives them back.

    Raises :class:`ObjectInvalid` as :func:`read_companion` and ``prepare`` do.
    """
    read = (read_companion(each) for each in list_companion_paths(path) if each != path and each.is_file())
    return [Companion(each.where, prepare(each.keywords, each.where), each.settings) for each in read]


def read_companion(path: Path) -> Companion:
    """A companion file.

    Raises :class:`ObjectInvalid` where it is none, or one of our names has a value that it cannot have.
    """
    content = read_tree(path)
    settings = {name: value for name, value in content.items() if name in OPTIONS | ABOUT_THE_FILE}
    check_settings(settings, str(path))
    keywords = {name: value for name, value in content.items() if name not in settings}
    return Companion(str(path), keywords, settings)


def read_exposure(path: Path) -> IrradiationEvent:
    """The irradiation event that a file of its own states, in JSON or TOML.

    Raises :class:`ObjectInvalid` where it is no such file, or a keyword or value is not one of an irradiation event.
    """
    return IrradiationEvent.from_keywords(read_tree(path), str(path))


def apply_companion(found: FoundSeries, companion: Companion) -> FoundSeries:
    """What was found in a file with what its companion says, which wins.

    Raises :class:`ObjectInvalid` where a keyword or value is not DICOM's, or the exposure is not possible.
    """
    settings, keywords = companion.settings, dict(companion.keywords)
    stated = settings.get("exposure")
    where = f"{companion.where}: exposure"
    identity = {name: str(keywords.pop(name)) for name in IDENTITY_KEYWORDS if keywords.get(name)}
    check_keywords(keywords, companion.where)
    options = {name: settings[name] for name in OPTIONS if name in settings}
    if isinstance(options.get("scale"), list):
        options["scale"] = tuple(options["scale"])
    if "affine" in options:
        options["affine"] = _read_affine(options["affine"], companion.where)
    return replace(
        found.arrange(**options).say(keywords),
        object_name=settings.get("object", found.object_name),
        identity={**found.identity, **identity},
        exposure=found.exposure if stated is None else IrradiationEvent.from_keywords(stated, where),
        detector=settings.get("detector", found.detector),
    )


def merge(*parts: Dataset) -> Dataset:
    """The attributes of all parts; of what several have, that of the last."""
    merged = Dataset()
    for part in parts:
        merged.update(part)
    return merged


def check_keywords(keywords: Mapping[str, Any], where: str) -> None:
    """Raises :class:`ObjectInvalid` where a keyword is not DICOM's, or a value that is no list does not fit its VR."""
    attributes_of({name: "" if _is_plain_list(value) else value for name, value in keywords.items()}, where)


def _is_plain_list(value: object) -> bool:
    """Whether a value is a list, and not one of the items of a sequence: each image may have its own of it."""
    return isinstance(value, list) and not any(isinstance(each, Mapping) for each in value)


def _read_affine(value: Any, where: str) -> Any:
    matrix = read_matrix(value, where)
    if matrix.shape not in ((4, 4), (3, 4)):
        raise ObjectInvalid(f"{where}: affine has the shape {matrix.shape}", advice="give 4 rows of 4 numbers")
    return matrix


def check_settings(settings: Mapping[str, Any], where: str) -> None:
    """Raises :class:`ObjectInvalid` where one of our names has a value of a wrong kind, or none of its choices."""
    for name, allowed in _CHOICES.items():
        if name in settings and settings[name] not in allowed:
            raise ObjectInvalid(
                f"{where}: {name} is not one of {', '.join(allowed)}", advice=f"say one of these for {name}"
            )
    for name in _TEXTS:
        if name in settings and not isinstance(settings[name], str):
            raise ObjectInvalid(f"{where}: {name} is not a text")
    if not isinstance(settings.get("exposure", {}), dict):
        raise ObjectInvalid(f"{where}: exposure is no table of keywords and values")
    if not isinstance(settings.get("detector", ""), str | bool):
        raise ObjectInvalid(f"{where}: detector is neither a name nor false")
