"""Writes src/openmodality/encoding/vr_table.py from pydicom's dictionary: ``python tools/generate_vr_table.py``."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from pathlib import Path

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

HEAD = '''"""Value Representations of the standard data elements (PS3.6 chapters 6 to 9): tags in hexadecimal, by VR.

Written by tools/generate_vr_table.py; ``x`` in REPEATING stands for any digit (PS3.5 7.6). Text, because it loads in a
fraction of the time that a dictionary of five thousand entries takes, and is expanded where it is needed only.
"""

from __future__ import annotations

from typing import Final

'''


def table(name: str, by_vr: dict[str, list[str]]) -> str:
    """The source of one constant: a dictionary of VR to tags."""
    lines = [f"{name}: Final = {{"]
    for vr in sorted(by_vr):
        wrapped = textwrap.wrap(" ".join(sorted(by_vr[vr])), 108)
        if len(wrapped) == 1:
            lines.append(f'    "{vr}": "{wrapped[0]}",')
            continue
        lines.append(f'    "{vr}": (')
        lines += [f'        "{line} "' for line in wrapped[:-1]]
        lines += [f'        "{wrapped[-1]}"', "    ),"]
    return "\n".join([*lines, "}\n"])


def main() -> None:
    """Writes the module."""
    tags: dict[str, list[str]] = defaultdict(list)
    repeating: dict[str, list[str]] = defaultdict(list)
    for tag, entry in DicomDictionary.items():
        if entry[0] != "NONE":  # items and delimiters have no VR
            tags[entry[0]].append(f"{tag:08X}")
    for mask, entry in RepeatersDictionary.items():
        repeating[entry[0]].append(mask.replace("X", "x"))
    target = Path(__file__).parents[1] / "src/openmodality/encoding/vr_table.py"
    target.write_text(HEAD + table("TAGS", tags) + "\n" + table("REPEATING", repeating), encoding="ascii")


if __name__ == "__main__":
    main()
