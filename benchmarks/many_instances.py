"""A device and a virtual hospital that have twenty thousand instances: their lists, and the hospital's start."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from pydicom import Dataset

from benchmarks.data import cache
from benchmarks.ends import call_ours, is_accepting, start_quietly, take_cpu_time
from openmodality.jobs.job import NewJob
from openmodality.jobs.queue import Queue
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.timeouts import Timeouts
from openmodality.services.query_retrieve import query_archive
from openmodality.standard.sop_classes import STUDY_ROOT_FIND
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.database import open_database
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.states import JobKind
from openmodality.upper_layer.negotiation import ContextProposal
from tests.made_index import SERIES_OF_STUDY, fill_index
from tests.peers.objects import mr_image
from tests.peers.process import free_port, wait_until

INSTANCES: Final = 20_000
LISTS: Final = ("studies list", "series list", "jobs list")
_IMAGES_OF_SERIES: Final = 50
_UID: Final = "1.2.3.{:08d}"


def time_lists(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """The CPU seconds of each list, and those of an empty device for the same, in turn."""
    with TemporaryDirectory(dir=cache()) as name:
        full, empty = Path(name, "full"), Path(name, "empty")
        for folder in (full, empty):
            take_cpu_time(call_ours("init", str(folder), "--profile", "mr"), Path(name))
            take_cpu_time(call_ours("exam", "list"), folder)
        _fill(full)
        return {
            words: [
                (take_cpu_time(call_ours(*words.split()), full), take_cpu_time(call_ours(*words.split()), empty))
                for _ in range(rounds)
            ]
            for words in LISTS
        }


def _fill(folder: Path) -> None:
    """Instances in the index of a device, and a send job for all of each study."""
    (folder / "data").mkdir(exist_ok=True)
    database = open_database(f"sqlite:///{folder / 'data' / 'openmodality.db'}", durability="os")
    studies = INSTANCES // SERIES_OF_STUDY // _IMAGES_OF_SERIES
    fill_index(database, studies, _IMAGES_OF_SERIES)
    queue, images = Queue(database), SERIES_OF_STUDY * _IMAGES_OF_SERIES
    with database.write() as transaction:
        for study in range(studies):
            references = [("1.2.840.10008.5.1.4.1.1.4", f"1.2.3.{study}.1.{image}") for image in range(images)]
            queue.enqueue(transaction, NewJob(JobKind.SEND, "pacs", instances=references))
    database.close()


def time_hospital() -> tuple[float, float]:
    """The seconds from the start of a virtual hospital, full of files, to when its archive listens, and to when the
    first query has been answered.
    """
    folder, port = _make_hospital(), free_port()
    command = call_ours(
        "hospital", "--data", str(folder), "--ris-port", str(free_port()), "--pacs-port", str(port), "--printer-port",
        str(free_port()),
    )  # fmt: skip
    begun = perf_counter()
    process = start_quietly(command)
    try:
        wait_until(lambda: is_accepting(port), what="the archive to listen", timeout_s=60)
        listens_s = perf_counter() - begun
        _find_study(port)
        return listens_s, perf_counter() - begun
    finally:
        process.terminate()
        process.wait()


def _find_study(port: int) -> None:
    """Ask for the one study that all files are of."""
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID, asked.PatientName = "STUDY", "", ""
    proposal = ContextProposal(STUDY_ROOT_FIND, (IMPLICIT_VR_LITTLE_ENDIAN,))
    remote, local = RemoteAE("OM_PACS", "127.0.0.1", port), LocalAE("BENCH", timeouts=Timeouts(response_s=120))
    with associate(remote, local, [proposal]) as association:
        found = query_archive(association, STUDY_ROOT_FIND, asked)
    if len(found.items) != 1:
        raise RuntimeError(f"{len(found.items)} studies")


def _make_hospital() -> Path:
    """The data of a hospital; made once, each file from the bytes of one."""
    folder = cache() / f"hospital-{INSTANCES}"
    files = InstanceFiles(folder / "pacs" / "instances")
    if not files.path(_UID.format(INSTANCES - 1)).exists():
        for number, raw in enumerate(_make_files()):
            path = files.path(_UID.format(number))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
    return folder


def _make_files() -> Sequence[bytes]:
    file, uid = BytesIO(), _UID.format(0)
    mr_image(rows=4, columns=4, SOPInstanceUID=uid).save_as(file, enforce_file_format=True)
    one = file.getvalue()
    return [one.replace(uid.encode(), _UID.format(number).encode()) for number in range(INSTANCES)]
