"""The extra for images of discs: there, or named."""

from __future__ import annotations

import sys

import pytest

from openmodality.errors import ConfigurationError
from openmodality.media.iso_library import load_pycdlib


def test_the_library_is_loaded() -> None:
    assert load_pycdlib().PyCdlib is not None


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycdlib", None)
    monkeypatch.setitem(sys.modules, "pycdlib.pycdlibexception", None)
    with pytest.raises(ConfigurationError) as refused:
        load_pycdlib()
    assert refused.value.advice == "pip install 'openmodality[media]' brings it"
