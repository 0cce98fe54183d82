"""The R/F statement's configuration tables against what the profile offers."""

from __future__ import annotations

import pytest

from openmodality.device.profile.loader import load_profile

UNBOUNDED = (None, None)

TABLE_4_4_2 = [
    ("general.max_pdu_receive_bytes", (1, 999999), 32768, "bytes"),
    ("general.max_pdu_send_bytes", (1, 999999), 32768, "bytes"),
    ("general.association_timeout_s", (1, 999999), 30, "s"),
    ("general.release_timeout_s", (1, 999999), 30, "s"),
    ("general.connect_timeout_s", (1, 999999), 30, "s"),
    ("general.dimse_timeout_s", (1, 999999), 30, "s"),
    ("general.network_timeout_s", (1, 999999), 30, "s"),
    ("storage.response_timeout_s", (15, 300), 180, "s"),
    ("storage.retries", (0, 100), 10, ""),
    ("storage.retry_delay_min", (0, 1000), 5, "min"),
    ("storage.transfer_syntaxes", UNBOUNDED, ("ExplicitVRLittleEndian",), ""),
    ("storage_commitment.response_timeout_s", (0, 600), 180, "s"),
    ("storage_commitment.retries", (0, 1000), 5, ""),
    ("storage_commitment.notification_timeout_h", (0, 24), 0, "h"),
    ("storage_commitment.on_success", UNBOUNDED, "permit_delete", ""),
    ("worklist.transfer_syntaxes", UNBOUNDED, ("ExplicitVRLittleEndian",), ""),
    ("worklist.response_timeout_s", (0, 600), 30, "s"),
    ("worklist.max_items", (1, 9999), 47, ""),
    ("worklist.scheduled_station_ae_title", UNBOUNDED, "ADR_MWM_SCU", ""),
    ("worklist.modality", UNBOUNDED, "RF", ""),
    ("mpps.create_response_timeout_s", (0, 600), 180, "s"),
    ("mpps.set_response_timeout_s", (0, 600), 180, "s"),
    ("mpps.transfer_syntaxes", UNBOUNDED, ("ExplicitVRLittleEndian",), ""),
    ("print.get_response_timeout_s", (15, 300), 180, "s"),
    ("print.create_response_timeout_s", (15, 300), 180, "s"),
    ("print.set_response_timeout_s", (15, 300), 180, "s"),
    ("print.action_response_timeout_s", (15, 300), 180, "s"),
    ("print.transfer_syntaxes", UNBOUNDED, ("ExplicitVRLittleEndian",), ""),
]

NOT_CONFIGURABLE = {
    "storage.max_initiated_associations": 1,
    "storage_commitment.max_initiated_associations": 1,
    "storage_commitment.max_accepted_associations": 1,
    "storage_commitment.release_delay_s": 0,
    "worklist.max_initiated_associations": 1,
    "mpps.max_initiated_associations": 1,
    "print.max_initiated_associations": 1,
}

DEVICE_SPECIFIC = {
    "worklist.scheduled_station_ae_title", "worklist.modality", "worklist.transfer_syntaxes", "mpps.transfer_syntaxes",
}  # fmt: skip


@pytest.mark.parametrize(("key", "limits", "default", "unit"), TABLE_4_4_2)
def test_configurable_parameters_have_range_default_and_unit(
    key: str, limits: tuple[int | None, int | None], default: object, unit: str
) -> None:
    parameter = load_profile("rf").parameters[key]
    assert parameter.configurable
    assert ((parameter.minimum, parameter.maximum), parameter.default, parameter.unit) == (limits, default, unit)


@pytest.mark.parametrize("key", NOT_CONFIGURABLE)
def test_fixed_parameters_are_fixed(key: str) -> None:
    parameter = load_profile("rf").parameters[key]
    assert (parameter.configurable, parameter.default) == (False, NOT_CONFIGURABLE[key])


@pytest.mark.parametrize(
    ("key", "special"),
    [
        ("storage.retries", "0 = forever"),
        ("storage.retry_delay_min", "0 = never retry"),
        ("storage_commitment.notification_timeout_h", "0 = forever"),
    ],
)
def test_zero_has_its_printed_meaning(key: str, special: str) -> None:
    parameter = load_profile("rf").parameters[key]
    assert parameter.special == special
    assert parameter.check(0) == 0
    assert special in parameter.allowed


@pytest.mark.parametrize("key", [key for key, *_ in TABLE_4_4_2 if key not in DEVICE_SPECIFIC])
def test_mr_has_the_same_where_its_statement_is_silent(key: str) -> None:
    assert load_profile("mr").parameters[key] == load_profile("rf").parameters[key]


@pytest.mark.parametrize("key", ["worklist.transfer_syntaxes", "mpps.transfer_syntaxes"])
def test_mr_presents_all_three_transfer_syntaxes_to_a_ris(key: str) -> None:
    parameter = load_profile("mr").parameters[key]
    assert parameter.default == ("ImplicitVRLittleEndian", "ExplicitVRLittleEndian", "ExplicitVRBigEndian")


def test_mr_worklist_associations_have_their_own_pdu_length() -> None:
    assert load_profile("mr").parameters["worklist.max_pdu_receive_bytes"].default == 16384


def test_rf_default_titles_and_ports() -> None:
    entities = {
        entity.role: (entity.ae_title, entity.statement_port) for entity in load_profile("rf").application_entities
    }
    assert entities == {
        "storage": ("ADR_STORAGE_SCU", None),
        "worklist": ("ADR_MWM_SCU", None),
        "mpps": ("ADR_MPPS_SCU", None),
        "query_retrieve": ("HDR_QR_SCU", None),
        "print": ("ADR_PRINT_SCU", None),
        "dose_sr": ("ADR_SR_SCU", None),
        "verification": ("ADR_VER_SCU", None),
        "storage_commitment": ("ADR_S_COMM_SCU", 104),
        "storage_scp": ("HDR_QR_SCU", 105),
    }
