"""Writes an image to a disc by a program of the system, and reads the disc back."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Final

from openmodality.errors import ConfigurationError, StoreError

_PLACES: Final = ("{device}", "{image}")
_COMPARE_BYTES: Final = 1024 * 1024
_TIMEOUT_S: Final = 4 * 3600.0
_WORDS: Final = 200


def burn_command(template: str, image: Path, device: str) -> list[str]:
    """The words of the command; ``{image}`` and ``{device}`` stand in its words.

    Raises :class:`ConfigurationError` where one of them is missing or the command cannot be split into words.
    """
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise ConfigurationError(f"the command for burning, {template!r}, cannot be read: {error}") from error
    if not words or any(place not in template for place in _PLACES):
        raise ConfigurationError(f"the command for burning, {template!r}, needs {' and '.join(_PLACES)}")
    return [word.replace("{device}", device).replace("{image}", str(image)) for word in words]


def burn_image(template: str, image: Path, device: str) -> None:
    """Write an image to a disc and compare what is there, byte for byte.

    Raises :class:`ConfigurationError` where the program is missing and :class:`StoreError` where it fails or the disc
    holds something else.
    """
    command = burn_command(template, image, device)
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{command[0]} is not installed", advice="install it, or name another command under [media] burn_command"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(f"{command[0]} did not write the disc: {type(error).__name__}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise StoreError(f"{command[0]} ended with status {done.returncode}: {(said or ['no word'])[-1][:_WORDS]}")
    verify_disc(image, device)


def verify_disc(image: Path, device: str) -> None:
    """Compare a disc with the image that was written to it. Raises :class:`StoreError` where they differ."""
    try:
        with image.open("rb") as expected, Path(device).open("rb") as found:
            place = 0
            while part := expected.read(_COMPARE_BYTES):
                if found.read(len(part)) != part:
                    raise StoreError(f"the disc in {device} differs from the image within 1 MB of byte {place}")
                place += len(part)
    except OSError as error:
        raise StoreError(f"the disc in {device} cannot be read back: {error.strerror}") from error
