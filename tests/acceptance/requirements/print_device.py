"""A device with images in its database, and printers that it prints on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread

from openmodality import Modality
from openmodality.app.view import JobDetails
from openmodality.store.states import JobState
from tests.acceptance.in_process import call
from tests.peers import objects
from tests.peers.process import Address

NEEDED = {"mr": "", "rf": 'smoothing_types = ["MEDIUM"]\nconfiguration_information = ["CS000"]\n'}
"""What a printer of a device needs in the site file."""


@dataclass(slots=True)
class PrintDevice:
    """A site's folder; ``study`` is what it prints."""

    folder: Path
    study: str = ""

    def do(self, *words: object) -> tuple[int, str]:
        """Run a command of the device; status and what it printed."""
        return call([*map(str, words), "-c", str(self.folder / "site.toml")], self.folder)

    def print(self, *words: object, printer: str = "film") -> tuple[int, str]:
        """Print the study."""
        return self.do("print", printer, "--study", self.study, *words)

    def last_job(self) -> JobDetails:
        """The newest job."""
        with Modality(self.folder / "site.toml", works=False) as modality:
            return modality.jobs.show(modality.jobs.list(limit=1)[0].id)

    def work(self) -> bool:
        """Let the device work its queue until there is nothing left to do; whether that came true."""
        with Modality(self.folder / "site.toml") as modality:
            return bool(modality.wait_until_idle(60))

    def reason(self) -> str:
        """Why the newest job is where it is; it must be a print job that failed."""
        job = self.last_job().job
        assert (job.kind.value, job.state) == ("print", JobState.FAILED)
        return job.reason

    def ask(self, *words: object) -> list[dict[str, Any]]:
        """The items of what a command prints as JSON."""
        status, said = self.do(*words, "--json")
        assert status == 0, said
        items: list[dict[str, Any]] = json.loads(said)["items"]
        return items


def make_print_device(
    folder: Path, profile: str, address: Address, *, images: int = 1, more: str = "", peer: str = "", head: str = ""
) -> PrintDevice:  # fmt: skip
    """A device with a study of images whose printer ``film`` is at an address.

    ``head``, ``peer`` and ``more`` are lines of the site file at its beginning, about the peer and about the printer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        f'profile = "{profile}"\n{head}\n[peers.film]\nae_title = "{address.aet}"\nhost = "{address.host}"\n'
        f'port = {address.port}\nservices = ["print"]\n{peer}\n[printers.film]\n{NEEDED[profile]}{more}\n'
        '[data]\ndurability = "os"\n'
    )
    (folder / "site.toml").write_text(text, encoding="utf-8")
    device = PrintDevice(folder)
    (first, *_) = objects.mr_series(folder / "source", images)
    device.study = str(dcmread(first).StudyInstanceUID)
    status, said = device.do("import", folder / "source")
    assert status == 0, said
    return device
