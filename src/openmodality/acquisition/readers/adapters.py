"""Adapters map what foreign scanners write to DICOM's words, by data (``ingest.toml``) and not by code.

An adapter names the tree of keys (a JSON or TOML file in a folder, or the variables of a ``.mat`` file) and the array.
A key is a path such as ``parameters.TR``, whatever its case, or a table of ``key`` and ``factor``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.readers.companion import check_keywords
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.matlab import read_variables
from openmodality.acquisition.readers.numpy_arrays import make_plain, read_npy
from openmodality.acquisition.readers.tree import read_tree
from openmodality.acquisition.volume import Volume
from openmodality.errors import ConfigurationError, ObjectInvalid
from openmodality.value_class import value_class

FILE_NAME: Final = "ingest.toml"
_MOST_VALUES: Final = 64
_LARGE: Final = "a large array"
"""What stands for raw data among the variables, which no keyword could take."""
_NAMES: Final = frozenset((
    "name", "tree", "required", "array", "axes", "dimension", "object", "description",
    "keywords", "identity", "geometry",
))  # fmt: skip
_OF_GEOMETRY: Final = frozenset(("field_of_view", "slice_spacing", "centre", "position", "axis_numbers", "positions"))
_DIRECTIONS: Final[Mapping[str, tuple[int, int, int]]] = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
}  # fmt: skip
"""Where an axis may lead, in LPS."""

Tree = Mapping[str, Any]


@value_class
class Adapter:
    """One adapter, as its table in the file says."""

    name: str
    table: Mapping[str, Any]

    def fits(self, path: Path) -> bool:
        """Whether a folder, or a file, is of this kind."""
        if "tree" in self.table:
            return path.is_dir() and (path / str(self.table["tree"])).is_file()
        return path.is_file() and path.suffix.lower() == ".mat" and self._has_required(path)

    def _has_required(self, path: Path) -> bool:
        try:
            variables, _ = read_variables(path)
        except (OSError, ValueError, TypeError, NotImplementedError, ObjectInvalid):
            return False  # its own reader says what is wrong with it
        return all(name in variables for name in self.table["required"])

    def read(self, path: Path) -> FoundSeries:
        """The series of a folder or file.

        Raises :class:`ObjectInvalid` where it has no such array, or a value that DICOM does not allow.
        """
        tree, array, where = self._load(path)
        used: set[str] = set()
        keywords = {
            name: value
            for name, entry in self.table.get("keywords", {}).items()
            if (value := _read_value(tree, entry, used, where)) not in (None, "")
        }
        identity = {
            name: text
            for name, entry in self.table.get("identity", {}).items()
            if (text := _read_text(tree, entry, used, where))
        }
        check_keywords(keywords, where)
        volume = Volume(array=array, axes=_fit_axes(str(self.table.get("axes", "kji")), array.ndim), space="LPS")
        dimension = str(self.table.get("dimension", "")) if array.ndim == 4 else ""
        volume = replace(volume, dimension=dimension, keywords=keywords)
        volume = replace(volume, affine=self._make_affine(tree, volume, used, where))
        description = _read_text(tree, self.table.get("description", ""), used, where)
        unused = {name: f"adapter {self.name} has no keyword for it" for name in _list_keys(tree) if name not in used}
        return FoundSeries(
            where, replace(volume, unused=unused), description, str(self.table.get("object", "")), "", identity,
            (f"taken as {self.name} writes it",),
        )  # fmt: skip

    def _load(self, path: Path) -> tuple[Tree, NDArray[Any], str]:
        if "tree" not in self.table:
            variables, _ = read_variables(path)
            name = str(self.table["array"])
            others = {key: value for key, value in variables.items() if key != name}
            tree = {key: make_plain(each) if each.size <= _MOST_VALUES else _LARGE for key, each in others.items()}
            return tree, variables[name], str(path)
        patterns = self.table["array"]
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            files = sorted(path.glob(str(pattern)))
            if files:
                return (
                    read_tree(path / str(self.table["tree"])),
                    np.asarray(read_npy(files[0])[0].volume.array),
                    str(path),
                )
        raise ObjectInvalid(f"{path}: adapter {self.name} finds no array in it", advice=f"it looks for {patterns}")

    def _make_affine(self, tree: Tree, volume: Volume, used: set[str], where: str) -> NDArray[np.float64] | None:
        """Indices i, j, k to mm in LPS: the middle of the volume is at the centre, by default the isocentre."""
        geometry = self.table.get("geometry", {})
        extent = _read_value(tree, geometry.get("field_of_view", ""), used, where)
        letters = self._find_directions(tree, geometry, used, where)
        if extent is None or letters is None:
            return None
        shape, axes = np.shape(volume.array), volume.axes  # type: ignore[arg-type]
        sizes = np.array([shape[axes.index(letter)] for letter in "ijk"], dtype=np.float64)
        numbers = _read_value(tree, geometry.get("axis_numbers", ""), used, where)
        extents = np.broadcast_to(np.asarray(extent, dtype=np.float64).ravel(), (3,)).copy()
        if numbers is not None:
            extents = extents[[int(number) for number in numbers]]
        steps = extents / sizes
        apart = _read_value(tree, geometry.get("slice_spacing", ""), used, where)
        if apart:
            steps[2] = float(apart)
        directions = np.array([_DIRECTIONS[letter] for letter in letters], dtype=np.float64)
        affine = np.eye(4)
        affine[:3, :3] = (directions * steps[:, None]).T
        affine[:3, 3] = self._find_centre(tree, geometry, used, where) - affine[:3, :3] @ ((sizes - 1) / 2)
        return affine

    def _find_centre(self, tree: Tree, geometry: Tree, used: set[str], where: str) -> NDArray[np.float64]:
        """Where the middle of the volume is: a shift along each of the scanner's axes."""
        shift = _read_value(tree, geometry.get("centre", ""), used, where)
        positions = geometry.get("positions", {})
        if shift is None or "0" not in positions:
            return np.zeros(3)
        shifts = np.asarray(shift, dtype=np.float64).ravel()
        return np.asarray(sum(shifts[n] * np.array(_DIRECTIONS[positions[str(n)]]) for n in range(3)), dtype=np.float64)

    def _find_directions(self, tree: Tree, geometry: Tree, used: set[str], where: str) -> str | None:
        """Where i, j and k lead, a letter for each."""
        positions = {str(name).casefold(): str(letters) for name, letters in geometry.get("positions", {}).items()}
        numbers = _read_value(tree, geometry.get("axis_numbers", ""), used, where)
        if numbers is not None:
            return "".join(positions[str(int(number))] for number in numbers)
        said = _read_text(tree, geometry.get("position", ""), used, where)
        if said and said.casefold() not in positions:
            raise ObjectInvalid(
                f"{where}: adapter {self.name} has no position {said[:32]!r}", advice=f"it has {', '.join(positions)}"
            )
        return positions.get(said.casefold())


def load_adapters(folder: Path | None = None) -> list[Adapter]:
    """Those of the site's folder, then those that come with the product; one of a name replaces another.

    Raises :class:`ConfigurationError` where the site's file is none, or has an unknown name.
    """
    shipped = resources.files(__package__).joinpath(FILE_NAME).read_text(encoding="utf-8")
    adapters = _parse(shipped, FILE_NAME)
    own = folder / FILE_NAME if folder is not None else None
    if own is not None and own.is_file():
        sites = _parse(own.read_text(encoding="utf-8"), str(own))
        names = {each.name for each in sites}
        adapters = [*sites, *(each for each in adapters if each.name not in names)]
    return adapters


def _parse(text: str, where: str) -> list[Adapter]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return [_check(table, where) for table in content.get("adapter", [])]


def _check(table: Mapping[str, Any], where: str) -> Adapter:
    unknown = sorted((set(table) - _NAMES) | (set(table.get("geometry", {})) - _OF_GEOMETRY))
    if unknown:
        raise ConfigurationError(f"{where}: adapter has no {unknown[0]}", advice=f"it has {', '.join(sorted(_NAMES))}")
    if not table.get("name") or "array" not in table or ("tree" in table) == ("required" in table):
        raise ConfigurationError(
            f"{where}: an adapter requires name, array, and either tree or required",
            advice="tree names the file of keys in a folder, required the variables of a .mat file",
        )
    letters = "".join(str(each) for each in table.get("geometry", {}).get("positions", {}).values())
    if wrong := sorted(set(letters) - set(_DIRECTIONS)):
        raise ConfigurationError(f"{where}: {wrong[0]} is no direction", advice="say L, R, P, A, H and F")
    return Adapter(str(table["name"]), table)


def _read_value(tree: Tree, entry: Any, used: set[str], where: str) -> Any:
    """The value of a key, times its factor; None where the tree has none."""
    key, factor = (entry.get("key", ""), float(entry.get("factor", 1))) if isinstance(entry, Mapping) else (entry, 1.0)
    if not key:
        return None
    value: Any = tree
    path: list[str] = []
    for part in str(key).split("."):
        names = {str(name).casefold(): name for name in value} if isinstance(value, Mapping) else {}
        if part.casefold() not in names:
            return None
        path.append(str(names[part.casefold()]))
        value = value[names[part.casefold()]]
    used.add(".".join(path))
    if factor == 1.0:
        return value
    try:
        return (np.asarray(value, dtype=np.float64) * factor).tolist()
    except (TypeError, ValueError) as error:
        raise ObjectInvalid(f"{where}: {'.'.join(path)} is no number") from error


def _read_text(tree: Tree, entry: Any, used: set[str], where: str) -> str:
    """The text of a key, or of several joined as the parts of a name."""
    parts = entry if isinstance(entry, list) else [entry]
    texts = [str(value) for part in parts if (value := _read_value(tree, part, used, where)) not in (None, "")]
    return "^".join(texts)


def _fit_axes(axes: str, dimensions: int) -> str:
    return "".join(letter for letter in axes if letter != "t") if dimensions < 4 else axes


def _list_keys(tree: Tree, above: str = "") -> Iterable[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _list_keys(value, f"{above}{name}.")
        elif value not in ("", None, [], {}):
            yield f"{above}{name}"


def find_adapter(path: Path, adapters: Sequence[Adapter]) -> Adapter | None:
    """The first adapter that fits a folder or file."""
    return next((each for each in adapters if each.fits(path)), None)
