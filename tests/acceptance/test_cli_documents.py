"""``key`` and ``present`` as they are typed: notes of images and ways to show them, in an exam of the MR device."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.acceptance.in_process import call
from tests.devices import add_image, device_in_hospital


@dataclass(frozen=True, slots=True)
class Console:
    """A device with an exam in progress that has two images."""

    site: Path
    folder: Path
    exam: int
    images: list[str]

    def ask(self, *words: object) -> tuple[int, str]:
        return call([*map(str, words), "-c", str(self.site)], self.folder)

    def items(self, *words: object) -> list[Any]:
        status, said = self.ask(*words, "--json")
        assert status == 0, said
        items: list[Any] = json.loads(said[said.index("{\n") :])["items"]
        return items


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("mr")
    with device_in_hospital(folder, "mr") as device:
        with device.modality(works=False) as modality:
            exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
            series = exam.series("T1")
            images = [add_image(series, seed, 64) for seed in (1, 2)]
        yield Console(device.site, folder, exam.id, images)


def test_a_note_is_made_and_read_back(console: Console) -> None:
    [made] = console.items(
        "key", "make", console.exam, "--instance", console.images[1], "--title", "for teaching",
        "--description", "a cyst", "--observer", "Doe^John",
    )  # fmt: skip
    [said] = console.items("key", "show", made["sop_instance_uid"])
    assert said == {
        "title": "For Teaching",
        "reasons": [],
        "description": "a cyst",
        "observer": "Doe^John",
        "sop_instance_uids": [console.images[1]],
    }
    status, text = console.ask("key", "show", made["sop_instance_uid"])
    assert (status, "For Teaching" in text, console.images[1] in text) == (0, True, True)


def test_titles_are_listed_with_their_reasons(console: Console) -> None:
    status, said = call(["key", "titles"], console.folder)
    assert status == 0
    assert "113004" in said
    assert "Reasons of 113001 Rejected for Quality Reasons, of which it takes one:" in said
    assert max(map(len, said.splitlines())) <= 80


def test_a_state_is_made_and_drawn(console: Console) -> None:
    image = console.images[0]
    [made] = console.items(
        "present", "make", console.exam, "--instance", image, "--window", "300,600", "--rotate", "90",
        "--area", "1,1,32,64", "--text", "4,4,cyst, left", "--circle", "10,10,4", "--line", "1,1,20,20,20,40",
        "--label", "TEACHING",
    )  # fmt: skip
    [drawn] = console.items("present", "show", made["sop_instance_uid"], "--output", "pictures")
    assert drawn["sop_instance_uid"] == image
    assert stat.S_IMODE((console.folder / drawn["file"]).stat().st_mode) == 0o600
    with Image.open(console.folder / drawn["file"]) as picture:
        assert picture.size == (512, 256)  # half of the columns, turned: twice as wide as high
        assert np.asarray(picture).max() == 255


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("key", "make", "{exam}"), "nothing is chosen"),
        (("key", "make", "{exam}", "--instance", "1.2.3"), "the local database has nothing with SOPInstanceUID 1.2.3"),
        (("key", "make", "{exam}", "--instance", "{image}", "--title", "Fun"), "'Fun' is no title of a key object"),
        (("key", "make", "99", "--instance", "{image}"), "there is no exam 99"),
        (("key", "show", "{image}"), "is no key object document"),
        (("key", "show", "1.2.3"), "there is no instance 1.2.3"),
        (("present", "make", "{exam}", "--instance", "{image}", "--window", "wide"), "'wide' is no value for --window"),
        (("present", "make", "{exam}", "--instance", "{image}", "--line", "1,2"), "'1,2' is no line"),
        (("present", "make", "{exam}", "--instance", "{image}", "--text", "1,2"), "a text has 1 to 1024 characters"),
        (("present", "make", "{exam}", "--instance", "{image}", "--magnify", "2", "--true-size"), "exclude each other"),
        (("present", "show", "{image}"), "is no grayscale presentation state"),
        (("present", "show", "1.2.3"), "the local database has no instance 1.2.3"),
    ],
)
def test_what_cannot_be_done_is_one_line(console: Console, words: tuple[str, ...], said: str) -> None:
    status, printed = console.ask(*(word.format(exam=console.exam, image=console.images[0]) for word in words))
    assert status in (1, 2)
    assert said in " ".join(printed.split())
    assert "Traceback" not in printed
