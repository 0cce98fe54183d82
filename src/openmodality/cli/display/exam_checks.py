"""How the check of a series is shown: to a person, and to a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from openmodality.cli.terminal.output import clean, format_count, print_fields
from openmodality.exam.checking import SeriesCheck

_MOST_SHOWN: Final = 5


def check_as_json(check: SeriesCheck) -> dict[str, Any]:
    """For a program."""
    spacing, size = check.spacing_mm or (None, None), check.field_of_view_mm or (None, None)
    return {
        "series": check.number,
        "description": check.description,
        "object": check.object_name,
        "images": check.images,
        "orientation": check.orientation,
        "order": check.order,
        "row_spacing_mm": spacing[0],
        "column_spacing_mm": spacing[1],
        "slice_spacing_mm": check.slice_spacing_mm,
        "height_mm": size[0],
        "width_mm": size[1],
        "bits_used": check.bits_used,
        "bits_stored": check.bits_stored,
        "clipped_share": check.clipped_share,
        "duplicates": [_join(list(map(str, same))) for same in check.duplicates],
        "warnings": list(check.warnings),
        "mandatory": [asdict(each) for each in check.mandatory],
    }


def print_check(check: SeriesCheck) -> None:
    """For a person: what there is to say, line by line."""
    print(clean(f"series {check.number} {check.description}: {format_count(check.images, check.object_name)}"))
    print_fields([(f"  {name}", value) for name, value in _list_lines(check) if value])
    for warning in check.warnings:
        print(f"  ODD: {warning}")
    for same in check.duplicates:
        print(f"  ODD: the same pixels in images {_join(list(map(str, same)))}")
    for each in check.missing:
        print(f"  MISSING: {each.keyword}, which could come from {each.could_come_from}")


def summarise_check(check: SeriesCheck) -> str:
    """For a person, in one line: the geometry, the bits, and how much is odd or missing."""
    rows, _, columns = check.orientation.partition("\\")
    size = check.field_of_view_mm
    odd = len(check.warnings) + len(check.duplicates)
    parts = [
        f"rows {rows}, columns {columns}" if columns else "",
        check.order + (f" by {check.slice_spacing_mm:g} mm" if check.slice_spacing_mm else ""),
        f"{size[0]:g} x {size[1]:g} mm" if size else "",
        f"{check.bits_used} of {check.bits_stored} bits",
        format_count(odd, "oddity") if odd else "" if check.missing else "fine",
        *(f"{each.keyword} missing" for each in check.missing),
    ]
    return clean(f"{check.description}: {'; '.join(part for part in parts if part)}")


def _list_lines(check: SeriesCheck) -> list[tuple[str, str]]:
    spacing, size = check.spacing_mm, check.field_of_view_mm
    by_source: dict[str, list[str]] = {}
    for each in check.mandatory:
        if not each.is_missing:
            by_source.setdefault(each.came_from, []).append(each.keyword)
    return [
        ("rows and columns to", check.orientation.replace("\\", ", ")),
        ("slices", check.order),
        ("pixel spacing", f"{spacing[0]:g} x {spacing[1]:g} mm" if spacing else ""),
        ("slice spacing", f"{check.slice_spacing_mm:g} mm" if check.slice_spacing_mm else ""),
        ("field of view", f"{size[0]:g} x {size[1]:g} mm" if size else ""),
        ("bits", f"{check.bits_used} of {check.bits_stored} used" if check.bits_stored else ""),
        ("clipped", f"{check.clipped_share:.2%} of the pixels have the largest value" if check.clipped_share else ""),
        *((f"from {source}", ", ".join(names)) for source, names in by_source.items()),
    ]


def _join(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more
