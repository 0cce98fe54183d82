"""Site files: what a device becomes at a site, and what is said about a wrong one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from openmodality.device.paths import parse_path
from openmodality.device.profile.profile_file import find_sop_class_uid
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError

US = Path(__file__).parents[3] / "data" / "profiles" / "us"

MINIMAL = 'profile = "mr"\n'

HOSPITAL = """\
profile = "rf"

[device]
station_name = "XR3"
description = "Remote-controlled table, room 3"
alias = "xr3"
character_sets = ["", "GB18030", "ISO_IR 192"]

[network]
host_name = "xr3.example.org"
bind_address = "192.0.2.3"

[application_entities.storage]
ae_title = "XR3_STORE"

[application_entities.storage_commitment]
port = 104

[parameters.general]
connect_timeout_s = 7

[parameters.storage]
retries = 0

[parameters.kits]
mpps = false

[peers.archive]
ae_title = "ARCHIVE"
host = "pacs.example.org"
port = 104
alias = "PACS"
description = "the archive"
services = ["storage", "storage_commitment", "query_retrieve"]
sop_classes = [
    "XRayRadiofluoroscopicImageStorage",
    "1.2.840.10008.1.20.1",
    "StudyRootQueryRetrieveInformationModelFind",
]
calling_ae_title = "XR3"
automatic_commitment = true

[peers.archive.statuses]
"0111" = "success"
"A7xx" = "failure"
"A702" = "retry"

[peers.archive.parameters.storage]
transfer_syntaxes = ["ImplicitVRLittleEndian", "ExplicitVRLittleEndian"]

[peers.ris]
ae_title = "RIS"
host = "pacs.example.org"
port = 104
services = ["worklist"]
incoming = []
transfer_syntaxes = ["ImplicitVRLittleEndian"]
assumed_character_set = "ISO_IR 100"

[peers.ris.worklist_keys]
"ScheduledProcedureStepSequence>ScheduledStationAETitle" = "return"
PatientSize = "omit"

[[mapping]]
worklist = "RequestedProcedureComments"
image = "StudyDescription"

[[mapping]]
image = "PatientComments"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return load_site(write(tmp_path, HOSPITAL))


def test_a_minimal_file_has_all_defaults(tmp_path: Path) -> None:
    site = load_site(write(tmp_path, MINIMAL))
    assert site.profile.name == "mr"
    assert site.application_entities["device"].ae_title == "OM_MR"
    assert site.data_folder == tmp_path / "data"
    assert site.settings.data.durability == "fsync"
    assert site.equipment.model == "MR imaging system"
    assert not site.parameters.boolean("behaviour.accept_unknown_verification")
    assert site.character_sets[0] == ("ISO_IR 100",)
    assert site.peers == {}


def test_remote_aes_are_configured(site: Site) -> None:
    archive = site.peer("archive")
    assert (archive.ae_title, archive.host, archive.port) == ("ARCHIVE", "pacs.example.org", 104)
    assert (archive.settings.alias, archive.settings.description) == ("PACS", "the archive")
    assert [peer.name for peer in site.find_titled_peers("RIS  ")] == ["ris"]
    assert [peer.name for peer in site.peers_for("retrieve")] == ["archive"]
    with pytest.raises(ConfigurationError, match="has no peer 'pacs'; its peers are: archive, ris"):
        site.peer("pacs")


def test_local_ae_titles_ports_and_names_are_configured(site: Site) -> None:
    assert site.application_entities["storage"].ae_title == "XR3_STORE"
    assert site.application_entities["storage_commitment"].port == 104
    assert site.application_entities["storage_scp"].port == 11105
    assert (site.settings.network.host_name, site.settings.network.bind_address) == ("xr3.example.org", "192.0.2.3")
    assert (site.settings.device.alias, site.settings.device.description[:6]) == ("xr3", "Remote")
    assert site.equipment.station_name == "XR3"


def test_parameters_of_the_file_go_over_those_of_the_profile(site: Site) -> None:
    assert site.parameters.number("general.connect_timeout_s") == 7.0
    assert site.parameters.integer("storage.retries") == 0
    assert site.parameters.integer("general.release_timeout_s") == 30
    archive, ris = site.peer("archive"), site.peer("ris")
    assert archive.transfer_syntaxes_for("storage") == (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
    assert ris.transfer_syntaxes_for("storage") == (ImplicitVRLittleEndian,)
    assert ris.parameters.uids("storage.transfer_syntaxes") == (ExplicitVRLittleEndian,)


def test_parameters_are_read_by_kind(site: Site) -> None:
    assert site.parameters.text("worklist.modality") == "RF"
    assert "10INX12IN" in site.parameters.texts("print.film_sizes")
    for read in (site.parameters.boolean, site.parameters.text, site.parameters.texts):
        with pytest.raises(ConfigurationError, match=r"parameter storage\.retries is not"):
            read("storage.retries")
    for count in (site.parameters.integer, site.parameters.number):
        with pytest.raises(ConfigurationError, match=r"parameter kits\.dap is not"):
            count("kits.dap")
    with pytest.raises(ConfigurationError, match=r"no parameter scan\.depth"):
        site.parameters.integer("scan.depth")


def test_services_and_sop_classes_are_chosen_per_peer(site: Site) -> None:
    archive, ris = site.peer("archive"), site.peer("ris")
    assert [entry.sop_class_uid.name for entry in site.list_proposed("storage", archive)] == [
        "X-Ray Radiofluoroscopic Image Storage"
    ]
    assert len(site.list_proposed("storage")) == 5
    assert site.list_proposed("retrieve", archive) == ()
    assert archive.offers("query")
    assert not ris.offers("storage")
    assert archive.incoming == {"verification", "storage", "storage_commitment"}
    assert ris.incoming == {"verification"}
    assert archive.may_ask("storage")
    assert not ris.may_ask("storage_commitment")


def test_accepted_contexts_are_chosen_per_peer(tmp_path: Path) -> None:
    text = (
        PEER
        + """incoming = ["storage", "query_retrieve"]
sop_classes = ["MRImageStorage", "StudyRootQueryRetrieveInformationModelFind"]
[peers.archive]
ae_title = "ARCHIVE"
host = "archive"
port = 104
services = ["storage_commitment"]
"""
    )
    site = load_site(write(tmp_path, text))

    def accepted(name: str) -> list[tuple[str, str]]:
        return [(entry.service, entry.sop_class_uid.name) for entry in site.list_accepted("device", site.peer(name))]

    assert accepted("pacs") == [
        ("verification", "Verification SOP Class"),
        ("query", "Study Root Query/Retrieve Information Model - FIND"),
        ("storage", "MR Image Storage"),
    ]
    assert accepted("archive") == [
        ("verification", "Verification SOP Class"),
        ("storage_commitment", "Storage Commitment Push Model SOP Class"),
    ]
    assert len(site.list_accepted("device")) == 10


@pytest.mark.parametrize(("model", "root"), [("study", "StudyRoot"), ("patient", "PatientRoot")])
@pytest.mark.parametrize(("color", "kind"), [("grayscale", "BasicGrayscale"), ("color", "BasicColor")])
def test_one_query_model_and_one_kind_of_print_per_peer(
    tmp_path: Path, model: str, root: str, color: str, kind: str
) -> None:
    choice = f'services = ["query_retrieve", "print"]\nquery_model = "{model}"\nprint_color = "{color}"\n'
    site = load_site(write(tmp_path, PEER + choice))
    for service, start in (("query", root), ("retrieve", root), ("print", kind)):
        entries = site.list_proposed(service, site.peer("pacs"))  # type: ignore[arg-type]
        assert [entry.sop_class_uid.keyword.startswith(start) for entry in entries] == [True]


def test_the_worklist_and_mpps_providers_are_configured(tmp_path: Path) -> None:
    own = '[application_entities.device]\nae_title = "MR1"\n'
    site = load_site(write(tmp_path, PEER + 'services = ["worklist", "mpps"]\n' + own))
    for service in ("worklist", "mpps"):
        (peer,) = site.peers_for(service)
        assert (peer.ae_title, peer.host, peer.port) == ("PACS", "pacs", 104)
        assert site.calling_ae_title(service, peer) == "MR1"


def test_the_first_peer_with_a_service_is_chosen_where_none_is_named(site: Site) -> None:
    first = site.peers_for("storage")[0]
    assert site.choose_peer("storage") is first
    assert site.choose_peer("storage", "ris") is site.peer("ris")
    with pytest.raises(ConfigurationError, match="no peer 'nobody'"):
        site.choose_peer("storage", "nobody")


def test_a_service_that_no_peer_has_is_named_as_the_site_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no peer with the service query_retrieve"):
        load_site(write(tmp_path, 'profile = "rf"\n')).choose_peer("query")


def test_calling_ae_title_is_that_of_the_ae_unless_the_peer_has_another(site: Site) -> None:
    assert site.calling_ae_title("storage", site.peer("archive")) == "XR3"
    assert site.calling_ae_title("worklist", site.peer("ris")) == "ADR_MWM_SCU"


@pytest.mark.parametrize(
    ("off", "gone"),
    [
        (["dap"], {("storage", find_sop_class_uid("XRayRadiationDoseSRStorage"))}),
        (["mpps"], {("mpps", find_sop_class_uid("ModalityPerformedProcedureStep"))}),
        (["mwm"], set()),
        (
            ["mwm", "mpps"],
            {
                ("mpps", find_sop_class_uid("ModalityPerformedProcedureStep")),
                ("worklist", find_sop_class_uid("ModalityWorklistInformationModelFind")),
            },
        ),
        (["storage_commitment"], {("storage_commitment", find_sop_class_uid("StorageCommitmentPushModel"))}),
    ],
)
def test_kits_switch_services(tmp_path: Path, off: list[str], gone: set[tuple[str, UID]]) -> None:
    def list_all(site: Site) -> set[tuple[str, UID]]:
        entries = (
            entry for entry in site.profile.presentation_contexts if not entry.accepted and site.is_enabled(entry)
        )
        return {(entry.service, entry.sop_class_uid) for entry in entries}

    full = load_site(write(tmp_path, 'profile = "rf"\n'))
    kits = "".join(f"{kit} = false\n" for kit in off)
    part = load_site(write(tmp_path, f'profile = "rf"\n[parameters.kits]\n{kits}'))
    assert list_all(full) - list_all(part) == gone
    verified = [entry.service for entry in part.list_accepted("storage_commitment")]
    assert ("verification" in verified) == ("storage_commitment" not in off)
    assert ("verification", find_sop_class_uid("Verification")) in list_all(part)


def test_a_service_the_device_does_not_use_has_no_calling_ae(tmp_path: Path) -> None:
    shutil.copytree(US, tmp_path / "us")
    site = load_site(write(tmp_path, 'profile = "us"\n'))
    assert site.calling_ae("storage").ae_title == "OM_US"
    with pytest.raises(ConfigurationError, match="profile us does not use the service mpps"):
        site.calling_ae("mpps")
    with pytest.raises(ConfigurationError, match=r"line 6: peers\.pacs\.services: profile us does not use mpps"):
        load_site(write(tmp_path, PEER.replace('"mr"', '"us"') + 'services = ["mpps"]\n'))


def test_worklist_keys_are_switched_per_peer(site: Site) -> None:
    assert site.peer("ris").worklist_keys == {
        parse_path("ScheduledProcedureStepSequence>ScheduledStationAETitle"): "return",
        parse_path("PatientSize"): "omit",
    }


def test_a_site_changes_the_mapping(site: Site) -> None:
    into = {rule.image: rule.worklist for rule in site.mapping}
    assert into[parse_path("StudyDescription")] == parse_path("RequestedProcedureComments")
    assert parse_path("PatientComments") not in into
    step = {rule.mpps: rule.worklist for rule in site.mapping}
    described = parse_path("ScheduledStepAttributesSequence>RequestedProcedureDescription")
    assert step[described] == parse_path("RequestedProcedureDescription")


def test_mr_private_attributes_and_print_are_configured(tmp_path: Path) -> None:
    text = """profile = "mr"
[parameters.behaviour]
import_private = false
export_private = true
[parameters.print]
min_density = 10
max_density = 320
medium_types = ["PAPER"]
film_sizes = ["A4"]
copies = 2
presentation_lut = true
"""
    site = load_site(write(tmp_path, text))
    assert [site.parameters.boolean(f"behaviour.{way}_private") for way in ("import", "export")] == [False, True]
    assert [site.parameters.integer(f"print.{what}") for what in ("min_density", "max_density", "copies")] == [
        10,
        320,
        2,
    ]
    assert site.parameters.texts("print.medium_types") == ("PAPER",)
    assert site.parameters.texts("print.film_sizes") == ("A4",)
    assert UID("1.2.840.10008.5.1.1.23") in [entry.sop_class_uid for entry in site.list_proposed("print")]


def test_tls_is_off_until_configured(tmp_path: Path) -> None:
    plain = load_site(write(tmp_path, HOSPITAL))
    assert not any(ae.tls for ae in plain.application_entities.values())
    assert not any(peer.tls for peer in plain.peers.values())
    for name in ("device.pem", "device.key", "ca.pem"):
        (tmp_path / name).touch()
    text = """profile = "mr"
[tls]
enabled = true
certificate = "device.pem"
private_key = "device.key"
ca_certificates = "ca.pem"
cipher_suites = ["AES128-SHA"]
[peers.old]
ae_title = "OLD"
host = "old"
port = 104
tls = false
"""
    site = load_site(write(tmp_path, text))
    assert site.application_entities["device"].tls
    assert not site.peer("old").tls
    assert site.settings.tls.require_client_certificate
    assert site.settings.tls.cipher_suites == ("AES128-SHA",)


PEER = 'profile = "mr"\n[peers.pacs]\nae_title = "PACS"\nhost = "pacs"\nport = 104\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "site.toml: profile is missing"),
        ('profile = "ct"\n', "site.toml line 1: profile: there is no profile 'ct': use mr, rf, or a folder"),
        ("profile = mr\n", "site.toml: not readable as TOML"),
        ("[device]\nprofil = 1\n", "site.toml line 2: device.profil is not a setting"),
        (PEER.replace("port = 104", "port = 0"), "line 5: peers.pacs.port: Input should be greater than or equal to 1"),
        (PEER.replace("port = 104", "prot = 104"), "line 5: peers.pacs.prot is not a setting; did you mean port?"),
        (PEER.replace("port = 104", 'port = "104"'), "line 5: peers.pacs.port: Input should be a valid integer"),
        (PEER.replace("port = 104", ""), "line 2: peers.pacs.port is missing"),
        (PEER.replace('"pacs"', '"pacs..org"'), "line 4: peers.pacs.host: 'pacs..org' is neither a host name nor"),
        (
            PEER + "max_associations = -1\n",
            "line 6: peers.pacs.max_associations: Input should be greater than or equal",
        ),
        (
            PEER.replace('"PACS"', '"PACS\\\\1"'),
            "line 3: peers.pacs.ae_title: an AE title has 1 to 16 printable ASCII characters",
        ),
        (PEER.replace("peers.pacs", 'peers."a b"'), "line 2: peers.a b: String should match pattern"),
        (PEER + 'services = ["storage", "mwl"]\n', "line 6: peers.pacs.services[1]: Input should be 'verification'"),
        (PEER + 'sop_classes = ["MRImage"]\n', "line 6: peers.pacs.sop_classes[0]: is neither the keyword nor the UID"),
        (PEER + "[peers.pacs.statuses]\na7 = 'success'\n", "line 7: peers.pacs.statuses.a7: a status is four hex"),
        (PEER + "[peers.pacs.worklist_keys]\nFoo = 'omit'\n", "line 7: peers.pacs.worklist_keys.Foo: 'Foo' is neither"),
        (
            PEER + "[peers.pacs.worklist_keys]\nRows = 'omit'\n",
            "line 7: peers.pacs.worklist_keys.Rows is no worklist key",
        ),
        (
            PEER + "[peers.pacs.parameters.storage]\nretries = 101\n",
            "line 7: peers.pacs.parameters.storage.retries: 101 is outside 0-100; 0 = forever",
        ),
        (
            PEER.replace('"mr"', '"rf"') + 'query_model = "patient"\nservices = ["query_retrieve"]\n',
            "line 7: peers.pacs.services: sop_classes, query_model and print_color leave nothing for query_retrieve",
        ),
        (
            MINIMAL + "[[mapping]]\nworklist = 'PatientID'\nimage = 'PatientSex'\n",
            "line 2: mapping[0]: (0010,0020) Pat",
        ),
        (MINIMAL + "[parameters.storage]\nretry = 1\n", "is no parameter of profile mr; did you mean storage.retries?"),
        (
            MINIMAL + '[parameters.storage]\nretries = "3"\n',
            "line 3: parameters.storage.retries: '3' is not allowed: 0-100",
        ),
        (
            MINIMAL + "[parameters.storage]\nmax_initiated_associations = 2\n",
            "line 3: parameters.storage.max_initiated_associations: 2 is outside 1-1",
        ),
        (MINIMAL + "[parameters.behaviour]\nimport_private = 1\n", "1 is not allowed: true or false"),
        (MINIMAL + '[parameters.print]\nfilm_sizes = ["B5"]\n', "'B5' is not allowed: any of 8INX10IN"),
        (
            MINIMAL + "[application_entities.scu]\nport = 1\n",
            "line 2: application_entities.scu is no role of the profile",
        ),
        (MINIMAL + "[tls]\nenabled = true\n", "line 2: tls.certificate is missing: TLS is used"),
        (
            MINIMAL + "[tls]\nenabled = true\ncertificate = 'a.pem'\n",
            "line 4: tls.certificate: there is no file",
        ),
        (MINIMAL + "[data]\ndatabase = 'hospital'\n", "line 3: data.database: a database URL looks like"),
        (MINIMAL + "[device]\nuid_root = '1.02'\n", "line 3: device.uid_root: a UID has at most 64 digits"),
        (
            MINIMAL + "[device]\ncharacter_sets = ['\\ISO_IR 100']\n",
            "device.character_sets[0]: 'ISO_IR 100' is for text without other terms",
        ),
        (MINIMAL + "[device]\ncharacter_sets = ['latin1']\n", "device.character_sets[0]: 'latin1' is no defined term"),
        (MINIMAL + "[[mapping]]\nworklist = 'PatientID'\n", "line 2: mapping[0]: a mapping needs an image path"),
        (MINIMAL + "[[mapping]]\nimage = 'PatientsID'\n", "line 3: mapping[0].image: 'PatientsID' is neither"),
        (
            'profile = "rf"\n[application_entities.storage_scp]\nport = 11104\n',
            "line 3: application_entities.storage_scp.port: port 11104 is taken by storage_commitment",
        ),
    ],
)
def test_a_mistake_is_named_with_line_key_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_site(file)
    assert said in str(caught.value)


def test_all_mistakes_of_the_settings_are_named_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, PEER.replace("104", "0") + "[data]\ndurability = 'maybe'\n")
    with pytest.raises(ConfigurationError) as caught:
        load_site(file)
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist: openmodality init makes one"):
        load_site(tmp_path / "site.toml")
    (tmp_path / "folder" / "site.toml").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_site(tmp_path / "folder")
    (tmp_path / "site.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_site(tmp_path / "site.toml")


def test_a_folder_stands_for_the_site_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(MINIMAL)
    assert load_site(tmp_path).path == tmp_path / "site.toml"
    with pytest.raises(ConfigurationError, match=r"none.* does not exist"):
        load_site(tmp_path / "none")


@pytest.mark.parametrize(
    ("setting", "is_allowed"),
    [
        ('ae_title = ""', True),
        (f'ae_title = "{"T" * 16}"', True),
        (f'ae_title = "{"T" * 17}"', False),
        (r"ae_title = 'A\\B'", False),
        ("port = 1", True),
        ("port = 65535", True),
        ("port = 0", False),
        ("port = 65536", False),
        ('port = "104"', False),
    ],
)
def test_limits_of_titles_and_ports(tmp_path: Path, setting: str, is_allowed: bool) -> None:
    file = write(tmp_path, f"{MINIMAL}[application_entities.device]\n{setting}\n")
    if is_allowed:
        assert load_site(file).application_entities["device"].ae_title
        return
    with pytest.raises(ConfigurationError, match=setting.split()[0]):
        load_site(file)
