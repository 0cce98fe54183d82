"""Listeners: each says what it needs of a data set, and one walk serves all (:mod:`openmodality.encoding.walk`)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from openmodality.encoding.headers import format_tag
from openmodality.encoding.tokenizer import Token
from openmodality.errors import ObjectInvalid

MAX_KEPT_BYTES: Final = 64 * 1024
"""The longest value that is given as a whole: a list of a thousand UIDs fits."""


class Tokens(Enum):
    """Which tokens a listener is given."""

    NONE = "none"
    IRREGULAR = "irregular"
    """Those of private elements, group lengths and sequences; all between them comes as
    :class:`openmodality.encoding.tokenizer.Passed`."""
    ALL = "all"


class Listener:
    """Hears of a data set while it streams by. The walk reads what a listener asks for when it begins."""

    tags: frozenset[int] = frozenset()
    """Top-level elements of which ``take_values`` is given the values."""
    vrs: frozenset[str] = frozenset()
    """Value Representations; ``take`` is given the value of each top-level element of these."""
    tokens: Tokens = Tokens.NONE
    """What ``see`` is given."""
    announced: int = 0
    """A top-level element of which ``announce`` is told when its header is read, before any of its value; 0 for none.

    It stands behind all ``tags``.
    """

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        """Take the values of the ``tags``. Called once, when no further one can come; values for others may be among
        them.

        Values have their padding and the byte order of the transfer syntax. A value of more than ``MAX_KEPT_BYTES`` is
        ``None``. Of an element that comes twice the first counts. Raises :class:`ObjectInvalid` where one is wrong.
        """

    def take(self, tag: int, value: bytes | None) -> None:
        """Take one value of the ``vrs``, in the form that ``take_values`` describes."""

    def announce(self, vr: str, length: int) -> None:
        """Hear that the value of ``announced`` follows. Raises :class:`ObjectInvalid` where it cannot be right."""

    def see(self, token: Token) -> None:
        """Take the next token; its bytes are valid until the next ones are fed."""


class KeptValues(Listener):
    """Keeps the values of its ``tags``, raw."""

    def __init__(self, tags: frozenset[int]) -> None:
        self.tags = tags
        self.values: dict[int, bytes] = {}

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        """Keep the values. Raises :class:`ObjectInvalid` where one is too long."""
        for tag in self.tags & values.keys():
            self.values[tag] = check_length(tag, values[tag])


def check_length(tag: int, value: bytes | None) -> bytes:
    """Return the value. Raises :class:`ObjectInvalid` where it was too long to be kept."""
    if value is None:
        raise ObjectInvalid(f"{format_tag(tag)} is too long to be checked")
    return value
