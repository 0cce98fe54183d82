"""What the command line asks an archive, a program asks it through :class:`Modality`."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality import Modality
from openmodality.activities.retrieve import Wanted
from openmodality.errors import UsageError
from openmodality.query.moving import Counts
from tests.acceptance.hospital_site import in_hospital
from tests.acceptance.in_process import call
from tests.peers.objects import mr_series


def test_echo_query_and_retrieve(tmp_path: Path) -> None:
    files = mr_series(tmp_path / "images", 3, PatientName="Query^Quirin", PatientID="Q-1")
    study = str(dcmread(files[0]).StudyInstanceUID)
    series = str(dcmread(files[0]).SeriesInstanceUID)
    with in_hospital(tmp_path) as place:
        assert call(["send", str(place.hospital.pacs_peer), str(tmp_path / "images")], tmp_path)[0] == 0
        with Modality(place.site, works=False) as modality:
            assert (modality.echo("pacs"), modality.verify("pacs").is_success) == (0, True)
            assert [each.StudyInstanceUID for each in modality.query(PatientID="Q-1").items] == [study]
            (found,) = modality.query("SERIES", "pacs", StudyInstanceUID=study).items
            assert found.SeriesInstanceUID == series
            with pytest.raises(UsageError, match="Patience"):
                modality.query(Patience="1")
            told: list[Counts] = []

            def go_on(counts: Counts) -> bool:
                told.append(counts)
                return True

            result = modality.retrieve(Wanted(study, series), go_on=go_on)
            assert (result.verdict.effect, result.counts.completed, told[-1].completed) == ("succeed", 3, 3)
            assert modality.wait_until(lambda: len(modality.instances(StudyInstanceUID=study)) == 3, 30)
            unknown = modality.retrieve(study, destination="STRANGER")
            assert (unknown.verdict.effect, unknown.status) == ("fail", 0xA801)
