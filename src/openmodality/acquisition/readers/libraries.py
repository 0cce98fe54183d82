"""Imports libraries that only some forms of pixels require, when such a file comes; names a missing one."""

from __future__ import annotations

import importlib
from typing import Any, Final

from openmodality.errors import ConfigurationError

EXTRA: Final = "mr"


def import_library(name: str, form: str) -> Any:
    """The module ``name``, which reads ``form``.

    Raises :class:`ConfigurationError` where it is not installed; the text says what installs it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"{form} requires {name.partition('.')[0]}, which is not installed",
            advice=f"pip install 'openmodality[{EXTRA}]'",
        ) from error
