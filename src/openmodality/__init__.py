"""OpenModality: the DICOM side of an imaging device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openmodality.app.modality import Modality

__all__ = ["Modality"]


def __getattr__(name: str) -> Any:
    """``from openmodality import Modality``, without loading the whole device for a command that needs none of it."""
    if name == "Modality":
        from openmodality.app.modality import Modality  # noqa: PLC0415 - start-up time

        return Modality
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
