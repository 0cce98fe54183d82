"""How the check of a series is shown to a person."""

from __future__ import annotations

from openmodality.app.records.exams import join_some, name_frame
from openmodality.cli.terminal.output import clean, print_fields
from openmodality.counted import format_count
from openmodality.exam.checking import SeriesCheck


def print_check(check: SeriesCheck) -> None:
    """For a person: what there is to say, line by line."""
    print(clean(f"series {check.number} {check.description}: {format_count(check.images, check.object_name)}"))
    print_fields([(f"  {name}", value) for name, value in _list_lines(check) if value])
    for warning in check.warnings:
        print(f"  ODD: {warning}")
    for same in check.duplicates:
        print(f"  ODD: the same pixels in images {join_some(list(map(name_frame, same)))}")
    for each in check.missing:
        print(f"  MISSING: {each.keyword}, which could come from {each.could_come_from}")


def summarize_check(check: SeriesCheck) -> str:
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
