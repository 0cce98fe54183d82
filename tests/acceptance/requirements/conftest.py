"""One recorded day of the MR device for all tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.requirements.recording import recorded
from tests.acceptance.requirements.story import Story, tell


@pytest.fixture(scope="session")
def mr_story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with recorded(tmp_path_factory.mktemp("mr"), "mr") as at:
        yield tell(at)
