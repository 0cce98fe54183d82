"""OHIF reads a study of this device in Chromium, served by the device and within the policy that it is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext

from openmodality.acquisition.mr_protocol import SURVEY
from openmodality.acquisition.mr_simulator import MrSimulator
from tests.console_site import PASSWORD, console_in_hospital
from tests.peers.browser import watch
from tests.peers.ohif import find_viewer

_START_MS: Final = 120_000
"""Twelve megabytes of script on a loaded machine."""
_COUNT_GREYS: Final = """() => Math.max(0, ...[...document.querySelectorAll('canvas')].map(canvas => {
  const copy = document.createElement('canvas'); copy.width = copy.height = 64;
  const drawing = copy.getContext('2d'); drawing.drawImage(canvas, 0, 0, 64, 64);
  return new Set(drawing.getImageData(0, 0, 64, 64).data).size; })) > 20"""


@pytest.mark.needs("npm", "chromium")
def test_a_study_is_drawn(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path, settings=f'ohif_folder = "{find_viewer()}"') as place:
        place.add_user("vera", "viewer")
        with place.modality.exam(patient={"PatientName": "Doe^Jane", "PatientID": "OHIF-1"}) as exam:
            exam.acquire(MrSimulator([replace(SURVEY[2], matrix=128, slices=3)]))
        watched = watch(context)
        page, refused = watched.page, list[str]()
        page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
        page.goto(f"{place.url}/ohif/viewer?StudyInstanceUIDs={exam.study_instance_uid}")
        page.get_by_label("Name").fill("vera")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_function(_COUNT_GREYS, timeout=_START_MS)
        assert "/ohif/viewer" in page.url
        page.screenshot(path=tmp_path / "ohif.png")
        assert [url for url in refused if "/dicom-web" in url] == []
        assert [text for text in watched.wrong if "Security Policy" in text or "Trusted" in text] == []
