"""OpenModality: the DICOM side of an imaging device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openmodality.app.modality import Modality
    from openmodality.objects.irradiation.event import IrradiationEvent

    __version__: str

__all__ = ["IrradiationEvent", "Modality", "__version__"]


def __getattr__(name: str) -> Any:
    """``from openmodality import Modality``, without loading the whole device for a command that needs none of it.

    ``__version__`` is empty where it runs from its source without being installed.
    """
    if name == "Modality":
        from openmodality.app.modality import Modality  # noqa: PLC0415 - start-up time

        return Modality
    if name == "IrradiationEvent":
        from openmodality.objects.irradiation.event import IrradiationEvent  # noqa: PLC0415 - start-up time

        return IrradiationEvent
    if name == "__version__":
        return _find_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _find_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - start-up time

    try:
        return version("openmodality")
    except PackageNotFoundError:
        return ""
