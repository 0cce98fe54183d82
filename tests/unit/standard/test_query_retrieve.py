"""The levels of Query/Retrieve: each once, and what is none is refused in words."""

from __future__ import annotations

import pytest

from openmodality.errors import UsageError
from openmodality.standard.query_retrieve import LEVELS, UNIQUE_KEYS, Level


def test_each_level_of_each_model_has_its_unique_key() -> None:
    assert {level for levels in LEVELS.values() for level in levels} == set(UNIQUE_KEYS) == set(Level)


def test_what_is_no_level_is_told_the_levels() -> None:
    with pytest.raises(UsageError, match="'STUDIES' is no level; the levels are PATIENT, STUDY, SERIES, IMAGE"):
        Level("STUDIES")
