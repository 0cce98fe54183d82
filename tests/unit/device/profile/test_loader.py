"""Profiles: the two that come along, a third one that is only data, and what is said about a wrong one."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from openmodality.device.paths import parse_path
from openmodality.device.profile.loader import list_profile_names, load_profile
from openmodality.device.profile.profile import Profile
from openmodality.errors import ConfigurationError
from openmodality.upper_layer.rejections import STANDARD_REJECTIONS

REJECTIONS = Path(__file__).parents[3] / "data" / "spec" / "rf" / "association_rejections.csv"
US = Path(__file__).parents[3] / "data" / "profiles" / "us"


@pytest.fixture(scope="module")
def mr() -> Profile:
    return load_profile("mr")


@pytest.fixture(scope="module")
def rf() -> Profile:
    return load_profile("rf")


@pytest.fixture
def us(tmp_path: Path) -> Path:
    return Path(shutil.copytree(US, tmp_path / "us"))


def test_mr_and_rf_come_along() -> None:
    assert list_profile_names() == ("mr", "rf")


def test_objects_have_the_rules_of_the_modules_they_write(rf: Profile) -> None:
    modules = {rule.module for rule in rf.rules_of("XA Image")}
    assert {"Patient", "X-Ray Image", "XA Positioner"} <= modules
    assert not modules & {"XRF Positioner", "Contrast/Bolus", "SC Image"}


@pytest.mark.parametrize(
    ("name", "modality"),
    [("XA Image", ("XA", "RF")), ("RF Image", ("XA", "RF")), ("CR Image", ("CR",)), ("SC Image", ("OT",))],
)
def test_rf_modality_follows_the_object(rf: Profile, name: str, modality: tuple[str, ...]) -> None:
    rules = [rule for rule in rf.rules_of(name) if rule.path == parse_path("Modality")]
    assert rules
    assert {rule.values for rule in rules} == {modality}


def test_private_elements_are_known_to_mr_only(mr: Profile, rf: Profile) -> None:
    assert {item.creator for item in mr.private_attributes} == {"MMCPrivate"}
    assert len(mr.private_attributes) == 329
    assert rf.private_attributes == ()


def test_the_rules_of_an_operation_are_found_by_their_codes(rf: Profile) -> None:
    received = rf.statuses_of("storage", "C-STORE")
    assert (received["A7xx"].transient, received["A7xx"].abort) == (True, True)
    assert received["*"].effect == "fail"
    assert rf.statuses_of("storage", "N-GET") == {}


def test_statuses_of_a_profile_are_put_over_those_of_base(mr: Profile, rf: Profile) -> None:
    assert mr.statuses_of("mpps", "N-CREATE")["0213"].transient
    assert "0213" not in rf.statuses_of("mpps", "N-CREATE")
    assert {**mr.statuses_of("mpps", "N-CREATE"), "0213": None} == {**rf.statuses_of("mpps", "N-CREATE"), "0213": None}


def test_rejections_are_those_of_the_statement(mr: Profile, rf: Profile) -> None:
    with REJECTIONS.open(encoding="utf-8") as file:
        printed = {tuple(int(row[name]) for name in ("result", "source", "reason")) for row in csv.DictReader(file)}
    assert {(each.result, each.source, each.reason) for each in rf.rejections.values()} == printed
    assert (rf.rejections["calling_ae_title"].source, rf.rejections["calling_ae_title"].reason) == (1, 3)
    assert mr.rejections == rf.rejections == STANDARD_REJECTIONS


def test_a_third_device_needs_no_code() -> None:
    profile = load_profile(US)
    assert profile.parameters["worklist.modality"].default == "US"
    assert profile.parameters["storage.retries"].default == 10
    assert profile.parameters["scan.depth_mm"].check(200) == 200
    assert [rule.keyword for rule in profile.rules_of("US Image")] == ["PatientName", "PhotometricInterpretation"]
    assert [entity.port for entity in profile.application_entities if entity.role == "scanner"] == [11120]
    assert profile.query_keys == ()
    assert "0000" in profile.statuses_of("storage", "C-STORE")


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="there is no profile 'ct': use mr, rf, or a folder"):
        load_profile("ct")
    with pytest.raises(ConfigurationError, match="there is no profile"):
        load_profile("a\0b")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "parameters.csv",
            "number,10,300,160",
            "number,10,300,0",
            "parameters.csv line 3: default 0.0 is outside 10-300 mm",
        ),
        ("parameters.csv", "scan.depth_mm", "worklist.modality", "key worklist.modality stands there twice"),
        ("parameters.csv", "scan.depth_mm", "Depth", "line 3: key 'Depth' is not group.name"),
        ("parameters.csv", "number,10", "number,nan", "line 3: minimum and maximum must be finite numbers"),
        ("parameters.csv", "number,", "length,", "line 3: kind 'length' is not one of 'integer', 'number'"),
        ("parameters.csv", "unit", "units", "parameters.csv line 1: the columns must be key,description"),
        ("parameters.csv", ",mm,", ",", "line 3: 9 cells, but the table has 10 columns"),
        ("presentation_contexts.csv", "1.2.840.10008.5.1.4.31", "1.2.3", "line 4: sop_class_uid '1.2.3' is not a UID"),
        ("presentation_contexts.csv", "scanner,storage", "probe,storage", "ae 'probe' is not a role: scanner"),
        (
            "presentation_contexts.csv",
            "1.2.840.10008.1.2,no,\nscanner,worklist",
            "1.2.840.10008.1.2,no,kits.us\nscanner,worklist",
            "enabled_by 'kits.us' is not a parameter of kind boolean",
        ),
        (
            "worklist_keys.csv",
            "PatientName",
            "PatientsName",
            "line 4: keyword 'PatientsName' does not belong to (0010,0010)",
        ),
        ("worklist_keys.csv", "PN,U", "LO,U", "line 4: vr 'LO' of (0010,0010) PatientName is PN in PS3.6"),
        (
            "worklist_keys.csv",
            "0040,0100>0008",
            "0010,0010>0008",
            "line 3: path: (0010,0010) PatientName is no sequence",
        ),
        ("worklist_keys.csv", "0010,0020", "0010,FFFF", "line 5: path: (0010,FFFF) is no attribute of PS3.6"),
        ("worklist_keys.csv", 'S,R,yes,yes\n"0010,0010', 'X,R,yes,yes\n"0010,0010', "matching 'X'"),
        ("iods.csv", "US Image,Image", "CT Image,Image", "object 'CT Image' is not among the objects"),
        ("attributes.csv", "MONOCHROME2|RGB", "", "line 3: values must hold"),
        ("attributes.csv", "RGB,,", "RGB,,on Mondays", "line 3: condition 'on Mondays' cannot be read: write"),
        ("attributes.csv", "MWL USER", "RIS", "line 2: sources 'RIS' is not one of MWL, USER"),
        (
            "profile.toml",
            'ae_title = "OM_US"',
            'ae_title = ""',
            "profile.toml line 11: application_entities[0].ae_title",
        ),
        (
            "profile.toml",
            "UltrasoundImageStorage",
            "Ultrasound",
            "line 16: objects[0].sop_class: is neither the keyword",
        ),
        ("profile.toml", "title =", "titel =", "profile.toml line 3: titel is not a setting; did you mean title?"),
        ("profile.toml", "[[objects]]", "[[objects", "profile.toml: not readable as TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(us: Path, file: str, old: str, new: str, said: str) -> None:
    text = (us / file).read_text()
    assert old in text
    (us / file).write_text(text.replace(old, new))
    with pytest.raises(ConfigurationError) as caught:
        load_profile(us)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["iods.csv", "profile.toml"])
def test_a_file_that_is_no_text_is_named(us: Path, name: str) -> None:
    (us / name).write_bytes(b"a\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=rf"{name}: not UTF-8 at byte 1"):
        load_profile(us)


@pytest.mark.parametrize("name", ["profile.toml", "iods.csv"])
def test_a_file_that_cannot_be_read_is_named(us: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def refuse(path: Path, *_: object, **__: object) -> bytes:
        raise OSError(5, "Input/output error") if path.name == name else AssertionError(path)

    read_text, read_bytes = Path.read_text, Path.read_bytes
    monkeypatch.setattr(
        Path, "read_text", lambda path, **how: (refuse if path.name == name else read_text)(path, **how)
    )
    monkeypatch.setattr(Path, "read_bytes", lambda path: (refuse if path.name == name else read_bytes)(path))
    with pytest.raises(ConfigurationError, match=rf"{name}: cannot be read: Input/output error"):
        load_profile(us)


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_lines_of_tables_end_as_on_any_system(us: Path, ending: bytes) -> None:
    before = load_profile(us)
    for file in us.glob("*.csv"):
        file.write_bytes(file.read_bytes().replace(b"\n", ending))
    assert load_profile(us).objects == before.objects


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("busy,2,3,7", "line 2: reason 7 is not one of source 3"),
        ("lazy,2,3,1", "line 2: situation 'lazy' is not one of"),
        ("busy,3,3,1", "line 2: result 3 is outside 1-2"),
    ],
)
def test_a_rejection_has_numbers_of_the_standard(us: Path, row: str, said: str) -> None:
    (us / "rejections.csv").write_text(f"situation,result,source,reason\n{row}\n")
    with pytest.raises(ConfigurationError, match=said):
        load_profile(us)


@pytest.mark.parametrize("terms", ['["GB18030"]', "['ISO_IR 100\\ISO 2022 IR 87']"])
def test_the_character_sets_of_a_profile_are_of_its_table(us: Path, terms: str) -> None:
    (us / "charsets.csv").write_text("term,code_extensions\n,no\nISO_IR 100,no\nISO 2022 IR 87,yes\n")
    header = (us / "profile.toml").read_text()
    (us / "profile.toml").write_text(re.sub("character_sets = .*", lambda _: f"character_sets = {terms}", header))
    with pytest.raises(ConfigurationError, match=r"profile\.toml: character_sets: '.*' is not so in charsets\.csv"):
        load_profile(us)


def test_a_missing_rejection_is_named(us: Path) -> None:
    (us / "rejections.csv").write_text("situation,result,source,reason\nbusy,2,3,1\n")
    with pytest.raises(ConfigurationError, match="situation limit_reached is missing"):
        load_profile(us)


def test_attributes_that_need_a_character_set_are_paths(rf: Profile) -> None:
    assert parse_path("PatientName") in rf.charset_attributes


def test_a_device_may_take_one_transfer_syntax_and_not_none(us: Path) -> None:
    file = us / "profile.toml"
    text = file.read_text("utf-8")
    for line, is_right in (('["ExplicitVRLittleEndian"]', True), ("[]", False)):
        file.write_text(text.replace("title =", f"acceptor_transfer_syntaxes = {line}\ntitle =", 1), "utf-8")
        if is_right:
            assert len(load_profile(us).acceptor_transfer_syntaxes) == 1
        else:
            with pytest.raises(ConfigurationError, match="acceptor_transfer_syntaxes"):
                load_profile(us)
