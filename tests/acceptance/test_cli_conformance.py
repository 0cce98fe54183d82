"""``openmodality conformance`` as it is typed."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openmodality.device.site.site_loader import make_site
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import storage_policy
from openmodality.network.entity import LocalAE
from openmodality.network.tls import TlsFiles, server_context
from openmodality.services.verification import VERIFICATION_SERVICE
from tests.acceptance.hospital_site import Place, in_hospital
from tests.acceptance.in_process import openmodality
from tests.interop.certificates import KeyPair, key_pair
from tests.peers.process import free_port

OF_RF = json.dumps(
    {"kind": "OpenModality evidence", "schema_version": 1, "profile": "rf", "run": "2026-11-30", "requirements": []}
)
SITE = 'profile = "mr"\n[application_entities.device]\nae_title = "ROOM1"\n'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return tmp_path


def test_print_in_each_format(site: Path) -> None:
    html = openmodality("conformance", "print", "-c", site, "--format", "html")
    assert html.status == 0
    assert html.out.startswith("<!DOCTYPE html>")
    assert "ROOM1" in html.out
    markdown = openmodality("conformance", "print", "-c", site, "--layout", "mr")
    assert markdown.out.startswith("# DICOM Conformance Statement: MR imaging system")
    assert "## 15 Annex C: performed procedure step" in markdown.out
    stated = json.loads(openmodality("conformance", "print", "-c", site, "--format", "json").out)
    assert (stated["kind"], stated["schema_version"]) == ("OpenModality conformance statement", 1)
    assert stated["device_description"]["dicomNetworkAE"][0]["dicomAETitle"] == "ROOM1"


def test_what_a_file_is_shows_in_its_name(site: Path) -> None:
    for name, start in (("a.html", "<!DOCTYPE"), ("a.json", "{"), ("a.md", "# DICOM")):
        done = openmodality("conformance", "print", "--profile", "rf", "-o", site / name)
        said = f"{site / name}: the conformance statement of Remote-controlled R/F x-ray system\n"
        assert (done.status, done.out) == (0, said)
        assert (site / name).read_text(encoding="utf-8").startswith(start)


def test_evidence_says_which_test_shows_a_sentence(site: Path) -> None:
    markdown = openmodality("conformance", "print", "-c", site, "--evidence").out
    assert re.search(r"\| MR-3\.3\.1\.3-03 \| 3\.3\.1\.3 \| .*? \| shown \| independent peer: .*echoscu", markdown)
    assert re.search(r"MR-3-14: independent peer", markdown)
    stated = json.loads(openmodality("conformance", "print", "-c", site, "--evidence", "--json").out)["items"][0]
    evidence = stated["statement"]["evidence"]
    assert (evidence["profile"], len(evidence["requirements"])) == ("mr", 372)


def test_evidence_of_another_profile_or_none_is_named(site: Path) -> None:
    file = site / "evidence.json"
    for evidence, words in ((OF_RF, "is the evidence of profile rf; this device is mr"), ("{}", "is no evidence")):
        file.write_text(evidence, encoding="utf-8")
        done = openmodality("conformance", "print", "-c", site, f"--evidence={file}")
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert words in done.err
    done = openmodality("conformance", "print", "--profile", "docs/examples/ct", "--evidence")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "docs/examples/ct/evidence.json: cannot be read" in done.err


def test_diff_says_what_a_peer_would_notice(site: Path) -> None:
    openmodality("conformance", "print", "--profile", "mr", "-o", site / "before.json")
    openmodality("conformance", "print", "-c", site, "-o", site / "after.json")
    same = openmodality("conformance", "diff", site / "before.json", site / "before.json", "--exit-code")
    assert (same.status, same.out) == (0, "a peer would notice nothing\n")
    found = openmodality("conformance", "diff", site / "before.json", site / "after.json")
    sentence = "The AE device is now called ROOM1; it was OM_MR: peers that know its title must learn it."
    assert (found.status, found.out) == (0, f"application entities: {sentence}\n")
    assert openmodality("conformance", "diff", site / "before.json", site / "after.json", "--exit-code").status == 1


def test_a_profile_of_ones_own() -> None:
    done = openmodality("conformance", "print", "--profile", "docs/examples/ct")
    assert "| Profile | ct: CT scanner |" in done.out


def test_a_folder_of_the_name_of_a_profile_is_in_nobodys_way(site: Path) -> None:
    """``openmodality init mr`` makes one."""
    (site / "mr").mkdir()
    with contextlib.chdir(site):
        done = openmodality("conformance", "print", "--profile", "mr")
    assert done.out.startswith("# DICOM Conformance Statement: MR imaging system")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with in_hospital(tmp_path_factory.mktemp("place")) as made:
        yield made


def test_check_says_how_a_peer_is_and_what_to_write(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer of the site file, on 80 columns; the lines that come out are taken by a site file."""
    monkeypatch.setenv("COLUMNS", "80")
    place.hospital.misbehave("ris:worklist-leftover")
    try:
        done = openmodality("conformance", "check", "ris", "-c", place.site)
    finally:
        place.hospital.behave()
    assert (done.status, done.err.count("\n")) == (0, done.err.count("warning: association.rejected"))
    assert "\n  worklist-leftover: sends an identifier with the final response\n" in done.out
    assert "nothing\n         is written to the peer without --write" in done.out
    table = done.out.partition("[peers.ris]")[2].partition("\n\n")[0]
    site = make_site(Path("site.toml"), f'profile = "mr"\n[peers.ris]{table}')
    assert site.peers["ris"].services == {"verification", "worklist", "mpps"}
    shown = done.out.partition("lines for the site file")[0]
    assert max(map(len, shown.splitlines())) <= 80


def test_check_with_leave_to_write_hears_the_report_at_the_port_of_the_site(place: Place) -> None:
    before = set(place.hospital.pacs.instances)
    done = openmodality("conformance", "check", "pacs", "-c", place.site, "--write", "--json")
    said = json.loads(done.out)
    assert (done.status, said["personalities"]) == (0, [])
    assert any(each["text"].startswith("the result comes on a new association") for each in said["items"])
    stored = {each["uid"] for each in said["written"] if each["kind"] == "instance"}
    assert set(place.hospital.pacs.instances) - before == stored != set()


def test_compare_predicts_without_a_peer(site: Path) -> None:
    for name in ("mr", "rf"):
        openmodality("conformance", "print", "--profile", name, "-o", site / f"{name}.json")
    done = openmodality("conformance", "check", "--compare", site / "mr.json", site / "rf.json")
    assert done.status == 1
    assert done.out.startswith("MR imaging system asks Remote-controlled R/F x-ray system\n")
    assert "FAILS  Modality Performed Procedure Step: the other side accepts none of its" in done.out
    said = json.loads(
        openmodality("conformance", "check", "--compare", site / "mr.json", site / "rf.json", "--json").out
    )
    assert (said["peer"], said["items"]) == (None, [])
    assert {each["area"] for each in said["predictions"]} >= {"services", "SOP classes", "keys"}


def test_a_peer_that_is_not_there_fails_in_a_line() -> None:
    done = openmodality("conformance", "check", f"NOBODY@127.0.0.1:{free_port()}")
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "cannot connect to" in done.err


@contextlib.contextmanager
def listening(context: ssl.SSLContext | None) -> Iterator[str]:
    """A peer that answers verification, under TLS with a context."""
    local = LocalAE("PEER")
    policy = storage_policy(local)
    with Acceptor(local, [VERIFICATION_SERVICE], policy, Listening("127.0.0.1", 0, context)) as acceptor:
        yield f"PEER@127.0.0.1:{acceptor.port}"


def without_common_suite(keys: KeyPair) -> ssl.SSLContext:
    context = server_context(TlsFiles(keys.certificate, keys.key, (keys.authority,)))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA256")
    return context


def make_fault(fault: str, keys: KeyPair, strangers: KeyPair) -> ssl.SSLContext | None:
    """The peer's side of TLS with this fault, or with none."""
    if fault == "plain":
        return None
    if fault == "no suite":
        return without_common_suite(keys)
    shown = strangers if fault == "wrong CA" else keys
    trusted = (keys.authority,) if fault == "no certificate" else ()
    return server_context(TlsFiles(shown.certificate, shown.key, trusted))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("expired", "the certificate of the other side has expired"),
        ("wrong CA", "is of a CA that this side does not trust"),
        ("no suite", "no cipher suite in common"),
        ("plain", "speaks DICOM in the clear on this port, and no TLS"),
        ("no certificate", "the other side requires a certificate, and this side showed none"),
        ("", "TLS works with the settings of this side"),
    ],
)
def test_check_explains_a_failed_handshake(
    tmp_path: Path, keys: KeyPair, strangers: KeyPair, fault: str, said: str
) -> None:
    long_ago = datetime(2001, 1, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC)
    old = key_pair(tmp_path, "old", valid=long_ago) if fault == "expired" else keys
    with listening(make_fault(fault, old, strangers)) as peer:
        done = openmodality("conformance", "check", peer, "--tls", "--tls-ca", old.authority, "--json")
    found = json.loads(done.out)
    texts = [each["text"] for each in found["items"] if each["area"] == "TLS"]
    assert said in texts[0]
    assert done.status == (1 if fault else 0)
    assert bool(found["sop_classes"]) == (not fault)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["print", "--profile", "xx"], "there is no profile 'xx': use mr, rf"),
        (["print", "-c", "nowhere"], "there is no site file nowhere"),
        (["print", "--format", "pdf"], "--format"),
        (["diff", "site.toml", "site.toml"], "is no JSON"),
        (["diff", "nowhere.json", "site.toml"], "file 'nowhere.json' does not exist"),
        (["check"], "PEER is missing"),
        (["check", "nobody", "-c", "site.toml"], "has no peer 'nobody'"),
        (["check", "A@x:y"], "is not a peer"),
        (["check", "--compare", "site.toml"], "needs a PEER or a second statement"),
        (["check", "--compare", "site.toml", "nowhere.json"], "file 'nowhere.json' does not exist"),
        (["check", "A@127.0.0.1:9", "--compare", "site.toml"], "is no JSON"),
        (["check", "A@127.0.0.1:9", "B@127.0.0.1:9"], "one PEER is examined at a time"),
    ],
)
def test_bad_input_is_a_line(site: Path, words: list[str], message: str) -> None:
    with contextlib.chdir(site):
        done = openmodality("conformance", *words)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
