"""``openmodality recover``: what the files of a device tell, where its database is lost or old."""

from __future__ import annotations

import time

from openmodality.app.recovery import set_damaged_aside
from openmodality.app.view import find_data_place
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.site import add_site, device, site_path
from openmodality.counted import format_count


def _declare(parser: Parser) -> None:
    parser.add_argument(
        "--send", action="store_true", help="Queue the instances that are in no exam and in no send job."
    )
    parser.add_argument("--peer", metavar="NAME", help="With --send: the archive.  [default: the first of the site]")
    parser.add_argument(
        "--adopt", action="store_true", help="Take over a database that says it is that of another device."
    )
    add_site(parser)
    add_json(parser)


def run(send: bool, peer: str | None, adopt: bool, site_file: str, as_json: bool) -> int:
    """Rebuild what the instance files tell: index what is on disk only, and name what has no exam.

    A SQLite database that is damaged is set aside, and a new one takes its place.
    Exams, jobs and commitments of a database that is lost are in no file. The instances of its exams can be queued
    for an archive all the same. Not while the device is served: "openmodality serve" does the same at its start.
    """
    damaged = set_damaged_aside(find_data_place(site_path(site_file)), time.time())
    with device(site_file) as modality:
        result = modality.recover(adopt=adopt)
        jobs = modality.send_without_exam(peer) if send else []
        problems = modality.problems.list()
        without = modality.count_without_exam()
    notices = [*filter(None, [damaged]), *result.of_database]
    for notice in notices:
        say(f"NOTE: {notice}")
    if as_json:
        print_document([{
            "indexed": result.indexed,
            "missing_files": result.missing,
            "without_exam": without,
            "problems": len(problems),
            "jobs": [job.id for job in jobs],
            "notices": notices,
        }])  # fmt: skip
    else:
        print(f"{format_count(result.indexed, 'instance')} indexed by their files, {result.missing} without a file")
        for job in jobs:
            print(f"job {job.id} sends to {job.destination}")
    if without and not as_json:
        say(f"{format_count(without, 'instance')} in no exam and in no send job; --send queues them")
    if problems:
        say(f"{format_count(len(problems), 'instance file')} with problems: openmodality instances list --problems")
    return 1 if problems or result.missing else 0


command = CliCommand(run, _declare)
