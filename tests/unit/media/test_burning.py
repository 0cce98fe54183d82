"""The command that writes a disc, and the disc read back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from openmodality.errors import ConfigurationError, StoreError, UsageError
from openmodality.media.burning import burn_image, make_burn_command, verify_disc


def test_places_are_filled_word_by_word() -> None:
    words = make_burn_command("writer dev={device} '{image}'", Path("a b.iso"), "/dev/sr0")
    assert words == ["writer", "dev=/dev/sr0", "a b.iso"]


@pytest.mark.parametrize("template", ["", "writer {image}", "writer {device}", "writer '{image} {device}"])
def test_a_command_that_cannot_be_is_refused(template: str) -> None:
    with pytest.raises(ConfigurationError):
        make_burn_command(template, Path("x.iso"), "/dev/sr0")


@pytest.mark.parametrize(
    ("template", "error", "words"),
    [
        ("/no/such/program {image} {device}", ConfigurationError, "is not installed"),
        ("false {image} {device}", StoreError, "ended with status 1: no word"),
        ("sh -c 'echo broken drive >&2; exit 3' {image} {device}", StoreError, "status 3: broken drive"),
        ("true {image} {device}", StoreError, "cannot be read back"),
    ],
)
def test_a_program_that_fails_is_named(tmp_path: Path, template: str, error: type[Exception], words: str) -> None:
    (tmp_path / "x.iso").write_bytes(b"image")
    with pytest.raises(error) as raised:
        burn_image(template, tmp_path / "x.iso", str(tmp_path / "drive"))
    assert words in str(raised.value)


def test_a_program_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    looks: list[int] = []

    def check() -> None:
        looks.append(1)
        if len(looks) > 1:
            raise UsageError("enough")

    started = time.monotonic()
    with pytest.raises(UsageError, match="enough"):
        burn_image("sh -c 'trap : TERM; sleep 60; sleep 60' {image} {device}", tmp_path / "x.iso", "drive", check)
    assert time.monotonic() - started < 30


def test_a_disc_may_be_longer_than_its_image_but_not_other(tmp_path: Path) -> None:
    image, drive = tmp_path / "x.iso", tmp_path / "drive"
    image.write_bytes(b"image")
    drive.write_bytes(b"image and what a drive adds")
    verify_disc(image, str(drive))
    drive.write_bytes(b"imagX")
    with pytest.raises(StoreError) as raised:
        verify_disc(image, str(drive))
    assert "differs from the image" in str(raised.value)
