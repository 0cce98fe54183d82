"""The parameters of R/F Table 4.4-2 as the statement has them: key, least and greatest value, default."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet


def parameter(key: str, least: int, most: int, default: object, *ids: str) -> ParameterSet:
    return pytest.param(key, least, most, default, id=key, marks=pytest.mark.requirement(*ids))


PARAMETER_RANGES = [
    parameter("general.max_pdu_receive_bytes", 1, 999_999, 32_768, "RF-4.4.2-02"),
    parameter("general.max_pdu_send_bytes", 1, 999_999, 32_768, "RF-4.4.2-02"),
    parameter("general.association_timeout_s", 1, 999_999, 30, "RF-4.4.2-03"),
    parameter("general.release_timeout_s", 1, 999_999, 30, "RF-4.4.2-04"),
    parameter("general.connect_timeout_s", 1, 999_999, 30, "RF-4.4.2-05"),
    parameter("general.dimse_timeout_s", 1, 999_999, 30, "RF-4.4.2-06"),
    parameter("general.network_timeout_s", 1, 999_999, 30, "RF-4.4.2-07"),
    parameter("storage.response_timeout_s", 15, 300, 180, "RF-4.4.2-08"),
    parameter("storage.retries", 0, 100, 10, "RF-4.4.2-09"),
    parameter("storage.retry_delay_min", 0, 1000, 5, "RF-4.4.2-10"),
    parameter("storage_commitment.response_timeout_s", 0, 600, 180, "RF-4.4.2-13"),
    parameter("storage_commitment.retries", 0, 1000, 5, "RF-4.4.2-14"),
    parameter("storage_commitment.notification_timeout_h", 0, 24, 0, "RF-4.4.2-16"),
    parameter("worklist.response_timeout_s", 0, 600, 30, "RF-4.4.2-22"),
    parameter("mpps.create_response_timeout_s", 0, 600, 180, "RF-4.4.2-26"),
    parameter("mpps.set_response_timeout_s", 0, 600, 180, "RF-4.4.2-27"),
]
PRINT_RANGES = [
    parameter("print.get_response_timeout_s", 15, 300, 180, "RF-4.4.2-30"),
    parameter("print.create_response_timeout_s", 15, 300, 180, "RF-4.4.2-30"),
    parameter("print.set_response_timeout_s", 15, 300, 180, "RF-4.4.2-30"),
    parameter("print.action_response_timeout_s", 15, 300, 180, "RF-4.4.2-30"),
]
