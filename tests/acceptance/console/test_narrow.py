"""Pages in a narrow window, where a line of a table is a card: each value has its name beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext

from tests.acceptance.console.visits import NARROW, check, log_in
from tests.console_site import console_in_hospital
from tests.peers.objects import mr_series

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(300)]

_LABELS: Final = "cells => cells.map(each => each.dataset.label ?? '')"
_LEFT: Final = "box => Math.round(box.getBoundingClientRect().left)"


def test_a_line_of_a_table_is_a_card(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        place.modality.import_files(mr_series(tmp_path / "one", 1))
        (study,) = place.modality.studies()
        job, *_ = place.modality.send(study["StudyInstanceUID"])
        place.modality.wait_until_idle()
        watched = log_in(context, place, "anna", "senior", "service")
        page = watched.page
        for path in (f"/jobs/{job.id}", "/jobs", "/account", "/service/users"):
            page.goto(f"{place.url}{path}")
            check(watched, place)

        page.set_viewport_size(NARROW)
        page.goto(f"{place.url}/account")
        assert page.locator("tbody tr").first.locator("> *").evaluate_all(_LABELS) == [
            "Opened", "Last used", "From", "Actions",
        ]  # fmt: skip
        page.goto(f"{place.url}/service/users")
        buttons, value = page.locator("td.do button, td.do summary").first, page.locator("td .state").first
        assert buttons.evaluate(_LEFT) == value.evaluate(_LEFT), "actions stand where all values do"
        card, summary = (
            page.locator("table.rows").first.bounding_box(),
            page.locator(".scroll + details").bounding_box(),
        )
        assert card is not None
        assert summary is not None
        assert summary["y"] > card["y"] + card["height"] + 4, "what comes after a table does not touch it"
