"""A console whose hospital is made of pynetdicom, and records what the device asks of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Final

from pydicom import Dataset

from openmodality.app.modality import Modality
from openmodality.console.server import ConsoleServer
from openmodality.store.states import JobState
from tests.acceptance.requirements.pynetdicom_hospital import Recorded, Recorder, Request, listening, recorded_device
from tests.console_site import ConsolePlace, Visitor
from tests.peers.process import free_port, wait_until

ROLES: Final = {"mr": ("device", "OM_MR"), "rf": ("storage_commitment", "ADR_S_COMM_SCU")}
QUICK: Final = """
[parameters.general]
dimse_timeout_s = 1
"""
_UPLOAD: Final = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class RecordedConsole:
    """A user at the console of a device, and what the hospital hears and answers."""

    recorded: Recorded
    place: ConsolePlace
    visitor: Visitor
    profile: str

    @property
    def recorder(self) -> Recorder:
        """The hospital."""
        return self.recorded.recorder

    @property
    def modality(self) -> Modality:
        """The device."""
        return self.place.modality

    def read(self, path: str) -> str:
        """A page as a person reads it."""
        return unescape(self.visitor.get(path).text)

    def ask_ris(self, **keys: str) -> str:
        """Press Ask the RIS; what Today says then. Keys that are not given are empty."""
        self.visitor.post("/today/ask", **keys)
        return self.read("/today")

    def start(self, item: int, **fields: str) -> str:
        """Press Start the exam; where that leads."""
        body_part = "HEAD" if self.profile == "rf" else ""
        answer = self.visitor.post(f"/start/{item}", operator="ROE^RICHARD", body_part=body_part, **fields)
        return str(answer.headers.get("location", ""))

    def upload(self, exam: str, path: Path, **fields: str) -> None:
        """Make images of a file from the page of an exam, and wait for them."""
        token = self.visitor.get("/account").text.partition('name="form_token" value="')[2].partition('"')[0]
        query = {"name": path.name, "offset": "0", "last": "true"}
        headers = {"x-form-token": token}
        url = f"{exam}/upload/{_UPLOAD}"
        assert self.visitor.client.post(url, params=query, content=path.read_bytes(), headers=headers).is_success
        self.visitor.post(f"{exam}/acquire", upload=_UPLOAD, **fields)
        number, acquisitions = int(exam.rpartition("/")[2]), self.place.server.context.acquisitions
        wait_until(lambda: not (state := acquisitions.find(number)) or not state.is_running, timeout_s=30)

    def settle(self) -> None:
        """Wait until nothing is being done; what cannot be done yet waits on."""
        busy = [JobState.DOING]
        assert self.modality.wait_until(lambda: not self.modality.jobs.list(states=busy), 20)

    def wait_for(self, name: str, count: int = 1) -> list[Request]:
        """So many requests of a name, with their data sets."""
        wait_until(lambda: len(self._list_whole(name)) >= count, timeout_s=20)
        return self._list_whole(name)

    def _list_whole(self, name: str) -> list[Request]:
        return [request for request in self.recorder.requests(name) if request.data]


@contextmanager
def recorded_console(
    folder: Path,
    profile: str,
    *,
    items: Sequence[Dataset] = (),
    more: str = "",
    console: str = "",
    role: str = "senior",
) -> Iterator[RecordedConsole]:
    """A device that serves, with its console, and a user with one role who has logged in."""
    tables = f"{more}\n[console]\nport = {free_port()}\n{console}\n"
    with recorded_device(folder, profile, items=items, more=tables) as recorded, recorded.modality() as modality:
        recorded.recorder.destinations[ROLES[profile][1]] = listening(recorded, *ROLES[profile])
        modality.serve()
        with ConsoleServer(modality) as server, ExitStack() as clients:
            place = ConsolePlace(None, recorded.site, modality, server, clients)  # type: ignore[arg-type]
            place.add_user("anna", role)
            yield RecordedConsole(recorded, place, place.log_in("anna"), profile)


def read_group(page: str, title: str) -> str:
    """A group of the page Jobs: from its title to the next."""
    return re.split(r"<h2 ", page.partition(f">{title}")[2])[0]
