"""One browser for the checks of all modules here, and a context for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.peers.browser import OF_ONE_SITE, SIZE, WAIT_MS, chromium, find_lightest


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with chromium(find_lightest(), *OF_ONE_SITE) as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    yield made
    made.close()
