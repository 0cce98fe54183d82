"""The library that writes ISO 9660 images: an extra, loaded when an image is made."""

from __future__ import annotations

from types import ModuleType

from openmodality.errors import ConfigurationError


def load_pycdlib() -> ModuleType:
    """The module ``pycdlib``. Raises :class:`ConfigurationError` that names the extra where it is not installed."""
    try:
        import pycdlib.pycdlibexception  # noqa: PLC0415 - an extra, loaded where it is used
    except ImportError as error:
        raise ConfigurationError(
            "images of discs need pycdlib, which is not installed", advice="pip install 'openmodality[media]' brings it"
        ) from error
    return pycdlib
