"""What follows from a status: one value for every service, from a device's table or from that of the standard.

A service asks a ``Judge`` and does not know which table answers. :func:`standard_judge` makes one where there is no
device; a site has its own (:mod:`openmodality.device.site`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

from openmodality.dimse.status import StatusCategory
from openmodality.dimse.status import categorize as category_of
from openmodality.standard.dimse import GENERAL_WARNINGS, STATUS_MEANINGS
from openmodality.standard.status_advice import STATUS_ADVICE
from openmodality.standard.statuses import STANDARD_STATUSES, Effect, ServiceName, StatusFact


class Verdict(NamedTuple):
    """What a status says and what follows from it.

    ``effect`` is for the instance or the job; ``is_transient`` says that the same request may succeed later;
    ``must_abort`` says that the association ends with A-ABORT.
    """

    status: int
    category: StatusCategory
    meaning: str
    effect: Effect
    is_transient: bool = False
    must_abort: bool = False

    def describe(self, comment: str = "") -> str:
        """``A700 out of resources``, with the name that PS3.7 has for the code where the meaning does not say it.

        The ``comment`` is the peer's own, (0000,0902) Error Comment. A general warning says that something was done
        (PS3.7 C.4); one that the table has only in its row for all others is not called by the name of that row.
        """
        is_unlisted = self.category is StatusCategory.FAILURE and self.status in GENERAL_WARNINGS
        meaning = "a warning that counts as a failure" if is_unlisted else self.meaning
        name = STATUS_MEANINGS.get(self.status, "")
        is_said = not name or meaning.lower().startswith(name.lower())
        words = f"{self.status:04X} {meaning if is_said else f'{name}: {meaning}'}"
        return f"{words} ({comment})" if comment else words

    @property
    def is_done(self) -> bool:
        """Whether the peer has done what it was asked for, with a warning or without."""
        return self.effect == "succeed"

    @property
    def is_failure(self) -> bool:
        """Whether nothing of it was done."""
        return self.effect == "fail"


Judge: TypeAlias = Callable[[int], Verdict]
"""Gives the verdict on a status of one operation."""


def find_code(codes: Iterable[str], status: int) -> str | None:
    """The most specific code that covers a status.

    A code is four hexadecimal digits with ``x`` for any digit, or ``*`` for any status.
    """
    digits = f"{status:04X}"
    covering = (code for code in codes if code == "*" or _covers(code, digits))
    return max(covering, key=_count_fixed, default=None)


def find_advice(service: ServiceName, operation: str, status: int) -> str:
    """What a person can do about a status that counts as a failure; a row of the service goes before a general one."""
    rows = {
        row.code: row.advice
        for row in STATUS_ADVICE
        if row.service is None or (row.service == service and row.operation in ("", operation))
    }
    return rows[find_code(rows, status) or "*"]


def _covers(code: str, digits: str) -> bool:
    return all(expected in ("x", digit) for expected, digit in zip(code, digits, strict=True))


def _count_fixed(code: str) -> int:
    """How many digits a code fixes, so that the code which fixes most can be found; none for ``*``."""
    return 0 if code == "*" else 1 + sum(digit != "x" for digit in code)


@lru_cache(maxsize=64)
def standard_judge(service: ServiceName, operation: str) -> Judge:
    """The judge of an operation where no device has a table of its own."""
    facts = {fact.code: fact for fact in STANDARD_STATUSES if (fact.service, fact.operation) == (service, operation)}
    return lru_cache(maxsize=64)(partial(_judge_by_standard, facts))


def _judge_by_standard(facts: dict[str, StatusFact], status: int) -> Verdict:
    code = find_code(facts, status)
    if code is None:
        return _judge_by_category(status)
    fact = facts[code]
    is_failure = fact.effect == "fail"
    meaning = fact.meaning if code != "*" else STATUS_MEANINGS.get(status, fact.meaning)
    return Verdict(status, StatusCategory.from_name(fact.category), meaning, fact.effect, fact.transient, is_failure)


def _judge_by_category(status: int) -> Verdict:
    """The verdict on a status of an operation that no table has: by its category alone (PS3.7 Annex C)."""
    kind = category_of(status)
    effects: dict[StatusCategory, Effect] = {
        StatusCategory.SUCCESS: "succeed",
        StatusCategory.WARNING: "succeed",
        StatusCategory.PENDING: "continue",
        StatusCategory.CANCEL: "partial",
    }
    effect = effects.get(kind, "fail")
    return Verdict(status, kind, kind.value.lower(), effect, must_abort=effect == "fail")
