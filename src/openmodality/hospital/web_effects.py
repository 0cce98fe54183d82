"""The faults that the DICOMweb service of the virtual PACS makes on purpose: values of ``hospital.personalities``."""

from __future__ import annotations

from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class WebEffect:
    """One way: ``status`` answers a whole request, ``failure`` is the reason of one instance (0008,1197).

    ``is_unsaid``: an instance is stored, or not, and the answer does not name it. ``is_cut``: the connection ends
    without an answer.
    """

    status: int = 0
    failure: int = 0
    is_unsaid: bool = False
    is_cut: bool = False
