"""What texts of a VR may hold, beside their length (PS3.5 Table 6.2-1)."""

from __future__ import annotations

import re
from typing import Final

from openmodality.standard.value_lengths import MAX_CHARACTERS

AE_TITLE_RULE: Final = f"1 to {MAX_CHARACTERS['AE']} printable ASCII characters, no backslash, not only spaces"
CODE_STRING_RULE: Final = f"at most {MAX_CHARACTERS['CS']} capitals, digits, underscores, blanks"

_CODE_STRING: Final = re.compile(rf"[A-Z0-9_ ]{{1,{MAX_CHARACTERS['CS']}}}")


def is_ae_title(text: str) -> bool:
    """Whether ``text`` keeps ``AE_TITLE_RULE``; spaces around a title mean nothing, but count."""
    is_printable = text.isascii() and text.isprintable() and "\\" not in text
    return is_printable and bool(text.strip(" ")) and len(text) <= MAX_CHARACTERS["AE"]


def is_code_string(text: str) -> bool:
    """Whether ``text`` is a value of VR CS: ``CODE_STRING_RULE``, and not empty."""
    return _CODE_STRING.fullmatch(text) is not None
