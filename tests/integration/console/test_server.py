"""The console's server over HTTP: who gets in, what is refused, streams, and how it stops."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import httpx
import pytest

from openmodality import Modality
from openmodality.console.live import stream
from openmodality.console.security.login_limits import FREE_ATTEMPTS
from openmodality.console.server import ConsoleServer
from openmodality.errors import ConfigurationError, TransportError
from openmodality.store.states import Subject
from tests import plain_http
from tests.console_site import PASSWORD, ConsolePlace, Visitor, console_in_hospital

PAGES = ("/today", "/today/last", "/exam", "/images", "/jobs", "/peers", "/account")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("console")) as started:
        setup = started.server.make_setup_url()
        assert plain_http.get(setup).status_code == 200
        form = {"name": "anna", "password": PASSWORD, "repeated": PASSWORD}
        assert plain_http.post(setup, data=form, headers={"origin": started.url}).status_code == 303
        assert plain_http.get(setup).status_code == 410, "it works once"
        assert started.server.make_setup_url() == "", "there is a user now"
        for role in ("viewer", "operator", "auditor"):
            started.add_user(role, role)
        yield started


@pytest.fixture(scope="module")
def anna(place: ConsolePlace) -> Visitor:
    return place.log_in("anna")


def test_every_page_asks_who_it_is(place: ConsolePlace) -> None:
    for path in (*PAGES, "/exam/1", "/jobs/1", "/start/1", "/images/study/1.2"):
        answer = plain_http.get(place.url + path, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?back={path}")
    assert plain_http.get(f"{place.url}/api/v1/events").status_code == 401
    part = plain_http.get(f"{place.url}/jobs/list", headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login")


def test_a_way_back_leads_nowhere_else(place: ConsolePlace) -> None:
    for back in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        form = {"name": "anna", "password": PASSWORD, "back": back}
        answer = plain_http.post(f"{place.url}/login", data=form, headers={"origin": place.url})
        assert answer.headers["location"] == "/"


def test_the_cookie_is_for_this_console_alone(place: ConsolePlace) -> None:
    answer = plain_http.post(
        f"{place.url}/login", data={"name": "anna", "password": PASSWORD}, headers={"origin": place.url}
    )
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert place.url.rpartition(":")[2] in cookie.partition("=")[0], "two devices may be on one machine"


def test_pages_show_what_there_is(anna: Visitor) -> None:
    for path in PAGES:
        answer = anna.get(path)
        assert answer.status_code == 200, path
        assert "No exam is open" in answer.text
    for path in (
        "/exam/99",
        "/jobs/99",
        "/images/study/1.2.3",
        "/images/series/1.2.3",
        "/nowhere",
        "/jobs/x",
        "/start/99",
    ):
        answer = anna.get(path)
        assert answer.status_code == 404, path
        assert "<h1>" in answer.text
    assert anna.get("/images/instance/1.2.3/thumbnail").status_code == 404


def test_a_form_that_is_sent_after_its_session_is_not_done_and_that_is_said(place: ConsolePlace) -> None:
    headers = {"accept": "text/html", "origin": place.url, "referer": f"{place.url}/register"}
    answer = plain_http.post(f"{place.url}/register", headers=headers, data={"PatientID": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?back=/register&ended=1")
    login = plain_http.get(place.url + answer.headers["location"]).text
    assert "Your session has ended, and nothing was done." in login
    assert 'name="back" value="/register"' in login
    elsewhere = plain_http.post(f"{place.url}/register", headers=headers | {"referer": "http://elsewhere/x"})
    assert elsewhere.headers["location"] == "/login?back=/&ended=1"


def test_what_changes_something_needs_the_token_of_the_session(place: ConsolePlace, anna: Visitor) -> None:
    for form in ({}, {"form_token": "x"}, {"form_token": "é"}):
        assert anna.client.post("/emergency", data=form).status_code == 403
    other = place.log_in("operator")
    token = other.get("/account").text.partition('name="form_token" value="')[2].partition('"')[0]
    assert anna.client.post("/emergency", data={"form_token": token}).status_code == 403
    assert place.modality.exams() == []


def test_another_site_changes_nothing(place: ConsolePlace, anna: Visitor) -> None:
    answer = anna.client.post("/emergency", headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert plain_http.get(place.url, headers={"host": "evil.example"}).status_code == 421
    assert place.modality.exams() == []


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("viewer", "/emergency", 403),
        ("viewer", "/today/ask", 403),
        ("viewer", "/jobs/1/retry", 403),
        ("viewer", "/peers/ris/echo", 403),
        ("operator", "/jobs/1/cancel", 403),
        ("operator", "/images/study/1.2/delete", 403),
        ("operator", "/peers/ris/echo", 303),
        ("auditor", "/emergency", 403),
    ],
)
def test_a_role_may_what_its_table_says(place: ConsolePlace, who: str, path: str, status: int) -> None:
    answer = place.log_in(who).post(path)
    assert answer.status_code == status
    if status == 403:
        assert "may not" in answer.text
        assert "another role" in answer.text


def test_an_auditor_sees_no_patient(place: ConsolePlace) -> None:
    auditor = place.log_in("auditor")
    for path in ("/today", "/exam", "/images", "/jobs", "/banner", "/status", "/api/v1/events"):
        assert auditor.get(path).status_code == 403
    account = auditor.get("/account").text
    assert "No exam is open" not in account
    assert "/today" not in account


def read_stream(place: ConsolePlace, token: str, **headers: str) -> Generator[dict[str, str], None, None]:
    """The events of a stream as they come."""
    url, given = f"{place.url}/api/v1/events", {"authorization": f"Bearer {token}", **headers}
    with plain_http.stream("GET", url, headers=given, timeout=20) as answer:
        assert answer.status_code == 200, answer.read()
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif event:
                yield event
                event = {}


def note(place: ConsolePlace, subject_id: str) -> None:
    with place.modality.database.write() as transaction:
        transaction.add_event(Subject.EXAM, subject_id, "changed", "a detail")


def test_a_stream_tells_what_changes_and_goes_on_where_it_was(place: ConsolePlace) -> None:
    token = place.accounts.add_token("display", ["view"])
    first = read_stream(place, token)
    hello = next(first)
    assert hello["event"] == "hello"
    note(place, "E1")
    seen = next(event for event in first if event["event"] == "change")
    assert json.loads(seen["data"]) == {"subject": "exam", "subject_id": "E1", "name": "changed"}
    first.close()
    for subject_id in ("E2", "E3"):
        note(place, subject_id)
    again = read_stream(place, token, **{"last-event-id": seen["id"]})
    told = [
        json.loads(event["data"])["subject_id"]
        for _, event in zip(range(3), again, strict=False)
        if "name" in event["data"]
    ]
    assert told == ["E2", "E3"]
    again.close()
    with_hello = read_stream(place, token, **{"last-event-id": hello["id"]})
    assert next(with_hello)["id"] == hello["id"], "a stream that breaks here misses nothing"
    with_hello.close()


def test_a_stream_ends_once_its_token_is_revoked_however_much_there_is_to_tell(
    place: ConsolePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LOOK_EVERY_S", 0.0)
    events = read_stream(place, place.accounts.add_token("screen", ["view"]))
    assert next(events)["event"] == "hello"
    place.accounts.revoke_token("screen")
    for number in range(50):
        note(place, f"R{number}")
    assert sum(1 for _ in events) < 50


def test_a_token_is_good_for_its_scopes(place: ConsolePlace) -> None:
    token = place.accounts.add_token("operates", ["operate"])
    headers = {"authorization": f"Bearer {token}"}
    refused = plain_http.get(f"{place.url}/api/v1/events", headers=headers)
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"].startswith("operates may not see")
    assert plain_http.get(f"{place.url}/jobs", headers={"authorization": "Bearer x"}).status_code == 401


def test_static_files_may_be_kept_for_good_and_nothing_else(place: ConsolePlace, anna: Visitor) -> None:
    page = anna.get("/today")
    assert page.headers["cache-control"] == "no-store"
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert len(paths) == 4
    for path in paths:
        assert "immutable" in plain_http.get(place.url + path).headers["cache-control"]
    for path in ("/static/x/../app.py", "/static/x/..%2fapp.py", "/static/x/VENDOR.toml"):
        assert plain_http.get(place.url + path).status_code == 404


def test_it_stops_within_three_seconds_with_twenty_streams_open(tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place, ExitStack() as streams:
        token = place.accounts.add_token("display", ["view"])
        ended = []
        for _ in range(20):
            client = streams.enter_context(plain_http.open_client(timeout=20))
            url, headers = f"{place.url}/api/v1/events", {"authorization": f"Bearer {token}"}
            answer = streams.enter_context(client.stream("GET", url, headers=headers))
            lines = answer.iter_lines()
            assert next(lines) == "event: hello"
            reader = threading.Thread(target=lambda lines=lines: ended.append(sum(1 for _ in lines)))
            reader.start()
            streams.callback(reader.join)
        begun = monotonic()
        place.server.close()
        assert monotonic() - begun < 3
        place.server.close()
        assert place.modality.works_queue, "the device goes on"


def test_what_is_wrong_with_its_settings_is_said(tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        with pytest.raises(TransportError, match=r"cannot listen on 127.0.0.1 port \d+: Address already in use"):
            ConsoleServer(place.modality)
        text = place.site.read_text("utf-8")
        for settings, said in (
            ('host = "0.0.0.0"', "beyond this machine"),
            ('certificate = "none.pem"', "none.pem: cannot be read"),
        ):
            place.site.write_text(text.replace("[console]", f"[console]\n{settings}"), "utf-8")
            with Modality(place.site, works=False) as other, pytest.raises(ConfigurationError, match=said):
                ConsoleServer(other)


def test_too_many_attempts_have_to_wait(tmp_path: Path) -> None:
    def try_once(url: str, password: str) -> httpx.Response:
        data = {"name": "anna", "password": password}
        return plain_http.post(f"{url}/login", data=data, headers={"origin": url})

    with console_in_hospital(tmp_path) as place:
        place.add_user("anna", "viewer")
        answers = [try_once(place.url, "wrong") for _ in range(FREE_ATTEMPTS + 1)]
        assert [answer.status_code for answer in answers[:-1]] == [401] * FREE_ATTEMPTS
        answer = try_once(place.url, "wrong") if answers[-1].status_code == 401 else answers[-1]
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert "Try again in" in answer.text


@pytest.mark.usefixtures("full_passwords")
def test_passwords_that_are_tried_at_once_are_counted_as_well(
    place: ConsolePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def try_once(number: int) -> int:
        data = {"name": "nobody", "password": f"wrong {number}"}
        return plain_http.post(f"{place.url}/login", data=data, headers={"origin": place.url}, timeout=60).status_code

    monkeypatch.setattr(place.server.context.login_limits, "_clock", lambda: 1000.0)
    monkeypatch.setattr(place.server.context.login_limits, "_failures", OrderedDict())
    with ThreadPoolExecutor(4 * FREE_ATTEMPTS) as pool:
        answers = sorted(pool.map(try_once, range(4 * FREE_ATTEMPTS)))
    assert answers == [401] * FREE_ATTEMPTS + [429] * 3 * FREE_ATTEMPTS
