from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from tests.acceptance import command_line
from tests.acceptance.command_line import serving
from tests.acceptance.hospital_site import Place, in_hospital
from tests.acceptance.in_process import openmodality
from tests.peers.objects import mr_series


def _imported(place: Place, folder: Path, *, sent: bool = True) -> str:
    """Import a series, and store it in the archive as well; its Study Instance UID."""
    files = mr_series(folder, 2)
    assert openmodality("import", folder, "-c", place.site).status == 0
    if sent:
        assert openmodality("send", place.hospital.pacs_peer, folder).status == 0
    return str(dcmread(files[0]).StudyInstanceUID)


@pytest.mark.parametrize("served", [True, False], ids=["served", "by itself"])
def test_a_study_is_committed_by_whichever_process_works(tmp_path: Path, served: bool) -> None:
    with in_hospital(tmp_path) as place:
        study = _imported(place, tmp_path / "images")
        if served:
            with serving(place.site):
                ended = openmodality("commit", "pacs", "--study", study, "-c", place.site)
        else:
            ended = openmodality("commit", place.hospital.pacs_peer, "--study", study, "-c", place.site)
        assert (ended.status, ended.out) == (0, "pacs: 2 instances committed\n")
        (found,) = openmodality("studies", "list", "-c", place.site, "--json").items
    assert found["committed"] == 2


def test_says_why_not(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        study = _imported(place, tmp_path / "images", sent=False)
        refused = command_line.openmodality("commit", "pacs", "--study", study, "-c", place.site)
        unknown = openmodality("commit", "pacs", "--study", "1.2.3", "-c", place.site)
        stranger = openmodality("commit", "X@127.0.0.1:1", "--study", study, "-c", place.site)
        other = openmodality("commit", "ris", "--study", study, "-c", place.site)
    assert refused.status == 1
    assert refused.err.count("not committed:") == 2
    assert "has not committed everything" in refused.err
    assert "waiting for pacs to index what it was sent" in refused.err
    assert (unknown.status, stranger.status, other.status) == (1, 2, 2)
    assert "its peers are: ris, pacs" in stranger.error_line
