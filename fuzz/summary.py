"""What a run says: a line while it goes on, a table at its end."""

from __future__ import annotations

import sys

from fuzz.worker import Tally

_RESULTS = ("accepted", "rejected", "aborted", "closed")


def progress_line(tally: Tally, streams: int, elapsed_s: float) -> None:
    """Written over itself on a terminal, else not at all."""
    if sys.stderr.isatty():
        rate = tally.streams / max(elapsed_s, 0.1)
        text = f"\r{tally.streams:,} of {streams:,} streams, {rate:,.0f}/s, {len(tally.findings)} findings "
        print(text, end="", file=sys.stderr, flush=True)


def table(tally: Tally, elapsed_s: float, seed: int) -> str:
    """Markdown, as docs/robustness.md shows it."""
    lines = [
        "| target | streams | accepted | rejected | aborted | closed | findings | slowest |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in sorted({target for target, _ in tally.results}):
        lines.append(_row(name, [tally.results[name, result] for result in _RESULTS], _findings(tally, name),
                          f"{tally.slowest_s.get(name, (0.0, 0))[0] * 1000:,.0f} ms"))  # fmt: skip
    totals = [sum(count for (_, of), count in tally.results.items() if of == result) for result in _RESULTS]
    lines.append(_row("**all**", totals, len(tally.findings), ""))
    lines.append("")
    lines.append(
        f"Seed {seed}, {tally.streams:,} streams in {elapsed_s:.0f} s;"
        f" peak memory of a process {tally.peak_bytes / (1 << 20):.0f} MiB; {len(tally.findings)} findings."
    )
    return "\n".join(lines)


def _row(name: str, counts: list[int], findings: int, slowest: str) -> str:
    cells = " | ".join(f"{count:,}" for count in counts)
    return f"| {name} | {sum(counts):,} | {cells} | {findings} | {slowest} |"


def _findings(tally: Tally, name: str) -> int:
    return sum(finding.target == name for finding, _ in tally.findings)
