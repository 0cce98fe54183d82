"""Service over HTTP: settings that are written and put back, users, tokens, certificates, and the emergency start."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from openmodality.cli.terminal.log import EventFormatter
from openmodality.console.kept_log import KeptLog
from openmodality.console.pages.service_state import describe_validity
from openmodality.console.server import ConsoleServer
from openmodality.network.certificates import CertificateFacts
from tests import plain_http
from tests.console_site import PASSWORD, ConsolePlace, Visitor, console_in_hospital
from tests.unit.network.test_certificates import make_certificate

CANARY = "<img src=x onerror=alert(1)>^\"'&{{7*7}}"
PAGES = ("", "/users", "/certificates", "/log", "/earlier", "/table/peers.pacs", "/new?kind=peers&name=x", "?find=port")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("service")) as started:
        started.add_user("anna", "service")
        started.add_user("bob", "senior")
        yield started


@pytest.fixture
def anna(place: ConsolePlace) -> Visitor:
    return place.log_in("anna")


def read_fields(page: str) -> dict[str, str]:
    """What a form of the page would send, without its token."""
    return dict(re.findall(r'<input type="hidden" name="(based_on|value-[^"]+)" value="([^"]*)"', page))


def change(visitor: Visitor, table: str, **values: str) -> httpx.Response:
    """Type values, look at the change, and write it."""
    url = f"/service/table/{table}"
    seen = visitor.post(url, **{f"value-{table}.{key}": value for key, value in values.items()})
    assert seen.status_code == 200, seen.text
    return visitor.post(url, step="write", **read_fields(seen.text))


def test_only_service_may_see_it(place: ConsolePlace) -> None:
    bob = place.log_in("bob")
    for page in PAGES:
        assert bob.get(f"/service{page}").status_code == 403
    for path in ("/service/table/console", "/service/users", "/service/tokens", "/service/users/anna/link"):
        assert bob.post(path, name="eve", role="service").status_code == 403
    assert "/service" not in bob.get("/today").text
    assert [user.name for user in place.accounts.list_users()] == ["anna", "bob"]


def test_a_setting_is_shown_changed_and_put_back(place: ConsolePlace, anna: Visitor) -> None:
    before = place.site.read_text()
    shown = anna.get("/service/table/parameters.storage").text
    assert "How often a failed send job is tried again" in shown
    assert "0-100; 0 = forever" in shown
    url = "/service/table/parameters.storage"
    preview = anna.post(url, **{"value-parameters.storage.retries": "12"}).text
    assert '<code class="added">+retries = 12</code>' in preview
    assert "after a restart" in preview
    assert place.site.read_text() == before, "it is only looked at"
    assert change(anna, "parameters.storage", retries="12").status_code == 303
    assert place.site.read_text() == before.replace("# retries = 10\n", "# retries = 10\nretries = 12\n", 1)
    assert "1 setting changed. 1 in force after a restart" in anna.get("/service").text
    assert "<code>parameters.storage.retries</code>" in anna.get("/service").text, "it is said until then"
    (kept,) = re.findall(r"/service/earlier/([0-9-]+\.toml)", anna.get("/service/earlier").text)
    back = anna.post(f"/service/earlier/{kept}").text
    assert '<code class="removed">-retries = 12</code>' in back
    anna.post(f"/service/earlier/{kept}", step="write", **read_fields(back))
    assert place.site.read_text() == before
    assert anna.post("/service/earlier/20000101-000000-000000.toml").status_code == 404


def test_a_default_is_gone_back_to(place: ConsolePlace, anna: Visitor) -> None:
    before = place.site.read_text()
    change(anna, "parameters.worklist", modality="XA", max_items="7")
    url = "/service/table/parameters.worklist"
    assert "Back to the default" in anna.get(url).text
    key = "parameters.worklist.modality"
    preview = anna.post(url, **{f"value-{key}": "XA", f"reset-{key}": "yes"})
    anna.post(url, step="write", **read_fields(preview.text), **{f"reset-{key}": "yes"})
    assert place.site.read_text() == before.replace("# max_items = 47\n", "# max_items = 47\nmax_items = 7\n", 1)
    place.site.write_text(before)


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(place: ConsolePlace, anna: Visitor) -> None:
    before = place.site.read_text()
    url = "/service/table/peers.pacs"
    for key, value, said in (
        ("port", "111140", "less than or equal to 65535"),
        ("port", "x", "is not allowed: 1-65535"),
        ("tls", "true", "TLS is used, so it needs a PEM file"),
        ("services", "storage\nnothing", "Input should be"),
    ):
        typed = {"value-peers.pacs.description": "kept", f"value-peers.pacs.{key}": value}
        answer = anna.post(url, step="write", based_on="x", **typed)
        assert answer.status_code == 400
        assert said in answer.text
        assert "kept" in answer.text
        if key != "tls":  # whose mistake is that of another table
            assert re.search(rf'id="row-{key}-error">[^<]*{re.escape(said)}', answer.text)
    assert place.site.read_text() == before


def test_a_change_that_was_not_looked_at_is_not_written(place: ConsolePlace, anna: Visitor) -> None:
    before = place.site.read_text()
    url, typed = "/service/table/device", {"value-device.alias": "Room 1"}
    fields = read_fields(anna.post(url, **typed).text)
    place.site.write_text(before + "# somebody else\n")
    anna.post(url, step="write", **fields)
    assert "the site file was changed meanwhile" in anna.get("/service").text.casefold()
    assert place.site.read_text() == before + "# somebody else\n"
    place.site.write_text(before)


def test_a_peer_comes_and_goes(place: ConsolePlace, anna: Visitor) -> None:
    before = place.site.read_text()
    assert anna.get("/service/new?kind=peers&name=second").headers["location"] == "/service/table/peers.second"
    assert anna.get("/service/new?kind=peers&name=a/b").status_code == 404
    missing = anna.post("/service/table/peers.second", **{"value-peers.second.ae_title": "SECOND"})
    assert missing.status_code == 400
    assert re.search(r'id="row-host-error">Is missing', missing.text)
    change(anna, "peers.second", ae_title="SECOND", host="10.0.0.7", port="104", services="storage")
    assert '\n[peers.second]\nae_title = "SECOND"\n' in place.site.read_text()
    gone = anna.post("/service/remove/peers.second")
    anna.post("/service/remove/peers.second", step="write", **read_fields(gone.text))
    assert place.site.read_text().rstrip() == before.rstrip()
    assert anna.post("/service/remove/device").status_code == 400


def test_some_settings_are_in_force_at_once(place: ConsolePlace, anna: Visitor) -> None:
    before = place.site.read_text()
    try:
        preview = anna.post("/service/table/console", **{"value-console.identity_check": "scan"}).text
        assert "at once" in preview
        change(anna, "console", identity_check="scan", idle_minutes="7")
        assert "2 settings changed. In force now." in anna.get("/service").text
        place.modality.worklist()
        bob = place.log_in("bob")
        assert "Scan the wristband" in bob.get(f"/start/{place.modality.worklist_items()[0].id}").text
        assert place.server.context.accounts.limits.idle_s == 420
        change(anna, "console", port="11999")
        assert "<code>console.port</code>" in anna.get("/service").text
    finally:
        place.site.write_text(before)


def test_a_file_that_cannot_be_loaded_is_said(place: ConsolePlace, anna: Visitor) -> None:
    before = place.site.read_text()
    try:
        place.site.write_text(before.replace("port = ", "prot = ", 1))
        answer = anna.get("/service").text
        assert "cannot be loaded as it is now" in answer
        assert "did you mean port?" in answer
        place.site.write_text("[[[")
        assert "not readable as TOML" in anna.get("/service").text
        name = re.findall(r"/service/earlier/([0-9-]+\.toml)", anna.get("/service/earlier").text)[0]
        back = anna.post(f"/service/earlier/{name}")
        anna.post(f"/service/earlier/{name}", step="write", **read_fields(back.text))
        assert "cannot be loaded" not in anna.get("/service").text
    finally:
        place.site.write_text(before)


def test_users_are_made_changed_and_shut_out(place: ConsolePlace, anna: Visitor) -> None:
    wrong = anna.client.post("/service/users", data={**token(anna), "name": "e v e", "role": "operator"})
    assert wrong.status_code == 400
    assert 'value="e v e"' in wrong.text
    assert 'value="operator" checked' in wrong.text
    made = anna.client.post("/service/users", data={**token(anna), "name": "eve", "role": ["operator", "viewer"]}).text
    link = re.search(r'class="secret">(http[^<]+)<', made)
    assert link is not None
    assert link[1] not in anna.get("/service/users").text, "it is shown once"
    form = {"password": PASSWORD, "repeated": PASSWORD}
    assert plain_http.post(link[1], data=form, headers={"origin": place.url}).status_code == 303
    eve = place.log_in("eve")
    assert eve.get("/service").status_code == 403
    anna.post("/service/users/eve/roles", role="service")
    assert eve.get("/today").status_code == 303, "the session is ended"
    assert place.log_in("eve").get("/service").status_code == 200
    anna.post("/service/users/eve/access", access="disable")
    assert "let in no longer since" in anna.get("/service/users").text
    login = plain_http.post(
        f"{place.url}/login", data={"name": "eve", "password": PASSWORD}, headers={"origin": place.url}
    )
    assert login.status_code == 401
    anna.post("/service/users/eve/access", access="enable")
    assert place.log_in("eve").get("/service").status_code == 200
    assert 'class="secret"' in anna.post("/service/users/eve/link").text


def test_nobody_shuts_himself_out(place: ConsolePlace, anna: Visitor) -> None:
    anna.post("/service/users/anna/access", access="disable")
    assert "Nobody shuts himself out" in anna.get("/service/users").text
    anna.post("/service/users/anna/roles", role="viewer")
    assert "You would not come back here" in anna.get("/service/users").text
    assert anna.get("/service").status_code == 200


def test_tokens_are_made_and_revoked(place: ConsolePlace, anna: Visitor) -> None:
    for name, scope, days in (("t", "", ""), ("t", "view", "0"), ("t", "nothing", "")):
        assert anna.post("/service/tokens", name=name, scope=scope, days=days).status_code == 400
    made = anna.post("/service/tokens", name="display", scope="view", days="3").text
    secret = re.search(r'class="secret">([^<]+)<', made)
    assert secret is not None
    headers = {"authorization": f"Bearer {secret[1]}", "accept": "text/html"}
    assert plain_http.get(f"{place.url}/jobs", headers=headers).status_code == 200
    assert secret[1] not in anna.get("/service/users").text
    anna.post("/service/tokens/display/revoke")
    assert plain_http.get(f"{place.url}/jobs", headers=headers).status_code == 303


def token(visitor: Visitor) -> dict[str, str]:
    return {"form_token": visitor.get("/account").text.partition('name="form_token" value="')[2].partition('"')[0]}


def test_certificates_are_shown_with_their_end(tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as before:
        (before.site.parent / "own.pem").write_bytes(make_certificate("device", 1))
        text = before.site.read_text().replace(
            "[tls]\n", '[tls]\ncertificate = "own.pem"\nca_certificates = "no.pem"\n'
        )
        before.site.write_text(text)
        before.server.close()
        with type(before.modality)(before.site, works=False) as modality, ConsoleServer(modality, None) as server:
            place = ConsolePlace(before.hospital, before.site, modality, server, before.clients)
            place.add_user("anna", "service")
            shown = place.log_in("anna").get("/service/certificates").text
    assert "CN=device" in shown
    assert "has ended: peers refuse it" in shown
    assert "no.pem cannot be read" in shown


def test_validity_in_words() -> None:
    facts = CertificateFacts("a", "b", 1000.0, 1000.0 + 86_400 * 40)
    assert describe_validity(facts, 1000.0, 30) == ("40 days left", "ok")
    assert describe_validity(facts, 1000.0 + 86_400 * 20, 30) == ("20 days left", "busy")
    assert describe_validity(facts, 1000.0 + 86_400 * 20, 10) == ("20 days left", "ok")
    assert describe_validity(facts, 0.0, 30)[1] == "bad"
    assert describe_validity(facts, 1000.0 + 86_400 * 41, 0)[1] == "bad"


def test_the_log_is_shown_without_values(tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        kept = KeptLog(EventFormatter())
        logger = logging.getLogger("openmodality")
        logger.addHandler(kept)
        place.server.close()
        try:
            with ConsoleServer(place.modality, kept) as server:
                at = ConsolePlace(place.hospital, place.site, place.modality, server, place.clients)
                at.add_user("anna", "service")
                logging.getLogger("openmodality.x").warning("a.warning", extra={"peer": CANARY, "name_of": "Roe"})
                shown = at.log_in("anna").get("/service/log").text
        finally:
            logger.removeHandler(kept)
    assert "a.warning peer=" in shown
    assert "&lt;img src=x" in shown
    assert "<img src=x" not in shown
    assert "Roe" not in shown


def test_an_emergency_exam_without_login_starts_and_sees_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with console_in_hospital(tmp_path) as place:
        headers = {"origin": place.url, "accept": "text/html"}
        url = f"{place.url}/login/emergency"
        assert "emergency" not in plain_http.get(f"{place.url}/login").text.casefold(), "off by default"
        assert plain_http.post(url, headers=headers).status_code == 403
        assert place.modality.exams() == []
        place.add_user("anna", "service")
        change(place.log_in("anna"), "console", emergency_start="true")
        assert "Start an emergency exam" in plain_http.get(f"{place.url}/login").text
        assert plain_http.post(url, headers={"accept": "text/html"}).status_code == 403, "from another site"
        assert plain_http.post(url, headers={**headers, "x-forwarded-for": "10.0.0.7"}).status_code == 403
        assert "emergency" not in plain_http.get(f"{place.url}/login", headers={"forwarded": "for=x"}).text.casefold()
        answer = plain_http.post(url, headers=headers)
        assert "Emergency exam 1 has started" in answer.text
        assert "set-cookie" not in answer.headers, "nobody is logged in"
        (exam,) = place.modality.exams()
        assert exam.text(0x00100010) not in answer.text
        assert plain_http.get(f"{place.url}/exam/1", headers=headers).status_code == 303
        assert [(each.msg, each.__dict__["exam"]) for each in caplog.records if "override" in each.msg] == [
            ("console.emergency_override", 1)
        ]
        for _ in range(10):
            refused = plain_http.post(url, headers=headers)
        assert refused.status_code == 403
        assert "several emergency exams" in refused.text.casefold()
        assert len(place.modality.exams()) < 10
