"""What was found, in a file from which it can be run again: one line of JSON, then the bytes of the streams."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not happen: where, with which streams, and what it was."""

    target: str
    variant: str
    seed: int
    indexes: tuple[int, ...]
    what: str


def save(finding: Finding, streams: Sequence[bytes], folder: Path) -> Path:
    """Write the finding; its file is named by target, seed and stream."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{finding.target.replace(' ', '-').lower()}-{finding.seed}-{finding.indexes[0]}.fuzz"
    head = json.dumps(asdict(finding) | {"lengths": [len(stream) for stream in streams]})
    path = folder / name
    path.write_bytes(head.encode() + b"\n" + b"".join(streams))
    return path


def load(path: Path) -> tuple[Finding, list[bytes]]:
    """Read what :func:`save` wrote."""
    head, _, body = path.read_bytes().partition(b"\n")
    values = json.loads(head)
    streams = []
    for length in values.pop("lengths"):
        streams.append(body[:length])
        body = body[length:]
    values["indexes"] = tuple(values["indexes"])
    return Finding(**values), streams
