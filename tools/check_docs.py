"""Checks that the documents are sound: relative links and anchors exist, ``make`` targets and commands are real.

A command is looked for as ``openmodality NAME`` in code blocks and code spans.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from openmodality.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
_COMMAND = re.compile(r"(?:^|[\s`/$])openmodality +([a-z][a-z-]*)")
_TARGET = re.compile(r"(?:^|[\s`$;&])make +([a-z][a-z-]*)")
_ELSEWHERE = ("http://", "https://", "mailto:")


def documents(root: Path) -> list[Path]:
    """All Markdown files of the project."""
    return sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "tests" / "data").rglob("*.md")])


def broken_links(document: Path) -> Iterator[str]:
    """Relative links of a document that lead nowhere."""
    text = _CODE.sub("", document.read_text(encoding="utf-8"))
    for link in _LINK.findall(text):
        if link.startswith(_ELSEWHERE):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path) if path else document
        if not target.exists():
            yield f"{document}: the link {link} leads nowhere"
        elif anchor and target.suffix == ".md" and anchor not in _anchors(target):
            yield f"{document}: {target.name} has no heading for #{anchor}"


def _anchors(document: Path) -> set[str]:
    headings = _HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def unknown_words(document: Path, pattern: re.Pattern[str], exists: Callable[[str], bool], what: str) -> Iterator[str]:
    """Names that a document's code uses after a command and that do not exist."""
    code = "\n".join(_CODE.findall(document.read_text(encoding="utf-8")))
    for name in sorted(set(pattern.findall(code))):
        if not exists(name):
            yield f"{document}: there is no {what} {name}"


def make_targets(makefile: Path) -> set[str]:
    """The targets of a Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):", makefile.read_text(encoding="utf-8"), re.MULTILINE))


def command_exists(name: str) -> bool:
    """Whether the command line knows a command."""
    return name in COMMANDS


def problems(root: Path) -> Iterator[str]:
    """All that is wrong in all documents."""
    targets = make_targets(root / "Makefile")
    for document in documents(root):
        yield from broken_links(document)
        yield from unknown_words(document, _TARGET, targets.__contains__, "make target")
        yield from unknown_words(document, _COMMAND, command_exists, "command openmodality")


def main(found: Iterable[str]) -> int:
    """Print what is wrong; exit status 1 where something is."""
    lines = list(found)
    print("\n".join(lines) or "Documents are sound")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(problems(ROOT)))
