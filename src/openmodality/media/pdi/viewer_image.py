"""One image as the page on a disc shows it: a PNG in a classic script, all that a page opened from a file loads.

A grey image keeps its stored values, so that the window can be changed: the high byte is the red channel of the PNG,
the low byte the green one. What has no window (colour, images under a lookup table) is shown as it was rendered.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict

from openmodality.errors import UsageError
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class Shades:
    """How stored values become grey: value = (high byte, low byte) + ``offset``, then rescale, window and polarity."""

    offset: int
    slope: float
    intercept: float
    center: float
    width: float
    function: str
    inverse: bool


@dataclass(frozen=True, slots=True)
class ViewerImage:
    """An image for the page. ``shades`` is ``None`` where the PNG is the picture itself.

    ``aspect`` is the height of a pixel divided by its width; ``label`` says which image of its series it is.
    """

    png: bytes
    rows: int
    columns: int
    aspect: float
    label: str
    shades: Shades | None = None

    def encode_script(self, key: str) -> bytes:
        """The script that hands the image to the page under ``key``."""
        if not key.isalnum():
            raise UsageError(f"{key!r} is no key of an image")
        values = {
            "rows": self.rows,
            "columns": self.columns,
            "aspect": self.aspect,
            "label": self.label,
            "shades": asdict(self.shades) if self.shades else None,
            "png": base64.b64encode(self.png).decode("ascii"),
        }
        return f'omImage("{key}",{json.dumps(values, ensure_ascii=True)});\n'.encode("ascii")
