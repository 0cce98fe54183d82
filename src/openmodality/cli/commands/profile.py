"""``openmodality profile check``: judges a device of one's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from openmodality.app.rehearsal import VALIDATOR, is_validator_installed, make_images, validate
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import clean, say
from openmodality.cli.terminal.values import existing_folder
from openmodality.counted import format_count
from openmodality.device.profile import loader
from openmodality.device.profile.completeness import find_gaps
from openmodality.device.profile.profile import Profile
from openmodality.value_class import dataclass

_TABLES: Final = "tables"
_DEVICE: Final = "device"


@dataclass(frozen=True, slots=True)
class ProfileProblem:
    """What is wrong with an object, and who found it."""

    object_name: str
    found_by: str
    text: str

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {"object": self.object_name, "found_by": self.found_by, "problem": self.text}


def _declare_check(parser: Parser) -> None:
    parser.add_argument("profile", metavar="DIR", type=existing_folder)
    add_json(parser)


def run_check(profile: Path, as_json: bool) -> int:
    """Judge the profile in the folder DIR: its tables, and an image of each kind that a device with it makes.

    A mistake in a table is named with file, line and column. The tables are compared with the mandatory modules and
    attributes of PS3.3. Then a device with this profile makes images, whose acquisition hands over the values of the
    column "example" of attributes.csv; dciodvfy of dicom3tools judges them where it is installed. Nothing is kept and
    nobody is called.

    Exit status 0 when nothing is wrong, 1 when something is, 2 when the profile cannot be read.
    """
    with _silence_loader():
        device = loader.load_profile(profile)
        made, found = _judge_images(device, profile)
    problems = [*(ProfileProblem(gap.object_name, _TABLES, str(gap)) for gap in find_gaps(device)), *found]
    if as_json:
        validator = VALIDATOR if is_validator_installed() else None
        print_document([each.as_json() for each in problems], profile=device.name, images=made, validator=validator)
    else:
        for each in problems:
            print(clean(f"{each.object_name}: {each.text} ({each.found_by})"))
        print(clean(f"{device.title}: {format_count(made, 'image')} made, {format_count(len(problems), 'problem')}"))
        if not is_validator_installed():
            say(f"{VALIDATOR} is not installed, so no validator of others has looked (apt-get install dicom3tools)")
    return 1 if problems else 0


@contextmanager
def _silence_loader() -> Iterator[None]:
    """Keep the loader's warnings from the log for a while: they are told here, one by one."""
    log = logging.getLogger(loader.__name__)
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _judge_images(device: Profile, profile: Path) -> tuple[int, list[ProfileProblem]]:
    """How many images were made, and what is wrong with them."""
    with TemporaryDirectory(prefix="openmodality-check-") as folder:
        images = make_images(device, profile, Path(folder))
        problems = [ProfileProblem(each.object_name, _DEVICE, each.problem) for each in images if each.path is None]
        if is_validator_installed():
            judged = [(each.object_name, text) for each in images if each.path for text in validate(each.path)]
            problems += [ProfileProblem(name, VALIDATOR, text) for name, text in judged]
    return sum(each.path is not None for each in images), problems


command = Group(
    "Judge a device of your own: the folder of its profile.", {"check": CliCommand(run_check, _declare_check)}
)
