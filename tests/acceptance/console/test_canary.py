"""A patient whose name is a program goes through every page, and is a text on each of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from openmodality.console.server import ConsoleServer
from tests.console_site import ConsolePlace, Visitor
from tests.devices import add_image, device_in_hospital, today
from tests.peers.process import wait_until

CANARY = "<img src=x onerror=alert(1)>^\"'&{{7*7}}"
ESCAPED = "&lt;img src"
"""A Person Name is shown by its groups, which = divides."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ConsolePlace]:
    items = today("mr", 2, name=CANARY)
    for item in items:
        item.AccessionNumber = "<script>1"
        item.RequestedProcedureDescription = "{{7*7}}<b>"
    with device_in_hospital(tmp_path, "mr", items) as device, device.modality() as modality:
        modality.serve()
        with ConsoleServer(modality) as server, ExitStack() as clients:
            yield ConsolePlace(None, device.site, modality, server, clients)  # type: ignore[arg-type]


def look(visitor: Visitor, path: str) -> str:
    answer = visitor.get(path)
    assert answer.status_code < 500, path
    assert "<img src=x" not in answer.text, path
    assert "<script>1" not in answer.text, path
    assert "49<b>" not in answer.text, path
    return answer.text


def test_a_name_that_is_a_program_is_a_text(place: ConsolePlace, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    place.add_user("anna", "senior", "service")
    visitor = place.log_in("anna")
    visitor.post("/today/ask", ScheduledStationAETitle="", Modality="", PatientID=CANARY)
    visitor.post("/today/ask", ScheduledStationAETitle="", Modality="")
    shown = [look(visitor, path) for path in ("/today", "/today/list", "/today/last")]
    item = place.modality.worklist_items()[0].id
    shown.append(look(visitor, f"/start/{item}"))
    assert "onerror" in visitor.post(f"/start/{item}", second=CANARY, operator=CANARY).text
    with place.modality.start_exam(item, OperatorsName="<b>") as exam, exam.series("<i>{{7*7}}") as series:
        add_image(series)
    series_uid = place.modality.series()[0]["SeriesInstanceUID"]
    job = place.modality.jobs.list()[0].id
    shown += [
        look(visitor, path)
        for path in (
            "/exam?all=1", "/exam/1", "/images", "/images/list", "/jobs", "/jobs/list", f"/jobs/{job}",
            f"/images/study/{exam.study_instance_uid}", f"/images/series/{series_uid}",
        )
    ]  # fmt: skip
    shown.append(look(visitor, f"/viewer/series/{series_uid}"))
    hostile = quote(CANARY, safe="")
    for path in (f"series/{series_uid}/images", f"series/{series_uid}/states", f"series/{hostile}"):
        look(visitor, f"/viewer/{path}")
    visitor.post("/archive/query", source="", PatientName="*")
    wait_until(lambda: "Asking" not in visitor.get("/archive").text)
    visitor.post(f"/archive/study/{exam.study_instance_uid}")
    wait_until(lambda: "asking" not in visitor.get(f"/archive/study/{exam.study_instance_uid}").text)
    shown.append(look(visitor, "/archive"))
    for purpose in ("film", "media"):
        study = exam.study_instance_uid
        shown.append(look(visitor, f"/{purpose}/add"))
        look(visitor, f"/{purpose}/add?study={study}&series={series_uid}")
        if purpose == "media" or place.modality.site.printers:
            visitor.post(f"/{purpose}/add", study=study)
            shown.append(look(visitor, f"/{purpose}"))
    look(visitor, f"/archive/study/{CANARY.replace('/', '')}")
    service = ("", "/users", "/log", "/certificates", "/earlier", "/table/peers.hospital")
    for path in ("/exam/1/part", "/peers", "/account", "/status", "/banner", *(f"/service{each}" for each in service)):
        look(visitor, path)
    for path in ("/service?find=", "/today?find=", "/images?find=", "/login?back=", "/"):
        look(visitor, path + CANARY.replace("&", "%26").replace("^", "%5E"))
    for text in shown:
        assert ESCAPED in text
        assert "<img src" in unescape(text)
    assert place.modality.wait_until_idle(20)
    ours = [record for record in caplog.records if record.name.startswith(("openmodality", "uvicorn"))]
    said = repr([record.__dict__ for record in ours]) + repr(place.modality.jobs.list())
    assert "onerror" not in said
