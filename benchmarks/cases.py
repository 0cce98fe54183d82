"""What is measured, against what, and the bar that the project set itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import console, data, media
from benchmarks.archive_cases import moved, queried, received_by_archives
from benchmarks.canned import time_asking
from benchmarks.ends import (
    BARE,
    DCMTK,
    ONE_AT_A_TIME,
    OURS,
    PYNETDICOM,
    RAW,
    End,
    Run,
    call_ours,
    device,
    listening,
    take_cpu_time,
    timed,
    transfer,
)
from benchmarks.index import (
    SEARCHES,
    STUDIES,
    STUDIES_OF_SMALL,
    indexes_on_postgresql,
    list_scans,
    measure_memory,
    open_index,
    time_search,
    time_stream,
)
from benchmarks.ingest_cases import make_enhanced, make_images
from benchmarks.many_instances import INSTANCES, time_hospital, time_lists
from benchmarks.rendering import time_rendering
from benchmarks.reports import EVENTS, time_report
from benchmarks.rows import AtLeast, AtMost, Row, Shown
from benchmarks.runs import make_rows
from benchmarks.serving import SERVE
from benchmarks.viewer import measure_viewer
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sending import send
from openmodality.store.database import Database

Pair = tuple[End, End]
_OURS: Pair = (OURS, OURS)
_DCMTK: Pair = (DCMTK, DCMTK)


def _pair_row(what: str, must: AtLeast | Shown, folder: Path, pairs: tuple[Pair, Pair], rounds: int) -> Row:
    """Two pairs in turn; the time for one file alone, which is the start of the processes, is taken off."""
    one, count = min(folder.iterdir()), sum(1 for _ in folder.iterdir())
    rates: tuple[list[float], list[float]] = ([], [])
    whole: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for index, (sender, receiver) in enumerate(pairs):
            start_up = min(transfer(sender, receiver, one).seconds for _ in range(2))
            run = transfer(sender, receiver, folder)
            if run.arrived != count:
                raise RuntimeError(f"{what}: {run.arrived} of {count} files arrived")
            rates[index].append((count - 1) / (run.seconds - start_up))
            whole[index].append(run.seconds)
    ratios = tuple(ours / theirs for ours, theirs in zip(*rates, strict=True))
    figures = " vs ".join(
        f"{median(rate):.0f}/s ({median(wall):.2f} s)" for rate, wall in zip(rates, whole, strict=True)
    )
    return Row(what, ratios, must, figures)


def small_vs_dcmtk(rounds: int) -> list[Row]:
    """Many small images on one association."""
    folder = data.series("mr-1000", 1000, 256, 256)
    return [_pair_row("1000 x 128 KB, ours to ours vs DCMTK to DCMTK", AtLeast(2), folder, (_OURS, _DCMTK), rounds)]


def mixed_vs_dcmtk(rounds: int) -> list[Row]:
    """One end ours, the other DCMTK's."""
    folder = data.series("mr-1000", 1000, 256, 256)
    return [
        _pair_row(
            "1000 x 128 KB, ours to storescp vs DCMTK pair", AtLeast(1.5), folder, ((OURS, DCMTK), _DCMTK), rounds
        ),
        _pair_row(
            "1000 x 128 KB, a bare sender to storescp vs DCMTK pair", Shown(), folder, ((BARE, DCMTK), _DCMTK), rounds
        ),
        _pair_row(
            "1000 x 128 KB, storescu to ours vs DCMTK pair", AtLeast(1.2), folder, ((DCMTK, OURS), _DCMTK), rounds
        ),
        _pair_row(
            "1000 x 128 KB, storescu to a bare receiver vs DCMTK pair", Shown(), folder, ((DCMTK, BARE), _DCMTK), rounds
        ),
    ]


def small_vs_pynetdicom(rounds: int) -> list[Row]:
    """In fewer rounds, because it takes long."""
    folder = data.series("mr-1000", 1000, 256, 256)
    pairs = (_OURS, (PYNETDICOM, PYNETDICOM))
    return [_pair_row("1000 x 128 KB, ours to ours vs pynetdicom pair", AtLeast(15), folder, pairs, min(rounds, 3))]


def small_vs_raw(rounds: int) -> list[Row]:
    """How much of what the machine can do is left."""
    folder = data.series("mr-1000", 1000, 256, 256)
    return [_pair_row("1000 x 128 KB, ours to ours vs raw socket", AtLeast(0.5), folder, (_OURS, (RAW, RAW)), rounds)]


def send_job(rounds: int) -> list[Row]:
    """A send job of a device, with the result of each instance in its database, and ``openmodality send``.

    The bar is for the same window: a device has one request open, which its statement requires (ADR 27).
    """
    folder = data.series("mr-1000", 1000, 256, 256)
    what = "1000 x 128 KB, a device's send job vs our send, {}"
    with device(folder) as sender:
        return [
            _pair_row(what.format(window), must, folder, ((sender, OURS), (other, OURS)), rounds)
            for window, must, other in (
                ("one request open in both", AtLeast(0.8), ONE_AT_A_TIME),
                ("which has 16 open", Shown(), OURS),
            )
        ]


def received_by_device(rounds: int) -> list[Row]:
    """A device that receives, checks and indexes, and ``openmodality receive``.

    The bar is for the same transfer syntax and the same window: a device lets one request be open (ADR 27).
    """
    folder = data.series("mr-1000", 1000, 256, 256)
    what = "1000 x 128 KB, {} to serve with its index vs openmodality receive"
    return [
        _pair_row(what.format(name), must, folder, ((sender, SERVE), (sender, OURS)), rounds)
        for name, must, sender in (
            ("storescu", AtLeast(0.7), DCMTK),
            ("ours, one request open in both,", AtLeast(0.7), ONE_AT_A_TIME),
            ("ours, which has 16 open to receive,", Shown(), OURS),
        )
    ]


def medium_vs_dcmtk(rounds: int) -> list[Row]:
    """Larger images."""
    folder = data.series("mr-100-2mb", 100, 1024, 1024)
    return [_pair_row("100 x 2 MB, ours to ours vs DCMTK pair", AtLeast(1.3), folder, (_OURS, _DCMTK), rounds)]


def large(rounds: int) -> list[Row]:
    """One object of 1 GB: speed against the raw socket, peak memory of both ends."""
    folder, one = data.large(), min(data.series("mr-1000", 1000, 256, 256).iterdir())
    seconds: tuple[list[float], list[float]] = ([], [])
    runs: list[Run] = []
    for _ in range(rounds):
        for index, end in enumerate((OURS, RAW)):
            start_up = min(transfer(end, end, one).seconds for _ in range(2))
            run = transfer(end, end, folder)
            seconds[index].append(run.seconds - start_up)
            if end is OURS:
                runs.append(run)
    best = [min(each) for each in seconds]  # 1 GB of fresh memory costs anything between 0 and 2 s on a virtual machine
    speed = " vs ".join(f"{1.074 / each:.2f} GB/s" for each in best)
    sender, receiver = max(r.sender_mb for r in runs), max(r.receiver_mb for r in runs)
    return [
        Row("1 x 1 GB, ours to ours vs raw socket, best of each", (best[1] / best[0],), AtLeast(0.7), speed),
        Row("1 x 1 GB, peak memory of sender, MB", (sender,), AtMost(100), f"{sender:.0f} MB"),
        Row("1 x 1 GB, peak memory of receiver, MB", (receiver,), AtMost(100), f"{receiver:.0f} MB"),
    ]


def echo(rounds: int) -> list[Row]:
    """Whole processes: our echo, pynetdicom's echoscu, the command-line library alone, and Python doing nothing."""
    with listening(DCMTK) as (port, _):
        commands = (
            (sys.executable, "-c", "from openmodality.cli.main import main; main()", "echo", f"ANY@127.0.0.1:{port}"),
            (sys.executable, "-m", "pynetdicom", "echoscu", "127.0.0.1", str(port), "-q"),
            (sys.executable, "-c", "import argparse"),
            (sys.executable, "-c", "pass"),
        )
        for command in commands:
            timed(command)
        times = [[timed(command) for command in commands] for _ in range(max(rounds, 5) * 2)]
    ours, theirs, argparse, nothing = (f"{median(column) * 1000:.0f} ms" for column in zip(*times, strict=True))
    return [
        Row(
            "echo, whole process, vs pynetdicom's echoscu",
            tuple(mine / other for mine, other, _, _ in times),
            AtMost(0.3),
            f"{ours} vs {theirs}",
        ),
        Row(
            "echo, seconds above python -c pass",
            tuple(mine - bare for mine, _, _, bare in times),
            AtMost(0.1),
            f"{ours} vs {nothing}",
        ),
        Row(
            "python -c 'import argparse', seconds above python -c pass",
            tuple(library - bare for _, _, library, bare in times),
            Shown(),
            f"{argparse} vs {nothing}",
        ),
    ]


_LISTS = ("jobs list", "jobs show 1", "exam list", "exam show 1", "studies list", "series list", "instances list")


def lists(rounds: int) -> list[Row]:
    """What takes a look at the data of a device that has 100 images, an exam and its jobs."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        images = data.series("mr-100-small", 100, 64, 64)
        for words in (
            f"init {folder} --profile mr",
            f"import {images}",
            "exam unscheduled --patient-id 1 --patient-name DOE^JANE",
        ):
            take_cpu_time(call_ours(*words.split()), folder)
        commands = [(sys.executable, "-c", "pass"), *(call_ours(*words.split()) for words in _LISTS)]
        times = [[take_cpu_time(command, folder) for command in commands] for _ in range(max(rounds, 5) * 2)]
    bare, *columns = zip(*times, strict=True)
    return [
        Row(
            f"{words}, CPU seconds above python -c pass",
            tuple(used - nothing for used, nothing in zip(column, bare, strict=True)),
            AtMost(0.3),
            f"{median(column) * 1000:.0f} ms vs {median(bare) * 1000:.0f} ms",
        )
        for words, column in zip(_LISTS, columns, strict=True)
    ]


def many_instances(rounds: int) -> list[Row]:
    """Lists of a device, and the start of a hospital, that have twenty thousand instances."""
    taken = time_lists(max(rounds, 3))
    rows = [
        Row(
            f"{words} with {INSTANCES} instances, CPU seconds",
            tuple(full for full, _ in pairs),
            AtMost(0.4),
            f"{median(full for full, _ in pairs):.2f} s vs {median(empty for _, empty in pairs):.2f} s with none",
        )
        for words, pairs in taken.items()
    ]
    listens, answers = zip(*[time_hospital() for _ in range(rounds + 1)][1:], strict=True)
    what = f"a hospital with {INSTANCES} instances, seconds until"
    return [
        *rows,
        Row(f"{what} it listens", listens, AtMost(2), f"{median(listens):.2f} s"),
        Row(f"{what} it has answered its first query", answers, Shown(), f"{median(answers):.2f} s"),
    ]


_ITEMS = 5000


def worklist(rounds: int) -> list[Row]:
    """A long worklist, asked for straight and by a device that checks, keeps and shows it; and by findscu."""
    taken = [time_asking(_ITEMS) for _ in range(rounds)]
    theirs = median(each["findscu"] for each in taken)
    return [
        Row(
            f"a worklist of {_ITEMS} items, {what}, CPU seconds of the whole process",
            tuple(each[who] for each in taken),
            AtMost(limit_s),
            f"{median(each[who] for each in taken):.2f} s; findscu {theirs:.2f} s",
        )
        for who, what, limit_s in (
            ("straight", "asked for straight", 2),
            ("device", "by a device", 3),
            ("device again", "by a device that knows them", 3),
        )
    ]


def many(_: int) -> list[Row]:
    """100 associations at once, 20 objects each: how many are lost."""
    files = sorted(data.series("mr-2000", 2000, 64, 64).iterdir())
    groups = [[read_instance(path) for path in files[start::100]] for start in range(100)]
    with listening(OURS) as (port, folder):
        remote, local = RemoteAE("ANY", "127.0.0.1", port), LocalAE("BENCH")

        def send_group(group: list[FileInstance]) -> int:
            sent = send(lambda plan: associate(remote, local, plan.proposals), group, InstanceReader())
            return sum(not one.is_stored for one in sent)

        with ThreadPoolExecutor(100) as pool:
            failed = sum(pool.map(send_group, groups))
        arrived = sum(1 for file in folder.glob("*.dcm"))
    lost = len(files) - arrived
    return [
        Row("100 associations at once, 20 objects each: lost or failed", (lost + failed,), AtMost(0), f"{arrived} came")
    ]


def discs(rounds: int) -> list[Row]:
    """The directory of 10,000 files made and read, and an image of a whole DVD, with the memory of each."""
    folder = media.file_set_files(10_000)
    made, theirs, read, whole, pydicom = [], [], [], [], []
    for _ in range(min(rounds, 3)):
        made.append(media.take("make", folder))
        theirs.append(media.take_dcmmkdir(folder))
        read.append(media.take("read", folder))
        whole.append(media.take("all", folder))
        pydicom.append(media.take("pydicom", folder))
    image = media.take("image", media.dvd_files())
    return [
        Row(
            "DICOMDIR of 10,000 x 128 KB in place, without copying them, ours vs dcmmkdir",
            tuple(other / own[0] for own, other in zip(made, theirs, strict=True)),
            AtLeast(2),
            f"{median(own[0] for own in made):.2f} s vs {median(theirs):.2f} s",
        ),
        Row(
            "that DICOMDIR read, keys of images when asked for in both, ours vs the FileSet of pydicom",
            tuple(other[0] / own[0] for own, other in zip(read, pydicom, strict=True)),
            AtLeast(5),
            f"{median(own[0] for own in read):.2f} s vs {median(own[0] for own in pydicom):.2f} s",
        ),
        Row(
            "that DICOMDIR read with the keys of all images, ours vs the FileSet of pydicom",
            tuple(other[0] / own[0] for own, other in zip(whole, pydicom, strict=True)),
            Shown(),
            f"{median(own[0] for own in whole):.2f} s vs {median(own[0] for own in pydicom):.2f} s",
        ),
        *(
            Row(f"peak memory of {what}, MB", (peak_mb,), AtMost(200), f"{seconds:.1f} s")
            for what, (seconds, peak_mb) in (
                ("making it", made[-1]),
                ("reading it", read[-1]),
                ("an ISO of 4.6 GB", image),
            )
        ),
    ]


def index_of_a_million(rounds: int) -> list[Row]:
    """Searches among a million images on SQLite, and how many times as long as among ten thousand."""
    large, small = open_index(STUDIES), open_index(STUDIES_OF_SMALL)
    rows = _search_rows("a million", "SQLite", large, small, rounds)
    large.close()
    small.close()
    return rows


def index_on_postgresql(rounds: int) -> list[Row]:
    """The same on PostgreSQL, with the plans of its searches; a hundred thousand images with one round."""
    studies, many_images = (STUDIES // 10, "100,000") if rounds == 1 else (STUDIES, "a million")
    with indexes_on_postgresql(studies, STUDIES_OF_SMALL) as (large, small):
        rows = _search_rows(many_images, "PostgreSQL", large, small, rounds)
        scans = list_scans(large)
    what = "searches that PostgreSQL answers by reading a whole table"
    return [*rows, Row(what, (len(scans),), AtMost(0), ", ".join(scans) or "none")]


def _search_rows(many_images: str, where: str, large: Database, small: Database, rounds: int) -> list[Row]:
    rows = []
    for what, asked in SEARCHES.items():
        pairs = [(time_search(large, asked), time_search(small, asked)) for _ in range(rounds)]
        of_large, of_small = (tuple(pair[side] for pair in pairs) for side in (0, 1))
        figures = f"{median(of_large) * 1000:.1f} ms; among 10,000 images {median(of_small) * 1000:.1f} ms"
        rows.append(
            Row(f"{what} among {many_images} images on {where}, seconds", of_large, AtMost(asked.limit_s), figures)
        )
        if not asked.is_scan:
            times = tuple(many / few for many, few in pairs)
            rows.append(Row(f"{what} on {where}, times as long as among 10,000 images", times, AtMost(2), figures))
    rates = tuple(time_stream(large) for _ in range(rounds))
    rows.append(Row(f"studies streamed from {where}, a second", rates, AtLeast(5000), f"{median(rates):.0f} a second"))
    memory = measure_memory(large)
    rows.append(Row(f"peak memory of such a process on {where}, MB", (memory,), AtMost(300), f"{memory:.0f} MB"))
    return rows


def dose_reports(rounds: int) -> list[Row]:
    """A report of a long intervention: built from the record and stored."""
    made = [time_report(EVENTS) for _ in range(rounds)]
    seconds, sizes = zip(*made, strict=True)
    figures = f"{median(seconds):.2f} s for {sizes[0]:.1f} MB"
    return [Row(f"a dose report of {EVENTS} events, built and stored, CPU seconds", seconds, AtMost(1), figures)]


def rendering(rounds: int) -> list[Row]:
    """Pictures for previews, films and discs."""
    rates = tuple(time_rendering() for _ in range(rounds))
    what = "1024 x 1024 of 16 bits rendered with rescale and window, images a second"
    return [Row(what, rates, AtLeast(100), f"{median(rates):.0f} a second")]


CASES: dict[str, Callable[[int], list[Row]]] = {
    "small": small_vs_dcmtk,
    "mixed": mixed_vs_dcmtk,
    "pynetdicom": small_vs_pynetdicom,
    "raw": small_vs_raw,
    "job": send_job,
    "serve": received_by_device,
    "archives": received_by_archives,
    "find": queried,
    "move": moved,
    "media": discs,
    "medium": medium_vs_dcmtk,
    "large": large,
    "echo": echo,
    "lists": lists,
    "many": many,
    "worklist": worklist,
    "instances": many_instances,
    "ingest": make_images,
    "enhanced": make_enhanced,
    "index": index_of_a_million,
    "postgresql": index_on_postgresql,
    "report": dose_reports,
    "runs": make_rows,
    "render": rendering,
    "console": console.make_rows,
    "viewer": measure_viewer,
}
