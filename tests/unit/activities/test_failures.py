"""A communication failure is judged by the table of the profile (R/F Tables 4.2-8, 4.2-17, 4.2-38)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from openmodality.activities.failures import JudgedExecutor
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import (
    AssociationAborted,
    NoPresentationContext,
    OpenModalityError,
    PeerTimeout,
    TransportError,
)
from openmodality.jobs.outcome import Done, JobOutcome, Retry

TIMEOUT = PeerTimeout("no answer", waiting_for="N-ACTION-RSP")
ABORTED = AssociationAborted("aborted by the peer", source=0, reason=0)
OWN = "service,failure,transient\nmpps,timeout,no\nmpps,aborted,yes\n"


@dataclass
class Failing:
    """An executor that ends with an error."""

    error: OpenModalityError | None

    def run(self, job: Any, report: Any) -> JobOutcome:
        if self.error is not None:
            raise self.error
        return Done()


def run(site: Site, error: OpenModalityError | None) -> JobOutcome:
    return JudgedExecutor(Failing(error), site, "mpps").run(cast("Any", None), cast("Any", None))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "site.toml").write_text('profile = "rf"\n')
    return load_site(tmp_path / "site.toml")


@pytest.mark.parametrize(
    ("error", "is_away"), [(TIMEOUT, False), (ABORTED, False), (TransportError("connection reset"), True)]
)
def test_what_the_peer_or_the_network_did_is_tried_again(site: Site, error: OpenModalityError, is_away: bool) -> None:
    assert run(site, error) == Retry(error.message, transient=True, peer_away=is_away)


def test_the_failure_comes_with_what_to_do_about_it(site: Site) -> None:
    error = TransportError("cannot connect", advice="check that the peer is running")
    assert run(site, error) == Retry("cannot connect; check that the peer is running", transient=True, peer_away=True)


def test_a_device_may_take_a_time_out_for_final(tmp_path: Path) -> None:
    packaged = Path(__file__).parents[3] / "src" / "openmodality" / "profiles" / "rf"
    shutil.copytree(packaged, tmp_path / "device")
    (tmp_path / "device" / "failures.csv").write_text(OWN)
    (tmp_path / "site.toml").write_text('profile = "device"\n')
    own = load_site(tmp_path / "site.toml")
    assert run(own, TIMEOUT) == Retry("no answer", transient=False)
    assert run(own, ABORTED) == Retry("aborted by the peer", transient=True)


@pytest.mark.parametrize("error", [NoPresentationContext("none was accepted"), TIMEOUT])
def test_what_the_table_does_not_list_goes_through(site: Site, error: OpenModalityError) -> None:
    silent = replace(site, profile=replace(site.profile, failures=()))
    with pytest.raises(type(error)):
        run(silent, error)


def test_a_job_that_succeeds_is_left_alone(site: Site) -> None:
    assert run(site, None) == Done()


def test_the_table_is_asked_for_what_jobs_do_now_or_will(site: Site) -> None:
    assert {rule.service for rule in site.profile.failures} == {"storage", "storage_commitment", "mpps", "print"}
