"""A dose report on a terminal, and as a page with a plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Final

from openmodality.cli.terminal.output import align_rows, clean
from openmodality.objects.report.dose_overview import DoseLine, DoseOverview, DoseSums

_HEADER: Final = (
    "", "started", "type", "protocol", "target", "kV", "mA", "ms", "dGy.cm2", "mGy at point", "images",
)  # fmt: skip
_WIDTH, _HEIGHT, _EDGE = 720, 220, 48
_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #8885; }
th:nth-child(-n+4), td:nth-child(-n+4) { text-align: left; }
svg { max-width: 100%; height: auto; }
svg text { fill: currentColor; font-size: 12px; }
.line { fill: none; stroke: #2563c9; stroke-width: 2; }
.axis { stroke: currentColor; stroke-width: 1; }
.Fluoroscopy, .dot-f { fill: #d98a00; } .dot-a, .bar { fill: #2563c9; }
"""


def print_overview(overview: DoseOverview) -> None:
    """Totals and events as two tables."""
    for line in align_rows([("", "dGy.cm2", "mGy at point", "s"), *_list_totals(overview)]):
        print(line.rstrip())
    if overview.reference_point:
        print(f"reference point: {clean(overview.reference_point)}")
    print()
    rows = [_list_cells(number, event) for number, event in enumerate(overview.events, 1)]
    for line in align_rows([_HEADER, *rows]):
        print(line.rstrip())


def make_page(overview: DoseOverview, title: str) -> str:
    """A page of its own: totals, dose over time, dose by target, and each event."""
    rows = [_list_cells(number, event) for number, event in enumerate(overview.events, 1)]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f"<p>{escape(overview.completion)}</p>" if overview.completion else "",
            _make_table(("", "dGy.cm2", "mGy at point", "s"), list(_list_totals(overview))),
            f"<p>Reference point: {escape(overview.reference_point)}</p>" if overview.reference_point else "",
            "<h2>Over time</h2>",
            _plot_time(overview.events),
            "<h2>By target</h2>",
            _plot_targets(overview.targets),
            "<h2>Events</h2>",
            _make_table(_HEADER, rows),
            "</body></html>\n",
        ]
    )


def _list_totals(overview: DoseOverview) -> Iterator[tuple[str, str, str, str]]:
    for name, sums in (
        ("fluoroscopy", overview.fluoroscopy),
        ("acquisition", overview.acquisition),
        ("total", overview.total),
    ):
        yield name, _format(sums.area_product_dgy_cm2), _format(sums.dose_rp_mgy), _format_duration(sums)


def _format_duration(sums: DoseSums) -> str:
    return "" if sums.time_s is None else f"{sums.time_s:.4g}"


def _list_cells(number: int, event: DoseLine) -> tuple[str, ...]:
    return (
        str(number),
        event.started.strftime("%Y-%m-%d %H:%M:%S") if event.started else "",
        clean(event.event_type),
        clean(event.protocol),
        clean(event.target),
        _format(event.kvp),
        _format(event.tube_current_ma),
        _format(event.exposure_time_ms),
        _format(event.area_product_dgy_cm2),
        _format(event.dose_rp_mgy),
        str(event.images),
    )


def _format(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"


def _make_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _plot_time(events: Sequence[DoseLine]) -> str:
    """The dose area product so far, as steps: at the beginning and at the end of each event."""
    timed = [event for event in events if event.started is not None]
    if not timed:
        return "<p>No event has a moment.</p>"
    first = timed[0].started or datetime.min
    points, dots, sum_so_far = [(0.0, 0.0)], [], 0.0
    for event in timed:
        begin = ((event.started or first) - first).total_seconds()
        points.append((begin, sum_so_far))
        sum_so_far += event.area_product_dgy_cm2 or 0.0
        points.append((begin + (event.duration_s or 0.0), sum_so_far))
        dots.append((points[-1], "dot-f" if event.event_type == "Fluoroscopy" else "dot-a", event))
    longest, most = max(point[0] for point in points) or 1.0, sum_so_far or 1.0
    line = " ".join(",".join(_place(point, longest, most)) for point in points)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Dose area product over time">'
        f'<path class="axis" fill="none" d="M{_EDGE} 10V{_HEIGHT - 30}H{_WIDTH - 10}"/>'
        f'<text x="{_EDGE + 6}" y="20">{most:.4g} dGy.cm2</text><text x="{_EDGE - 14}" y="{_HEIGHT - 30}">0</text>'
        f'<text x="{_EDGE}" y="{_HEIGHT - 10}">{first:%H:%M:%S}</text>'
        f'<text x="{_WIDTH - 10}" y="{_HEIGHT - 10}" text-anchor="end">+{longest:.4g} s</text>'
        f'<polyline class="line" points="{line}"/>'
        + "".join(_make_dot(place, kind, event, (longest, most)) for place, kind, event in dots)
        + "</svg><p>Orange: fluoroscopy; blue: acquisitions.</p>"
    )


def _make_dot(place: tuple[float, float], kind: str, event: DoseLine, most: tuple[float, float]) -> str:
    x, y = _place(place, *most)
    said = escape(f"{event.protocol}: {_format(event.area_product_dgy_cm2)} dGy.cm2")
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="4"><title>{said}</title></circle>'


def _place(point: tuple[float, float], longest: float, most: float) -> tuple[str, str]:
    x = _EDGE + point[0] / longest * (_WIDTH - _EDGE - 20)
    y = _HEIGHT - 30 - point[1] / most * (_HEIGHT - 45)
    return f"{x:.1f}", f"{y:.1f}"


def _plot_targets(targets: Mapping[str, float]) -> str:
    most = max(targets.values(), default=0.0) or 1.0
    bars = "".join(
        f'<text x="150" y="{24 * row + 17}" text-anchor="end">{escape(name or "not said")}</text>'
        f'<rect class="bar" x="160" y="{24 * row + 4}" width="{max(value / most * 440, 1):.1f}" height="16"/>'
        f'<text x="{170 + value / most * 440:.1f}" y="{24 * row + 17}">{value:.4g} dGy.cm2</text>'
        for row, (name, value) in enumerate(targets.items())
    )
    height = 24 * max(len(targets), 1) + 8
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Dose by target region">{bars}</svg>'
