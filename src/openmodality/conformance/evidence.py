"""Which test shows which sentence of the statement that a profile follows: whether it ran, and before whom.

A sentence has an id (``MR-3.3.4.3-02``). Tests carry ids; how they ended in the last recorded run, and who stood by, is
in ``evidence.json`` of the profile, which ``make trace ARGS=--write`` writes. The printed statement, ``make trace`` and
``docs/requirements.md`` all read these values, so none can count otherwise than another.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from openmodality.device.profile.loader import list_profile_names
from openmodality.errors import UsageError
from openmodality.value_class import dataclass

EVIDENCE_KIND: Final = "OpenModality evidence"
"""The member ``kind``, by which a file is known."""
EVIDENCE_VERSION: Final = 1
EVIDENCE_FILE: Final = "evidence.json"
"""The file in the folder of a profile."""
WIRE_AREAS: Final = frozenset({
    "association", "charset", "commitment", "iod", "mpps", "print", "query-scp", "query-scu", "retrieve-scp",
    "retrieve-scu", "security", "storage-scp", "storage-scu", "verification", "worklist",
})  # fmt: skip
"""Areas whose sentences a peer can see on the wire; the others are about media, console, configuration and process."""
LEAST_WIRE_SHARE: Final = 0.6
"""The part of the sentences visible on the wire that has to be shown before a peer of others."""


class ProofState(StrEnum):
    """What the last run says about a sentence, or about a test."""

    FAILED = "failed"
    PASSED = "passed"
    NO_DEVICE = "no device"
    SKIPPED = "skipped"
    NOT_RUN = "not run"
    NO_TEST = "no test"


class Before(StrEnum):
    """Before whom a sentence was shown; the first that applies."""

    PEER = "peer"
    READER = "reader"
    OWN_SIDE = "own side"
    MEMORY = "memory"


OWN_WITNESSES: Final = frozenset({"device", "socket", "openmodality"})
"""Who stands by in our own tests; all other names are programs and libraries of others."""
JUDGE_WORDS: Final = {
    Before.PEER: "independent peer",
    Before.READER: "wire tap or decoder of others",
    Before.OWN_SIDE: "own other side",
    Before.MEMORY: "memory",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that carries an id, how it ended, and who stood by; ``judge`` is None where it did not pass."""

    test: str
    outcome: ProofState
    judge: Before | None
    witnesses: tuple[str, ...]

    @property
    def others(self) -> tuple[str, ...]:
        """The programs and libraries of others that stood by."""
        return tuple(name for name in self.witnesses if name not in OWN_WITNESSES)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its id, and what proves it.

    ``looked_at`` says of one that nothing can show what was looked at, and why it stands so.
    """

    id: str
    section: str
    area: str
    text: str
    looked_at: str
    proofs: tuple[Proof, ...]

    @property
    def outcome(self) -> ProofState:
        """One failure outweighs all that passed, and one that passed what was skipped."""
        outcomes = {proof.outcome for proof in self.proofs}
        return next((outcome for outcome in ProofState if outcome in outcomes), ProofState.NO_TEST)

    @property
    def judge(self) -> Before | None:
        """The best of those before whom it was shown; None where it was not shown."""
        judges = {proof.judge for proof in self.proofs if proof.outcome is ProofState.PASSED}
        return next((judge for judge in Before if judge in judges), None) if self.outcome is ProofState.PASSED else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the tests of a profile showed in the run of a day (``2026-11-30``)."""

    profile: str
    run: str
    requirements: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """Counts of some sentences: how many there are, by outcome, and by judge."""

    total: int
    outcomes: Counter[ProofState]
    judges: Counter[Before]


def count_requirements(requirements: Iterable[Sentence]) -> Count:
    """Count sentences."""
    counted = list(requirements)
    judges = Counter(each.judge for each in counted if each.judge is not None)
    return Count(len(counted), Counter(each.outcome for each in counted), judges)


def group_by_area(requirements: Iterable[Sentence]) -> dict[str, list[Sentence]]:
    """The sentences of each area, the areas in the order of their names."""
    areas: dict[str, list[Sentence]] = {}
    for each in requirements:
        areas.setdefault(each.area, []).append(each)
    return dict(sorted(areas.items()))


def describe_wire_share(requirements: Iterable[Sentence]) -> str:
    """How many of the sentences that a peer can see were shown before one of another maker."""
    count = count_requirements(each for each in requirements if each.area in WIRE_AREAS)
    shown, share = count.judges[Before.PEER], measure_wire_share(count)
    return (
        f"visible on the wire: {shown} of {count.total} shown before DCMTK, Orthanc, pynetdicom or dciodvfy"
        f" ({share:.0%}; {LEAST_WIRE_SHARE:.0%} are asked for)"
    )


def measure_wire_share(count: Count) -> float:
    """The part of the counted sentences that was shown before a peer of others."""
    return count.judges[Before.PEER] / count.total if count.total else 1.0


def find_evidence_file(profile: str, base: Path) -> Traversable:
    """The evidence that comes with a profile: one of ours by its name, or a folder below ``base``."""
    folder = files("openmodality") / "profiles" / profile if profile in list_profile_names() else base / profile
    return folder / EVIDENCE_FILE


def read_evidence(file: Traversable) -> Evidence:
    """The evidence in a file.

    Raises :class:`UsageError` where it cannot be read, is no evidence, or is of another version.
    """
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}", advice=_ADVICE) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}: is no JSON", advice=_ADVICE) from error
    if not isinstance(found, dict) or found.get("kind") != EVIDENCE_KIND:
        raise UsageError(f"{file}: is no evidence", advice=_ADVICE)
    if found.get("schema_version") != EVIDENCE_VERSION:
        raise UsageError(
            f"{file}: is evidence of version {found.get('schema_version')!r}; version {EVIDENCE_VERSION} is read",
            advice=_ADVICE,
        )
    try:
        return Evidence(found["profile"], found["run"], tuple(map(_read_requirement, found["requirements"])))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file}: has a requirement that cannot be read", advice=_ADVICE) from error


_ADVICE: Final = "'make trace ARGS=--write' writes the evidence of the last 'make test'"


def _read_requirement(found: Mapping[str, Any]) -> Sentence:
    proofs = tuple(
        Proof(
            each["test"], ProofState(each["outcome"]), Before(each["judge"]) if each["judge"] else None,
            tuple(each["witnesses"]),
        )
        for each in found["proofs"]
    )  # fmt: skip
    return Sentence(found["id"], found["section"], found["area"], found["text"], found["looked_at"], proofs)


def evidence_as_json(evidence: Evidence) -> dict[str, Any]:
    """The members of the file, ready for ``json.dumps``."""
    return {
        "kind": EVIDENCE_KIND,
        "schema_version": EVIDENCE_VERSION,
        "profile": evidence.profile,
        "run": evidence.run,
        "requirements": [_requirement_as_json(each) for each in evidence.requirements],
    }


def _requirement_as_json(requirement: Sentence) -> dict[str, Any]:
    proofs = [
        {"test": each.test, "outcome": each.outcome, "judge": each.judge, "witnesses": list(each.witnesses)}
        for each in requirement.proofs
    ]
    return {
        "id": requirement.id, "section": requirement.section, "area": requirement.area, "text": requirement.text,
        "outcome": requirement.outcome, "judge": requirement.judge, "looked_at": requirement.looked_at,
        "proofs": proofs,
    }  # fmt: skip
