"""Templates and static files of the console, which are part of the package; nothing comes from elsewhere.

Static files have the digest of all of them in their address and may be kept by a browser for good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from openmodality.console.place_words import tell_on_page

_HERE: Final = Path(__file__).parent
STATIC_FOLDER: Final = _HERE / "static"
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class StaticFiles:
    """What browsers get beside pages, in memory: a name that is not there leads nowhere."""

    def __init__(self, folder: Path = STATIC_FOLDER) -> None:
        self.content = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _TYPES}
        digest = hashlib.sha256()
        for name, content in self.content.items():
            digest.update(name.encode() + b"\0" + content)
        self.version = digest.hexdigest()[:16]

    def make_url(self, name: str) -> str:
        """The address of a file. Raises ``KeyError`` for one that is not there."""
        self.content[name]
        return f"/static/{self.version}/{name}"

    @staticmethod
    def find_type(name: str) -> str:
        """The media type of a file."""
        return _TYPES[Path(name).suffix]


class Templates:
    """Renders pages; what is not there is an error, and every value is text."""

    def __init__(self, static: StaticFiles) -> None:
        self.static = static
        self._environment = _make_environment()

    def render(self, template: str, **values: Any) -> str:
        """The HTML of a template."""
        return self._environment.get_template(template).render(static=self.static.make_url, **values)


@cache
def _make_environment() -> Environment:
    """The templates of the package, which are compiled once for all consoles of a process."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # they do not change, and a page includes one for each line of a list
    )
    filters: Mapping[str, Callable[..., object]] = {
        "clock": format_clock,
        "date": format_date,
        "person": format_person,
        "sentence": make_sentence,
        "here": tell_on_page,
    }
    environment.filters.update(filters)
    return environment


def format_clock(seconds: float | None, now: float | None = None) -> str:
    """A moment as people say it: the time, with the date where it is not today."""
    if seconds is None:
        return ""
    at = datetime.fromtimestamp(seconds)
    today = datetime.now() if now is None else datetime.fromtimestamp(now)
    return f"{at:%H:%M:%S}" if at.date() == today.date() else f"{at:%Y-%m-%d %H:%M}"


def format_date(text: str) -> str:
    """A date of DICOM (``YYYYMMDD``) as ISO 8601 has it; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdecimal() else text


def make_sentence(text: str) -> str:
    """A message of an error as a sentence of a page: its first letter is a capital unless a command begins it."""
    text = tell_on_page(text)
    first = text[:1] if text.startswith("openmodality ") else text[:1].upper()
    return f"{first}{text[1:]}{'' if text[-1:] in ('.', '?', '!', '') else '.'}"


def format_dicom_time(text: str) -> str:
    """A time of DICOM (``HHMMSS.FFFFFF``) to the second at most; anything else as it is."""
    whole = text.partition(".")[0]
    if len(whole) not in (4, 6) or not whole.isdecimal():
        return text
    return ":".join(whole[place : place + 2] for place in range(0, len(whole), 2))


def format_person(name: str) -> str:
    """A Person Name for people: family name, other names, and the other scripts behind them (PS3.5 6.2.1)."""
    groups = [_format_group(group) for group in name.split("=")]
    return " ".join(group if number == 0 else f"({group})" for number, group in enumerate(groups) if group)


def _format_group(group: str) -> str:
    family, given, middle, prefix, suffix = (*group.split("^"), *[""] * 5)[:5]
    others = " ".join(filter(None, (prefix, given, middle, suffix)))
    return ", ".join(filter(None, (family, others)))
