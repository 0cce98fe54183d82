"""What the values of ``site.toml`` may be: texts, numbers and codes, each with what is right in its message."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from openmodality.standard.film import FILM_SIZES_MM, MOST_DENSITY, parse_display_format
from openmodality.standard.screen_setting import check_display
from openmodality.standard.text_rules import CODE_STRING_RULE, is_code_string
from openmodality.standard.value_lengths import MAX_CHARACTERS
from openmodality.standard.value_rules import RIGHT_FORMS, mend_value

PeerService: TypeAlias = Literal[
    "verification", "storage", "storage_commitment", "query_retrieve", "worklist", "mpps", "print"
]
IncomingService: TypeAlias = Literal["verification", "storage", "storage_commitment", "query_retrieve"]
Extension: TypeAlias = Literal["c_get"]
StatusOverride: TypeAlias = Literal["success", "warning", "failure", "retry"]
KeySwitch: TypeAlias = Literal["send", "return", "omit"]
SecondLook: TypeAlias = Literal["scan", "type", "confirm", "off"]


def _code(text: str) -> str:
    if not re.fullmatch(r"[0-9A-F]{1,4}x{0,3}", text) or len(text) != 4:
        raise ValueError("a status is four hexadecimal digits in capitals, x for any: 0111, A7xx")
    return text


def _database_url(text: str) -> str:
    if text and "://" not in text:
        raise ValueError("a database URL looks like postgresql+psycopg://user@host/name")
    return text


def _host_name(text: str) -> str:
    try:
        text.encode("idna")  # as the resolver will: no empty label, none above 63 characters
    except UnicodeError:
        raise ValueError(f"{text!r} is neither a host name nor an address") from None
    return text


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?", text):
        raise ValueError(f"{text!r} is no origin: scheme, host in small letters and port, as in https://viewer.example")
    return text


def find_web_place(url: str) -> dict[str, object]:
    """Host and port of a URL; nothing where it is none, which is said for the URL itself."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    return {"host": parts.hostname or "-", "port": port or 1}


def _web_url(text: str) -> str:
    if not text:
        return text
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        is_right = False
    if not is_right or not text.isascii() or not text.isprintable() or " " in text or parts.query or parts.fragment:
        raise ValueError("a URL looks like https://archive.example/dicom-web, without question mark or number sign")
    if parts.username is not None:
        raise ValueError("name and password do not belong into a URL: give user and password_file")
    return text.rstrip("/")


def _film_size(text: str) -> str:
    if text not in FILM_SIZES_MM:
        raise ValueError(f"{text!r} is not one of {', '.join(FILM_SIZES_MM)}")
    return text


def _display_format(text: str) -> str:
    return str(parse_display_format(text))


def _code_string(text: str) -> str:
    if not is_code_string(text):
        raise ValueError(f"{text!r} is no code string ({CODE_STRING_RULE})")
    return text


def _density(text: str) -> str:
    if text and text not in ("BLACK", "WHITE") and not re.fullmatch("[0-9]{1,4}", text):
        raise ValueError("a density is BLACK, WHITE or hundredths of optical density")
    return text


def _value(vr: str, text: str) -> str:
    mended = mend_value(vr, text)
    if mended.text is None:
        raise ValueError(f"{mended.problem}: give {RIGHT_FORMS[vr]}")
    return mended.text


def _character_set(terms: str) -> str:
    if wrong := [term for term in terms.split("\\") if term and not is_code_string(term)]:
        raise ValueError(f"{wrong[0]!r} is no defined term of Specific Character Set (0008,0005)")
    return terms


Switch: TypeAlias = Annotated[bool, Field(strict=True)]
Port: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=65535)]
Text: TypeAlias = Annotated[str, Field(max_length=1024)]
HostName: TypeAlias = Annotated[Text, AfterValidator(_host_name)]
WebUrl: TypeAlias = Annotated[Text, AfterValidator(_web_url)]
WebOrigin: TypeAlias = Annotated[Text, AfterValidator(_origin)]
ShortText: TypeAlias = Annotated[str, Field(max_length=MAX_CHARACTERS["SH"])]
LongText: TypeAlias = Annotated[str, Field(max_length=MAX_CHARACTERS["LO"])]
DisplayText: TypeAlias = Annotated[str, Field(max_length=1024), AfterValidator(check_display)]
DatabaseUrl: TypeAlias = Annotated[str, AfterValidator(_database_url)]
StatusCode: TypeAlias = Annotated[str, AfterValidator(_code)]
CharacterSetText: TypeAlias = Annotated[str, AfterValidator(_character_set)]
FilmSize: TypeAlias = Annotated[str, AfterValidator(_film_size)]
QueueText: TypeAlias = Annotated[str, Field(pattern=r"^([^-/#\s][^/#\s]{0,126})?$")]
OptionalFilmAttribute: TypeAlias = Literal[
    "BorderDensity", "ConfigurationInformation", "EmptyImageDensity", "FilmDestination", "MagnificationType",
    "MaxDensity", "MediumType", "MinDensity", "Polarity", "PrintPriority", "SmoothingType", "Trim",
]  # fmt: skip
DisplayFormatText: TypeAlias = Annotated[str, AfterValidator(_display_format)]
CodeText: TypeAlias = Annotated[str, AfterValidator(_code_string)]
DateText: TypeAlias = Annotated[str, AfterValidator(partial(_value, "DA"))]
TimeText: TypeAlias = Annotated[str, AfterValidator(partial(_value, "TM"))]
NumberText: TypeAlias = Annotated[str, AfterValidator(partial(_value, "DS"))]
DensityText: TypeAlias = Annotated[str, AfterValidator(_density)]
Density: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=MOST_DENSITY)]
Luminance: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=65535)]
ParameterTables: TypeAlias = dict[str, dict[str, Any]]


class Settings(BaseModel):
    """A table of site.toml; a name that is not declared is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
