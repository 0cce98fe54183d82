from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.app.local_data import LocalData
from openmodality.errors import NotFound, UsageError
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import count
from openmodality.store.local import LocalStore
from openmodality.store.rows.deletion import NotCommitted
from tests.peers.objects import mr_image, mr_series, save


@pytest.fixture
def data(store: LocalStore) -> LocalData:
    return LocalData(store, ("1.2.3.4", "TEST"))


def test_files_and_folders_are_imported_and_counted(data: LocalData, store: LocalStore, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    paths = mr_series(folder, 2, rows=4, columns=4)
    (folder / "DICOMDIR").write_text("is no instance")
    (folder / "notes.txt").write_text("no DICOM")
    steps: list[tuple[int, int]] = []
    imported = data.import_files([folder, paths[0]], lambda done, total: steps.append((done, total)))
    assert (imported.new, imported.same, imported.different) == (2, 1, 0)
    assert (imported.refused, imported.passed_over) == ([], 1)
    assert steps == [(number, 4) for number in range(1, 5)]
    with store.read() as snapshot:
        assert count(snapshot, Level.IMAGE) == 2


def test_what_is_not_there_is_not_imported(data: LocalData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        data.import_files([tmp_path / "absent"])


def test_instances_are_named_by_a_study_a_series_or_themselves(data: LocalData, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    data.import_files([save(image, tmp_path)])
    [reference] = data.references(study=image.StudyInstanceUID)
    assert reference.SOPInstanceUID == image.SOPInstanceUID
    assert data.references(instance=image.SOPInstanceUID) == [reference]
    with pytest.raises(UsageError, match="by its UID"):
        data.references()
    with pytest.raises(NotFound, match="no such instances"):
        data.references(series="9.9")


def test_what_no_archive_keeps_is_deleted_by_force_alone(data: LocalData, store: LocalStore, tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    data.import_files([save(image, tmp_path)])
    with pytest.raises(NotCommitted):
        data.delete(Level.STUDY, image.StudyInstanceUID)
    assert data.delete(Level.STUDY, image.StudyInstanceUID, force=True).instances == 1
    with store.read() as snapshot:
        assert count(snapshot, Level.PATIENT) == 0
