"""docs/rest.md as it is typed: curl in a shell, Python in a process, MATLAB's requests as HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
import pytest

from tests.acceptance.documents import ROOT
from tests.console_site import ConsolePlace, console_in_hospital
from tests.rest_client import RestProgram, add_program

PAGE: Final = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")
ATTRIBUTES: Final = json.dumps({
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "SliceThickness": 5,
    "RepetitionTime": 500,
    "EchoTime": 20,
    "FlipAngle": 90,
})  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("rest")) as started:
        yield started


@pytest.fixture(scope="module")
def program(place: ConsolePlace) -> RestProgram:
    return add_program(place, "examples")


def read_blocks(language: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert blocks, f"the page has no {language}"
    return "\n".join(blocks)


def make_environment(program: RestProgram) -> dict[str, str]:
    return {**os.environ, "OM_URL": program.url, "OM_TOKEN": program.token, "OM_ATTRIBUTES": ATTRIBUTES}


def check_exam(program: RestProgram, patient_id: str, state: str, images: int) -> None:
    (exam,) = [each for each in program.get("/exams")["items"] if each["patient_id"] == patient_id]
    assert exam["state"] == state
    assert sum(each["instances"] for each in program.get(f"/exams/{exam['exam']}")["series"]) == images


def test_curl_makes_two_exams(program: RestProgram, tmp_path: Path) -> None:
    volume = nibabel.Nifti1Image(np.arange(16 * 16 * 3, dtype=np.int16).reshape(16, 16, 3), np.diag([2, 2, 5, 1]))
    nibabel.save(volume, tmp_path / "head.nii.gz")
    (tmp_path / "head.json").write_text('{"EchoTime": 0.03, "RepetitionTime": 2.0, "FlipAngle": 90}', encoding="utf-8")
    script = "set -euo pipefail\n" + read_blocks("bash")
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=make_environment(program), capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    check_exam(program, "1", "COMPLETED", 1)
    check_exam(program, "3", "IN PROGRESS", 3)


def test_python_makes_an_exam(program: RestProgram, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", read_blocks("python")],
        cwd=tmp_path,
        env=make_environment(program),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stdout) == (0, "[]\n"), ran.stderr
    check_exam(program, "2", "COMPLETED", 4)


class Joined(str):
    """A string of MATLAB, to which numbers may be added."""

    __slots__ = ()

    def __add__(self, other: object) -> Joined:
        return Joined(str(self) + str(other))


class Answer:
    """A struct of MATLAB that an answer became."""

    def __init__(self, members: dict[str, Any]) -> None:
        self.__dict__.update(members)


def test_the_requests_of_matlab_make_an_exam(program: RestProgram) -> None:
    said = re.sub(r"\.\.\.\n", "", re.sub(r"%.*", "", read_blocks("matlab")))
    fields: dict[str, str] = {}

    def webwrite(url: str, data: dict[str, Any], options: dict[str, str]) -> Answer:
        headers = {options["KeyName"]: options["KeyValue"], "Content-Type": options["MediaType"]}
        return Answer(program.post(url.removeprefix(f"{program.url}/api/v1"), data, headers=headers))

    def webread(url: str, options: dict[str, str]) -> Answer:
        return Answer(program.get(url.removeprefix(f"{program.url}/api/v1")))

    def send(url: str) -> None:
        content = np.zeros((64, 64), "<u2").tobytes()
        program.post(url.removeprefix(f"{program.url}/api/v1"), content=content, headers=fields)

    def take_pairs(*values: Any) -> dict[str, Any]:
        return dict(zip(values[::2], values[1::2], strict=True))

    names: dict[str, Any] = {
        "api": Joined(f"{program.url}/api/v1"), "token": Joined(program.token), "attributes": Joined(ATTRIBUTES),
        "webwrite": webwrite, "webread": webread, "weboptions": take_pairs, "struct": take_pairs, "send": send,
        "HeaderField": lambda name, value: fields.update({name: str(value)}), "S": Joined,
    }  # fmt: skip
    for line in filter(None, (each.strip().removesuffix(";") for each in said.splitlines())):
        if line.startswith(("import ", "body = ")):
            continue
        line = re.sub(r"RequestMessage\(.*?\)\.send", "send", line)
        exec(re.sub(r'("[^"]*")', r"S(\1)", line), names)
    check_exam(program, "4", "COMPLETED", 1)
    assert names["jobs"].items
