"""Parameters: what can be set for a device, within which limits, and the values in force at a site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias, assert_never

from pydicom.uid import UID

from openmodality.errors import ConfigurationError
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from openmodality.value_class import dataclass

ParameterKind: TypeAlias = Literal["integer", "number", "text", "boolean", "choice", "list"]
ParameterValue: TypeAlias = int | float | str | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of a device's parameter table (R/F Table 4.4-2 and its like).

    ``key`` is ``group.name`` with the unit in the name, such as ``storage.retry_delay_min``. ``special`` gives the
    meaning of values that are no quantity: ``0 = forever``. A parameter that is not ``configurable`` keeps its
    default at every site.
    """

    key: str
    description: str
    kind: ParameterKind
    default: ParameterValue
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    configurable: bool = True
    choices: tuple[str, ...] = ()
    special: str = ""

    @property
    def group(self) -> str:
        """What the parameter belongs to: ``general``, ``storage``, ``worklist``, ..."""
        return self.key.partition(".")[0]

    @property
    def allowed(self) -> str:
        """What may be set, in words: ``1-999999 bytes``, ``yes or no``, ``one of RF, XA``."""
        return f"{self._allowed_values()}; {self.special}" if self.special else self._allowed_values()

    def _allowed_values(self) -> str:
        match self.kind:
            case "integer" | "number":
                limits = "a number"
                if self.minimum is not None:
                    limits = f"{_format_plain(self.minimum)}-{_format_plain(self.maximum)}"
                return f"{limits} {self.unit}".rstrip()
            case "boolean":
                return "true or false"
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "list":
                return f"any of {', '.join(self.choices)}" if self.choices else "a list of texts"
            case "text":
                return "a text"
            case never:
                assert_never(never)

    def check(self, value: object) -> ParameterValue:
        """``value`` as it is kept, lists as tuples. Raises :class:`ValueError` where it is not allowed."""
        kept = tuple(value) if isinstance(value, list) else value
        if not _fits_kind(self.kind, kept):
            raise ValueError(f"{_show(value)} is not allowed: {self.allowed}")
        if isinstance(kept, int | float) and not isinstance(kept, bool) and not self._in_range(kept):
            raise ValueError(f"{kept} is outside {self.allowed}")
        chosen = kept if isinstance(kept, tuple) else (kept,)
        if self.choices and (wrong := [item for item in chosen if item not in self.choices]):
            raise ValueError(f"{_show(wrong[0])} is not allowed: {self.allowed}")
        return kept  # type: ignore[return-value]  # _fits_kind has proved it

    def _in_range(self, value: float) -> bool:
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


def _fits_kind(kind: ParameterKind, value: object) -> bool:
    match kind:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
        case "text" | "choice":
            return isinstance(value, str)
        case never:
            assert_never(never)


def _format_plain(number: float | None) -> str:
    return "" if number is None else f"{number:g}" if number != int(number) else str(int(number))


def _show(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Parameters(Mapping[str, ParameterValue]):
    """The values in force at a site, by key. The typed readers raise ConfigurationError for a key of another kind."""

    values_by_key: Mapping[str, ParameterValue]

    def __getitem__(self, key: str) -> ParameterValue:
        return self.values_by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_key)

    def __len__(self) -> int:
        return len(self.values_by_key)

    def integer(self, key: str) -> int:
        """An integer parameter, such as ``storage.retries``."""
        value = self._get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._wrong_kind(key, "an integer")

    def number(self, key: str) -> float:
        """An integer or number parameter as float, such as ``general.connect_timeout_s``."""
        value = self._get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        raise self._wrong_kind(key, "a number")

    def boolean(self, key: str) -> bool:
        """A switch, such as ``behaviour.import_private`` or ``kits.dap``."""
        value = self._get(key)
        if isinstance(value, bool):
            return value
        raise self._wrong_kind(key, "true or false")

    def text(self, key: str) -> str:
        """A text or choice, such as ``worklist.modality``."""
        value = self._get(key)
        if isinstance(value, str):
            return value
        raise self._wrong_kind(key, "a text")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list, such as ``print.film_sizes``."""
        value = self._get(key)
        if isinstance(value, tuple):
            return value
        raise self._wrong_kind(key, "a list")

    def uids(self, key: str) -> tuple[UID, ...]:
        """A list of transfer syntaxes given by keyword, such as ``worklist.transfer_syntaxes``, as UIDs."""
        return tuple(SYNTAXES_BY_KEYWORD[name] for name in self.texts(key))

    def _get(self, key: str) -> ParameterValue:
        if key not in self.values_by_key:
            raise ConfigurationError(f"this device has no parameter {key}")
        return self.values_by_key[key]

    def _wrong_kind(self, key: str, wanted: str) -> ConfigurationError:
        return ConfigurationError(f"parameter {key} is not {wanted}")


SYNTAXES_BY_KEYWORD: Mapping[str, UID] = {
    "ImplicitVRLittleEndian": UID(IMPLICIT_VR_LITTLE_ENDIAN),
    "ExplicitVRLittleEndian": UID(EXPLICIT_VR_LITTLE_ENDIAN),
    "ExplicitVRBigEndian": UID(EXPLICIT_VR_BIG_ENDIAN),
}
"""The uncompressed transfer syntaxes that a site file may name, by PS3.6 keyword (PS3.5 Annex A)."""
