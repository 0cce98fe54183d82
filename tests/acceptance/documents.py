"""What a document says that a person types, and what it says that appears.

A fenced block is one of

* ``console``: lines that begin with ``$`` are commands, the others what they print. ``console fails``: the last
  command has an exit status other than 0. ``console ends NAME``: what the program NAME, which still runs, prints
  at Ctrl-C;
* ``python``: a script; a ``text prints`` block that follows is its output;
* ``toml NAME``: the content of a file;
* ``text``: to be read, not run.

``...`` stands for any text in a line, or for any lines. Blanks, UIDs, dates, times and durations are not compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
KINDS: Final = ("console", "python", "toml", "text")
_FENCE: Final = re.compile(r"^```(?P<info>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_VARYING: Final = {
    r"\b2\.25\.\d+(?:\.\.\.)?|\b[0-2](?:\.\d+){4,}": "<UID>",
    r"\b\d{4}-\d\d-\d\d\b|\b20\d{6}\b": "<date>",
    r"\bL\d{6}(?=\d{6}\b)": "<date>",
    r"\b\d\d:\d\d(?::\d\d)?\b": "<time>",
    r"\bA\d{8}(?=-\d\d\b)": "<date>",
    r"\b[\d.,]+ (?:ms|s|MB/s|instances/s)\b": "<duration>",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a document."""

    kind: str
    option: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Typed:
    """A command and what it prints."""

    command: str
    output: str


def blocks_of(document: Path) -> list[Block]:
    """The fenced blocks of a document. Fails where one is of no known kind."""
    text = document.read_text(encoding="utf-8")
    found = []
    for each in _FENCE.finditer(text):
        kind, _, option = each["info"].strip().partition(" ")
        line = text.count("\n", 0, each.start()) + 1
        assert kind in KINDS, f"{document.name}:{line}: a block of kind {kind}"
        found.append(Block(kind, option, each["text"], line))
    assert text.count("```") == 2 * len(found), f"{document.name} has a fence that is not closed, or is of no kind"
    return found


def typed_in(text: str) -> list[Typed]:
    """The commands of a console block. A backslash at the end of a line goes on with the next one."""
    found: list[tuple[str, list[str]]] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append((re.sub(r"\s+", " ", line[2:]).strip(), []))
        else:
            assert found, f"output without a command: {line}"
            found[-1][1].append(line)
    return [Typed(command, "\n".join(output)) for command, output in found]


def fits(shown: str, printed: str) -> bool:
    """Whether the output of a command is what a document shows."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else f"{_pattern(line)}\n" for line in _plain(shown).splitlines())
    return re.fullmatch(pattern, _plain(printed)) is not None


def _pattern(line: str) -> str:
    return ".*?".join(re.escape(part) for part in re.split(r" ?\.\.\.", line))


def _plain(text: str) -> str:
    for varying, instead in _VARYING.items():
        text = re.sub(varying, instead, text)
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def difference(command: str, shown: str, printed: str) -> str:
    """For the person who has to mend the document."""
    return f"{command}\n--- the document shows\n{shown}\n--- it prints\n{printed}"
