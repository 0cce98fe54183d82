"""kill -9 while films are printed: no sheet is printed twice unless somebody says so, and none is lost."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.activities.film_order import FilmOrder
from openmodality.activities.print_record import find_uncertain_sheet
from openmodality.app.local_data import Chosen
from openmodality.hospital.addresses import PRINTER, Endpoint
from openmodality.hospital.hospital import Hospital
from openmodality.store.states import JobState
from tests.acceptance.requirements.print_device import PrintDevice, make_print_device
from tests.peers.forked import STDERR, fork
from tests.peers.process import Address

KILLS = {False: 6, True: 50}
"""In the suite, in a soak."""
SHEETS = 5
LONGEST_S = 1.5


def work_until_killed(device: PrintDevice, seconds: float) -> None:
    """Let a process of the device print for so long, and kill it."""
    process = fork("tests.fault.print_process", device.folder / "site.toml", stderr=STDERR)
    assert process.stdout is not None
    process.stdout.readline()
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    process.wait()
    timer.cancel()
    process.stdout.close()


def print_again(modality: Modality, number: int, printed: int) -> None:
    """Retry a job as a person does who has looked at the printer, on which so many sheets of it lie."""
    sheet = find_uncertain_sheet(modality.jobs.show(number).job)
    modality.jobs.retry(number, film="printed" if printed >= sheet else "again" if sheet else None)


@pytest.mark.timeout(300)
def test_each_sheet_comes_out_once(tmp_path: Path, soak: bool) -> None:
    chance = random.Random(7)
    with Hospital(tmp_path / "hospital", Endpoint("RIS"), Endpoint("PACS"), Endpoint(PRINTER.aet)) as hospital:
        address = Address(PRINTER.aet, hospital.peer("printer").port)
        device = make_print_device(tmp_path / "device", "mr", address, images=SHEETS)
        kills, jobs, asked = 0, 0, 0
        while kills < KILLS[soak]:
            with Modality(device.folder / "site.toml", works=False) as modality:
                number = modality.films.order(Chosen([device.study]), "film", FilmOrder(layout="1x1")).id
            jobs += 1
            is_done = False
            while not is_done:
                if kills < KILLS[soak]:
                    work_until_killed(device, chance.uniform(0.05, LONGEST_S))
                    kills += 1
                else:
                    device.work()
                with Modality(device.folder / "site.toml", works=False) as modality:
                    job = modality.jobs.show(number).job
                    printed = len(hospital.printer.films) - (jobs - 1) * SHEETS
                    assert 0 <= printed <= SHEETS
                    if job.state is JobState.FAILED:
                        asked += bool(find_uncertain_sheet(job))
                        print_again(modality, number, printed)
                    is_done = job.state is JobState.DONE
            assert len(hospital.printer.films) == jobs * SHEETS
