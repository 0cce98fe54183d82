"""The device under TLS by its site file, as requestor and as acceptor; what it says where the two do not fit."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from openmodality import Modality
from openmodality.errors import ConfigurationError, NotTrusted, TransportError
from openmodality.jobs.job import Job
from openmodality.store.states import JobKind, JobState
from tests.devices import add_image, quick_source
from tests.interop import pynetdicom_ris
from tests.interop.certificates import KeyPair, lock_key
from tests.interop.pynetdicom_ris import Ris
from tests.interop.sites import PeerTable, for_both, write_site
from tests.peers import dcmtk, orthanc
from tests.peers.process import HOST, Address, free_port
from tests.peers.pynetdicom_ae import associated

PROFILES = pytest.mark.parametrize("profile", ["mr", "rf"])
PATIENT = {"PatientID": "P1", "PatientName": "Doe^Jane"}


@pytest.mark.needs("storescp")
@for_both(mr=["MR-10.1.1-02", "MR-10.1.1-08"])
def test_an_exam_goes_to_storescp(tmp_path: Path, profile: str, keys: KeyPair) -> None:
    with dcmtk.storescp(tmp_path / "received", *keys.dcmtk()) as archive:
        site = write_site(tmp_path, profile, [PeerTable("pacs", archive, ["verification", "storage"])], keys=keys)
        with Modality(site.path) as modality:
            assert modality.echo("pacs") == 0
            with modality.exam(patient=PATIENT) as exam:
                exam.acquire(quick_source(profile))
            assert modality.wait_until_idle(20)
            assert {job.state for job in modality.jobs.list()} == {JobState.DONE}
        assert len(archive.files()) == len(exam.instances())


@contextmanager
def secure_orthanc(folder: Path, keys: KeyPair, device: Address) -> Iterator[orthanc.Orthanc]:
    """An Orthanc that takes TLS only and reports to the device under TLS."""
    settings = {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(keys.certificate),
        "DicomTlsPrivateKey": str(keys.key),
        "DicomTlsTrustedCertificates": str(keys.authority),
        "DicomModalities": {
            "device": {"AET": device.aet, "Host": device.host, "Port": device.port, "UseDicomTls": True},
        },
    }
    with orthanc.orthanc(folder, settings=settings) as archive:
        yield archive


@pytest.mark.needs("Orthanc")
@pytest.mark.requirement("MR-11.2-06")
@PROFILES
def test_orthanc_stores_and_commits(tmp_path: Path, profile: str, keys: KeyPair) -> None:
    title = {"mr": "OM_MR", "rf": "ADR_S_COMM_SCU"}[profile]
    device = Address(title, free_port())
    with secure_orthanc(tmp_path / "orthanc", keys, device) as archive:
        services = ["verification", "storage", "storage_commitment"]
        peer = PeerTable("pacs", archive, services, {"automatic_commitment": True})
        tls = {"cipher_suites": ["ECDHE-RSA-AES256-GCM-SHA384", "TLS_AES_128_GCM_SHA256"]}
        site = write_site(tmp_path, profile, [peer], keys=keys, tls=tls, port=device.port)
        with Modality(site.path) as modality:
            modality.serve()
            with modality.exam(patient=PATIENT) as exam:
                exam.acquire(quick_source(profile))
            assert modality.wait_until_idle(20)
            assert {job.state for job in modality.jobs.list()} == {JobState.DONE}
            assert [study.committed for study in modality.studies()] == [len(exam.instances())]


@pytest.mark.requirement("MR-10.4.1-01", "MR-10.4.1-03")
def test_the_step_goes_to_pynetdicom(tmp_path: Path, keys: KeyPair) -> None:
    ris = Ris()
    with pynetdicom_ris.serving(ris, tls=keys.server()) as address:
        site = write_site(tmp_path, "rf", [PeerTable("ris", address, ["mpps"])], keys=keys)
        with Modality(site.path) as modality:
            modality.start_exam(patient=PATIENT).discontinue("110514")
            assert modality.wait_until_idle(10)
        assert [step.PerformedProcedureStepStatus for step in ris.steps.values()] == ["DISCONTINUED"]


def after_a_run(modality: Modality) -> Job:
    """The send job of an exam with one image, after it has failed."""
    with modality.exam(patient=PATIENT) as exam:
        add_image(exam.series("T1"))
    assert modality.wait_until(lambda: any(job.attempts for job in modality.jobs.list(kinds=[JobKind.SEND])), 10)
    (job,) = modality.jobs.list(kinds=[JobKind.SEND])
    return job


def send_fails(folder: Path, archive: Address, keys: KeyPair) -> Job:
    site = write_site(folder, "mr", [PeerTable("pacs", archive, ["storage"])], keys=keys)
    with Modality(site.path) as modality:
        return after_a_run(modality)


@pytest.mark.needs("storescp")
def test_the_reason_names_a_certificate_that_is_not_trusted(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    with dcmtk.storescp(tmp_path / "received", *strangers.dcmtk()) as archive:
        job = send_fails(tmp_path, archive, keys)
        assert job.state is JobState.TODO
        assert "TLS handshake with STORESCP@" in job.reason
        assert "CERTIFICATE_VERIFY_FAILED" in job.reason
        assert archive.files() == []


@pytest.mark.needs("storescp")
def test_the_reason_names_a_peer_without_tls(tmp_path: Path, keys: KeyPair) -> None:
    with dcmtk.storescp(tmp_path / "received") as archive:
        job = send_fails(tmp_path, archive, keys)
        assert job.state is JobState.TODO
        assert "TLS handshake with STORESCP@" in job.reason


@pytest.mark.needs("storescp")
def test_a_peer_that_does_not_trust_us(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    ours = KeyPair(keys.certificate, keys.key, strangers.authority)  # we trust the peer, the peer does not trust us
    with dcmtk.storescp(tmp_path / "received", *strangers.dcmtk()) as archive:
        job = send_fails(tmp_path, archive, ours)
        assert job.state is JobState.TODO
        assert "TLS" in job.reason
        assert archive.files() == []


@pytest.mark.requirement("MR-10.1.1-01", "MR-10.1.1-03", "MR-10.1.1-04")
@pytest.mark.needs("storescp", "echoscu")
def test_the_device_takes_known_certificates_only(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    peer = PeerTable("pacs", Address("PACS", free_port()), ["storage", "storage_commitment"])
    site = write_site(tmp_path, "mr", [peer], keys=keys)
    with Modality(site.path) as modality:
        modality.serve()
        assert dcmtk.scu("echoscu", site.device, *keys.dcmtk(), calling="PACS").status == 0
        assert dcmtk.scu("echoscu", site.device, *strangers.dcmtk(), calling="PACS").status != 0
        assert dcmtk.scu("echoscu", site.device, calling="PACS").status != 0


def old_server(keys: KeyPair, suites: str) -> ssl.SSLContext:
    """A server that speaks TLS 1.1 at most."""
    context = keys.server()
    context.set_ciphers(f"{suites}:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.deprecated_call():
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.mark.parametrize("suites", [[], ["ECDHE-RSA-AES256-GCM-SHA384", "AES128-SHA"]])
def test_old_peers_are_reached_where_the_site_allows_it(tmp_path: Path, keys: KeyPair, suites: list[str]) -> None:
    with pynetdicom_ris.serving(Ris(), tls=old_server(keys, "AES128-SHA")) as address:
        peers = [PeerTable("ris", address, ["verification", "mpps"])]
        modern = write_site(tmp_path / "modern", "mr", peers, keys=keys)
        with Modality(modern.path, works=False) as modality, pytest.raises(TransportError, match="TLS handshake"):
            modality.echo("ris")
        allowed = {"allow_legacy_tls": True, "cipher_suites": suites}
        legacy = write_site(tmp_path / "legacy", "mr", peers, keys=keys, tls=allowed)
        with Modality(legacy.path, works=False) as modality:
            assert modality.echo("ris") == 0


@pytest.mark.parametrize(
    ("lists", "says"),
    [
        ("hospital-none", ""),
        ("hospital", "the certificate of the other side is revoked"),
        ("hospital-old", "is not known: the revocation list of its CA is out of date"),
        ("stranger-none", "is not known: there is no revocation list of its CA"),
    ],
)
def test_revoked_certificates_are_refused(
    tmp_path: Path, keys: KeyPair, strangers: KeyPair, lists: str, says: str
) -> None:
    """In both directions; the peer has the certificate of the device, whose key is under a passphrase."""
    (tmp_path / "passphrase").write_text("secret\n", "utf-8")
    ours = KeyPair(keys.certificate, lock_key(keys, "secret"), keys.authority)
    folder = (strangers if lists.startswith("stranger") else keys).authority.parent
    tls = {"revocation_lists": str(folder / f"{lists}.crl"), "passphrase_file": "passphrase"}
    with pynetdicom_ris.serving(Ris(), tls=keys.server()) as address:
        site = write_site(tmp_path, "mr", [PeerTable("ris", address, ["verification"])], keys=ours, tls=tls)
        with Modality(site.path) as modality:
            modality.serve()
            tls_args = (keys.client(), HOST)
            if not says:
                assert modality.echo("ris") == 0
                with associated(site.device, [Verification], calling="RIS", tls_args=tls_args) as association:
                    assert association.send_c_echo().Status == 0
                return
            with pytest.raises(NotTrusted, match=says):
                modality.echo("ris")
            with (
                pytest.raises(AssertionError, match="did not accept"),
                associated(site.device, [Verification], calling="RIS", tls_args=tls_args),
            ):
                pass


def test_a_suite_that_is_not_installed_is_named_with_its_key(tmp_path: Path, keys: KeyPair) -> None:
    peers = [PeerTable("ris", Address("RIS", free_port()), ["mpps"])]
    tls = {"allow_legacy_tls": True, "cipher_suites": ["AES128-SHA", "NO-SUCH-SUITE"]}
    site = write_site(tmp_path, "mr", peers, keys=keys, tls=tls)
    with pytest.raises(ConfigurationError, match=r"site\.toml: tls\.cipher_suites: .* has no NO-SUCH-SUITE"):
        Modality(site.path)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    pacs = PeerTable("pacs", Address("PACS", 104), ["storage"])
    site = write_site(tmp_path, "mr", [pacs], keys=KeyPair(keys.certificate, strangers.key, keys.authority))
    with pytest.raises(ConfigurationError) as caught:
        Modality(site.path)
    assert str(caught.value) == (
        f"{site.path}: [tls]: {strangers.key}: is not the private key of the certificate in {keys.certificate}"
    )
