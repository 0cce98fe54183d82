"""Putting instances on a medium: patients, capacity, splits, pages; and what is left when it fails."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from openmodality.activities.media import MediumRequest, create_medium, update_medium
from openmodality.errors import UsageError
from openmodality.media.application_profile import USB, ApplicationProfile
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_set import FileSetOptions, WritingCancelled
from openmodality.media.pdi.pages import DiscWords
from tests.peers import objects

WORDS = DiscWords("Hospital", "MR", "2026-11-29", "OpenModality")
OPTIONS = FileSetOptions(USB, ("1.2.3", "TEST"), durable=False)
SMALL = ApplicationProfile("SMALL", 1_200_000, activities=frozenset({"create", "query"}))


def request(tmp_path: Path, paths: list[Path], profile: ApplicationProfile = USB, **values: object) -> MediumRequest:
    options = dataclasses.replace(OPTIONS, profile=profile)
    return dataclasses.replace(MediumRequest(paths, tmp_path / "disc", options), **values)  # type: ignore[arg-type]


def series(tmp_path: Path, count: int = 2, **values: object) -> list[Path]:
    return objects.mr_series(tmp_path / "source", count, rows=64, columns=64, **values)


def test_a_disc_with_its_pages(tmp_path: Path) -> None:
    (disc,) = create_medium(request(tmp_path, series(tmp_path), words=WORDS))
    assert len(disc.report.written) == 2
    assert sorted(path.name for path in disc.folder.iterdir()) == [
        "DICOM", "DICOMDIR", "IHE_PDI", "INDEX.HTM", "README.TXT",
    ]  # fmt: skip


def test_two_patients_are_put_on_one_disc_only_when_told(tmp_path: Path) -> None:
    paths = [*series(tmp_path), *series(tmp_path, PatientID="OTHER")]
    with pytest.raises(UsageError) as refused:
        create_medium(request(tmp_path, paths))
    assert str(refused.value) == "these instances are of 2 patients; --several-patients puts them on one disc"
    assert not (tmp_path / "disc").exists()
    (disc,) = create_medium(request(tmp_path, paths, several_patients=True))
    assert len(disc.report.written) == 4


def test_an_update_refuses_another_patient(tmp_path: Path) -> None:
    create_medium(request(tmp_path, series(tmp_path, PatientID="")))
    with pytest.raises(UsageError):
        update_medium(request(tmp_path, series(tmp_path, PatientID="OTHER")))
    disc = update_medium(request(tmp_path, series(tmp_path, PatientID=""), words=WORDS))
    assert len(disc.report.written) == 2
    assert (disc.folder / "INDEX.HTM").exists()


def test_what_a_device_does_not_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        update_medium(request(tmp_path, [], SMALL))
    assert str(refused.value) == "this device does not update media of profile SMALL; it does create, query"


def test_more_than_a_disc_holds_is_refused_or_split_by_series(tmp_path: Path) -> None:
    groups = [series(tmp_path, 10) for _ in range(3)]  # 3 x 10 x 10 KB; a disc has room for two of them
    paths = [path for group in groups for path in group]
    with pytest.raises(UsageError) as refused:
        create_medium(request(tmp_path, paths, SMALL))
    assert "1 MB of SMALL" in str(refused.value)
    assert not (tmp_path / "disc").exists()
    discs = create_medium(request(tmp_path, paths, SMALL, split=True))
    assert [disc.folder.name for disc in discs] == ["disc-1", "disc-2", "disc-3"]
    for disc in discs:
        (patient,) = read_directory(disc.folder / "DICOMDIR").patients
        assert [len(each.children) for study in patient.children for each in study.children] == [10]


def test_a_series_that_no_disc_holds_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        create_medium(request(tmp_path, series(tmp_path, 30), SMALL, split=True))
    assert "alone is more than a disc of SMALL holds" in str(refused.value)


def test_pages_give_way_to_instances(tmp_path: Path) -> None:
    tight = ApplicationProfile("TIGHT", 1_048_576 + 7 * 2048 + 4 * 2048)
    (disc,) = create_medium(request(tmp_path, series(tmp_path, 1), tight, words=WORDS))
    assert not (disc.folder / "INDEX.HTM").exists()
    assert not (disc.folder / "IHE_PDI").exists()
    assert disc.report.notices[-1] == "there was no room for the pages; the disc holds the instances alone"


def test_a_cancelled_split_leaves_no_disc(tmp_path: Path) -> None:
    paths = [path for _ in range(3) for path in series(tmp_path, 10)]
    seen: list[int] = []

    def on_written(instances: int, length_bytes: int) -> bool:
        seen.append(instances)
        return len(seen) < 15

    stopping = request(tmp_path, paths, SMALL, split=True)
    stopping = dataclasses.replace(stopping, options=dataclasses.replace(stopping.options, on_written=on_written))
    with pytest.raises(WritingCancelled):
        create_medium(stopping)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("images_seen", [1, 3, 5])
def test_what_was_in_a_folder_before_stays_when_its_disc_is_cancelled(tmp_path: Path, images_seen: int) -> None:
    """While instances are looked at, and while their pages are drawn: a folder that is named may be a whole stick."""
    names = ["DICOM/theirs.dcm", "letter.txt", "photos/1.jpg"]
    for name in names:
        (tmp_path / "disc" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "disc" / name).write_text("theirs")
    asked = iter([True] * images_seen)
    with pytest.raises(WritingCancelled):
        create_medium(request(tmp_path, series(tmp_path, 4), words=WORDS, goes_on=lambda: next(asked, False)))
    left = sorted(path.relative_to(tmp_path / "disc").as_posix() for path in (tmp_path / "disc").rglob("*.*"))
    assert left == names


def test_a_disc_that_cannot_have_its_pages_leaves_no_folder(tmp_path: Path) -> None:
    asked = iter([True] * 3)
    with pytest.raises(WritingCancelled):
        create_medium(request(tmp_path, series(tmp_path), words=WORDS, goes_on=lambda: next(asked, False)))
    assert not (tmp_path / "disc").exists()


def test_files_that_are_none_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no DICOM")
    (disc,) = create_medium(request(tmp_path, [tmp_path / "text", tmp_path / "gone", *series(tmp_path)]))
    assert [left.path.name for left in disc.report.left_out] == ["text", "gone"]
    assert len(disc.report.written) == 2
