"""Names of files on a medium, and paths that lead out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.media.file_ids import FileIdSource, find_file, is_file_id


@pytest.mark.parametrize(
    ("components", "allowed"),
    [
        (("DICOM", "IM000001"), True),
        (("A" * 8,) * 8, True),
        ((), False),
        (("A",) * 9, False),
        (("ABCDEFGHI",), False),
        (("image",), False),
        (("IM.DCM",), False),
        (("IM 1",), False),
    ],
)
def test_a_file_id_has_eight_components_of_allowed_characters(components: tuple[str, ...], allowed: bool) -> None:
    assert is_file_id(components) is allowed


def test_numbers_go_on_after_those_that_are_used() -> None:
    names = FileIdSource([("DICOM", "PA000003", "IM000007")])
    assert names.next_name(("DICOM",), "PA") == ("DICOM", "PA000004")
    assert names.next_name(("DICOM", "PA000003"), "IM") == ("DICOM", "PA000003", "IM000008")
    assert names.next_name(("DICOM", "PA000004"), "IM") == ("DICOM", "PA000004", "IM000001")


@pytest.mark.parametrize("name", ["IM1", "im1", "IM1.", "im1.;1"])
def test_a_file_is_found_whatever_the_system_makes_of_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "dicom").mkdir()
    (tmp_path / "dicom" / name).touch()
    assert find_file(tmp_path, ("DICOM", "IM1")) == tmp_path / "dicom" / name


@pytest.mark.parametrize("file_id", [("..", "secret"), ("a/../../secret",), ("/etc/passwd",), ("",), (".",), ("a\0b",)])
def test_a_path_out_of_the_medium_leads_nowhere(tmp_path: Path, file_id: tuple[str, ...]) -> None:
    (tmp_path / "secret").touch()
    (tmp_path / "disc").mkdir()
    assert find_file(tmp_path / "disc", file_id) is None


def test_a_link_out_of_the_medium_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    (tmp_path / "disc").mkdir()
    (tmp_path / "disc" / "IM1").symlink_to(tmp_path / "secret")
    (tmp_path / "disc" / "IM2").symlink_to(tmp_path / "disc" / "IM3")
    (tmp_path / "disc" / "IM3").touch()
    assert find_file(tmp_path / "disc", ("IM1",)) is None
    assert find_file(tmp_path / "disc", ("IM2",)) == tmp_path / "disc" / "IM3"
