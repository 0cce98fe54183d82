"""Reads the media types that a client accepts, in its order of preference (RFC 9110 12.5.1, PS3.18 8.3.3, 8.7).

``multipart/related`` names its media type in ``type``, with or without quotes; ``transfer-syntax`` may stand in it or
beside it. The query parameter ``accept`` goes before the header.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request

from openmodality.encoding.multipart import parse_media_type, split_outside_quotes
from openmodality.errors import OpenModalityError

MULTIPART = "multipart/related"
OCTETS = "application/octet-stream"
DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
JSON = "application/json"


class NotAcceptable(OpenModalityError):
    """The client takes none of what this resource can be had as."""

    def __init__(self, possible: Sequence[str], found: str = "") -> None:
        said = found or "this cannot be had as any of the media types that were asked for"
        super().__init__(said, advice=f"ask for one of: {'; '.join(possible)}")
        self.possible = tuple(possible)


class MediaRange(NamedTuple):
    """One thing that a client takes. ``is_multipart``: as parts of this type; the type of any is ``*/*``."""

    name: str
    is_multipart: bool
    transfer_syntax: str
    quality: float
    parameters: Mapping[str, str]

    def covers(self, media_type: str) -> bool:
        """Whether a media type is one of the range."""
        kind = self.name.partition("/")[0]
        return self.name in ("*/*", media_type) or (self.name.endswith("/*") and media_type.startswith(f"{kind}/"))


def read_accepted(request: Request) -> list[MediaRange]:
    """What the client of a request takes, the best first; anything where it does not say it."""
    asked = request.query_params.getlist("accept")
    texts = asked if any(asked) else request.headers.getlist("accept")
    return parse_accepted(texts) or [MediaRange("*/*", False, "", 1.0, {})]


def parse_accepted(texts: Iterable[str]) -> list[MediaRange]:
    """Media ranges in the order of their quality; those of quality 0, and what is none, are left out."""
    ranges = [_parse(part) for text in texts for part in split_outside_quotes(text, ",") if part.strip()]
    return sorted((each for each in ranges if each.quality > 0 and "/" in each.name), key=lambda each: -each.quality)


def _parse(text: str) -> MediaRange:
    name, parameters = parse_media_type(text)
    syntax = parameters.get("transfer-syntax", "")
    is_multipart = name in (MULTIPART, "multipart/*")
    if is_multipart:
        inner = parse_media_type(parameters.get("type") or "*/*")
        name, syntax = inner.name, syntax or inner.parameters.get("transfer-syntax", "")
    return MediaRange(name, is_multipart, syntax, _read_quality(parameters.get("q", "1")), parameters)


def _read_quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def choose(request: Request, possible: Sequence[str]) -> str:
    """The media type of an answer in one piece. Raises :class:`NotAcceptable`."""
    for each in read_accepted(request):
        found = next((name for name in possible if not each.is_multipart and each.covers(name)), None)
        if found is not None:
            return found
    raise NotAcceptable(possible)
