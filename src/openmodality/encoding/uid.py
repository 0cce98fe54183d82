"""Unique identifiers (PS3.5 9): strict where we write them, lenient where we read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from openmodality.standard.value_lengths import MAX_CHARACTERS

if TYPE_CHECKING:
    from uuid import UUID

UUID_ROOT: Final = "2.25"
_MAX_LENGTH: Final = MAX_CHARACTERS["UI"]
_STRICT = re.compile(r"[012](\.(0|[1-9][0-9]*))+", re.ASCII)
_LENIENT = re.compile(r"[0-9]+(\.[0-9]+)+", re.ASCII)


def is_valid_uid(text: str, *, strict: bool = True) -> bool:
    """Whether ``text`` follows PS3.5 9.1: at most 64 characters, components without leading zeros.

    Not ``strict`` is for what others sent: components with leading zeros occur in archives, and pass.
    """
    return len(text) <= _MAX_LENGTH and (_STRICT if strict else _LENIENT).fullmatch(text) is not None


def quote_uid(uid: str | None) -> str | None:
    """A UID that a peer sent, for the log: what is none is not repeated, as it may be any bytes."""
    if not uid:
        return None
    return uid if is_valid_uid(uid, strict=False) else "(not a UID)"


def strip_padding(value: bytes | bytearray | memoryview | str) -> str:
    """A UID, or another text of the default repertoire, without the NUL or spaces around it that pad it to even length.

    Bytes outside ASCII become U+FFFD, so that the result is never a valid UID by accident.
    """
    text = value if isinstance(value, str) else bytes(value).decode("ascii", "replace")
    return text.rstrip("\0 ").lstrip(" ")


def new_uid() -> str:
    """A fresh UID made from a random UUID (PS3.5 B.2): needs no registered root, and is unique in the world."""
    from uuid import uuid4  # noqa: PLC0415 - start-up time: most who check UIDs make none

    return uid_of_uuid(uuid4())


def uid_of_uuid(value: UUID) -> str:
    """The UID that a UUID is (PS3.5 B.2)."""
    return f"{UUID_ROOT}.{value.int}"
