"""Reads a dose report of a file, of whichever maker, for people (PS3.16 TID 10001)."""

from __future__ import annotations

from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from openmodality.dimse import pydicom_settings  # noqa: F401 - how pydicom reads here
from openmodality.errors import UsageError
from openmodality.objects.report.dose_overview import DoseOverview, overlook_report


def read_dose_report(file: Path) -> DoseOverview:
    """The totals and events of a report.

    Raises :class:`UsageError` that names the file where it is no dose report that can be read.
    """
    try:
        return overlook_report(dcmread(file))
    except UsageError as error:
        raise UsageError(f"{file}: {error.message}", advice=error.advice) from None
    except (InvalidDicomError, OSError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(f"{file}: it cannot be read as a dose report", advice="name a whole DICOM file") from error
