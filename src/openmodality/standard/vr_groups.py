"""Value representations that are treated alike (PS3.5 Table 6.2-1), and the parts of a name."""

from __future__ import annotations

from typing import Final

WHOLE_NUMBER_VRS: Final = frozenset(("SL", "SS", "UL", "US"))
"""Binary whole numbers of up to 32 bits."""
BYTES_VRS: Final = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
"""Their value is one run of bytes, or of numbers that nobody reads one by one."""
MOMENT_VRS: Final = frozenset(("DA", "DT", "TM"))
"""Dates and times: a key of these may be a range (PS3.4 C.2.2.2.5)."""
WILDCARD_VRS: Final = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
"""A key of these may have ``*`` and ``?`` in it (PS3.4 C.2.2.2.4)."""
NAME_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
"""The component groups of a PN in their order, as DICOM JSON names them (PS3.18 F.2.2)."""
