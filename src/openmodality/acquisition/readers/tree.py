"""Trees of keys and values that others wrote, in JSON or TOML: read within bounds."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from openmodality.acquisition.readers.bounds import read_text_file
from openmodality.errors import ObjectInvalid

_ADVICE = "write keys and values, such as DICOM keywords and their values"


def parse_json(text: str) -> Any:
    """A value in JSON. Raises :class:`ValueError` where it is none."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_tree(path: Path) -> dict[str, Any]:
    """Keys and values of a ``.toml`` file, or of one in JSON.

    Raises :class:`ObjectInvalid` where it is no such file.
    """
    text = read_text_file(path)
    form = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    try:
        content = tomllib.loads(text) if form == "TOML" else parse_json(text)
    except (ValueError, RecursionError) as error:
        raise ObjectInvalid(f"{path}: not a {form} file", advice=_ADVICE) from error
    if not isinstance(content, dict):
        raise ObjectInvalid(f"{path}: not a JSON object", advice=_ADVICE)
    return content
