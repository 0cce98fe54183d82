"""Accumulated dose (TID 10002), in both kinds of units."""

from __future__ import annotations

import pytest

from openmodality.objects.irradiation.totals import accumulate
from tests.content_tree import find_items, read_number
from tests.made_objects import irradiation_events, report


def test_totals_are_the_sums_of_the_events() -> None:
    data_set = report(None)
    (accumulated,) = find_items(data_set, "113702")
    events = find_items(data_set, "113706")
    for total, single in (("113722", "122130"), ("113725", "113738")):
        assert read_number(accumulated, total)[0] == pytest.approx(
            sum(read_number(event, single)[0] for event in events), rel=1e-6
        )
    assert read_number(accumulated, "113722")[0] == pytest.approx(
        read_number(accumulated, "113726")[0] + read_number(accumulated, "113727")[0], rel=1e-6
    )
    value, unit = read_number(accumulated, "113730")
    assert value == pytest.approx(3.2)
    assert unit == "s"


def test_sums_are_in_the_units_of_the_standard() -> None:
    (accumulated,) = find_items(report(None), "113702")
    expected = accumulate(irradiation_events()).total
    value, unit = read_number(accumulated, "113722")
    assert value == expected.dose_area_product_gy_m2
    assert unit == "Gy.m2"
    value, unit = read_number(accumulated, "113725")
    assert value == expected.dose_rp_gy
    assert unit == "Gy"


def test_units_of_the_statement() -> None:
    data_set = report(None, units="statement")
    (accumulated,) = find_items(data_set, "113702")
    expected = accumulate(irradiation_events()).total
    value, unit = read_number(accumulated, "113722")
    assert value == pytest.approx((expected.dose_area_product_gy_m2 or 0) * 1e5, rel=1e-11)
    assert unit == "dGy.cm2"
    value, unit = read_number(accumulated, "113725")
    assert value == pytest.approx((expected.dose_rp_gy or 0) * 1e3, rel=1e-11)
    assert unit == "mGy"
    assert {read_number(event, "122130")[1] for event in find_items(data_set, "113706")} == {"dGy.cm2"}
