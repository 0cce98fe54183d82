"""Writes docs/openapi.json: the REST API as the program describes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from openmodality.console.api.openapi_document import make_document
from openmodality.console.api.parts import API_PARTS

PAGE: Final = Path(__file__).parent.parent / "docs" / "openapi.json"


def make_page() -> str:
    """The text of the file."""
    return json.dumps(make_document(API_PARTS), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
