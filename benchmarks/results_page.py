"""The page of results: a section for each case on a kind of file system, which a run of that case alone makes anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.rows import Row

HEAD: Final = """# Speed

`python -m benchmarks CASE --write` makes the section of a case anew, `make bench ARGS=--write` all of them; what stands
below a table is kept. OPENMODALITY_BENCH=FOLDER names the file system. Loopback, TCP_NODELAY=1 at both ends where a row
does not say otherwise, `os` durability where it does not name another.

Each value is the median of the rounds, with their range in brackets; the two sides of a ratio run in turn, each with
fresh processes. Rates are objects a second after start-up: the wall time of the sender for all files, less that for
one file. In brackets stands the wall time of the whole sender. A bar that the median misses says so.
"""
_HEADING: Final = "## "
_TABLE: Final = "| work | ratio or value | must | figures |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Run:
    """What the caption of a section says: when, how often and on what a case was measured."""

    date: str
    rounds: int
    machine: str

    def __str__(self) -> str:
        return f"{self.date}, {self.rounds} round{'s' * (self.rounds != 1)}, {self.machine}."


def format_row(row: Row) -> str:
    """One row of the table: median, range over the rounds, the bar, the figures."""
    value = f"{format_value(row.ratio)} ({format_value(min(row.ratios))} to {format_value(max(row.ratios))})"
    return f"| {row.what} | {value} | {row.must}{'' if row.is_met else ', missed'} | {row.figures} |"


def format_value(value: float) -> str:
    """Three digits that tell something: 0.00045, 1.40, 19,833."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"


def write_section(page: Path, heading: str, run: Run, rows: Iterable[Row], order: Iterable[str]) -> None:
    """Put the table of ``heading`` in its place on ``page``; other sections, and what stands below the table, stay."""
    sections = dict(_read_sections(page.read_text("utf-8"))) if page.exists() else {}
    table = "\n".join((_TABLE, *map(format_row, rows)))
    remarks = _find_remarks(sections.get(heading, ""))
    sections[heading] = "\n\n".join(filter(None, (str(run), table, remarks)))
    places = {name: place for place, name in enumerate(order)}
    ordered = sorted(
        sections.items(), key=lambda section: (places.get(_find_case(section[0]), len(places)), section[0])
    )
    page.write_text("\n".join((HEAD, *(f"{_HEADING}{name}\n\n{text}\n" for name, text in ordered))), "utf-8")


def _find_case(heading: str) -> str:
    return heading.partition(",")[0]


def _read_sections(text: str) -> Iterator[tuple[str, str]]:
    for section in text.split(f"\n{_HEADING}")[1:]:
        heading, _, body = section.partition("\n")
        yield heading, body.strip()


def _find_remarks(section: str) -> str:
    """What stands below the table of a section."""
    lines = section.splitlines()
    ends = [number for number, line in enumerate(lines) if line.startswith("|")]
    return "\n".join(lines[ends[-1] + 1 :]).strip() if ends else ""
