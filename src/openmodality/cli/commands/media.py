"""``openmodality media``: file-sets on discs, sticks and in folders; here those that write one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openmodality.app.records.jobs import describe_reason, job_as_json, left_out_as_json
from openmodality.cli.commands.media_read import iso_command, list_records_command, retrieve_command, verify_command
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.choice import add_choice, follow_job
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.values import existing_path, not_empty, volume_label
from openmodality.counted import format_count
from openmodality.errors import OpenModalityError
from openmodality.store.states import InstanceResult, JobState

if TYPE_CHECKING:
    from openmodality.activities.media_job import MediumAct, MediumOrder
    from openmodality.app.view import JobDetails


def _declare_choice(parser: Parser) -> None:
    add_choice(parser, "what goes onto the medium")
    parser.add_argument("--profile", metavar="NAME", default="", help="Application profile, such as STD-GEN-CD.")
    parser.add_argument("--no-pages", action="store_true", help="No page for browsers beside the images.")
    parser.add_argument("--several-patients", action="store_true", help="Allow more than one patient on a disc.")
    parser.add_argument("--iso", dest="image", metavar="FILE", default="", help="Also make an ISO 9660 image of it.")
    parser.add_argument(
        "--burn", dest="drive", metavar="DEVICE", default="", help="Burn the image to the disc in DEVICE."
    )


def _declare_create(parser: Parser) -> None:
    parser.add_argument("target", metavar="DIR", type=not_empty)
    _declare_choice(parser)
    parser.add_argument(
        "--label",
        metavar="TEXT",
        type=volume_label,
        default="OPENMODALITY",
        help="File-set ID and name of the volume.",
    )
    parser.add_argument("--split", action="store_true", help="Use several discs where one is too small.")
    add_site(parser)
    add_json(parser)


def run_create(
    target: str,
    studies: Sequence[str],
    series: Sequence[str],
    instances: Sequence[str],
    profile: str,
    no_pages: bool,
    several_patients: bool,
    image: str,
    drive: str,
    label: str,
    split: bool,
    site_file: str,
    as_json: bool,
) -> int:
    """Make a file-set of studies, series or instances of the local database in the folder DIR.

    The request is a job, which this command follows to its end; Ctrl-C cancels it and leaves nothing half made, and
    says what is whole and stays. What the application profile does not take is left out and named. The folder also gets
    a page for browsers, INDEX.HTM.

    Exit status 0 when all is on the medium, 1 when something is not.
    """
    extra = {"label": label, "split": split}
    chosen = (studies, series, instances)
    return _put("create", target, chosen, site_file, as_json, profile=profile, pages=not no_pages, image=image,
                device=drive, several_patients=several_patients, **extra)  # fmt: skip


def _declare_update(parser: Parser) -> None:
    parser.add_argument("target", metavar="DIR", type=existing_path)
    _declare_choice(parser)
    parser.add_argument("--adopt", action="store_true", help="Add to a file-set that another system has made.")
    add_site(parser)
    add_json(parser)


def run_update(
    target: Path,
    studies: Sequence[str],
    series: Sequence[str],
    instances: Sequence[str],
    profile: str,
    no_pages: bool,
    several_patients: bool,
    image: str,
    drive: str,
    adopt: bool,
    site_file: str,
    as_json: bool,
) -> int:
    """Add studies, series or instances of the local database to the file-set in the folder DIR.

    The old file-set stays readable until the new one is whole. Exit status as that of create.
    """
    chosen = (studies, series, instances)
    return _put("update", str(target), chosen, site_file, as_json, profile=profile, pages=not no_pages, image=image,
                device=drive, several_patients=several_patients, adopt=adopt)  # fmt: skip


def _put(
    act: MediumAct, target: str, chosen: tuple[Sequence[str], ...], site_file: str, as_json: bool, **order: Any
) -> int:  # fmt: skip
    from openmodality.activities.media_job import MediumOrder  # noqa: PLC0415 - start-up time
    from openmodality.app.local_data import Chosen  # noqa: PLC0415 - start-up time

    paths = {key: str(Path(order[key]).absolute()) if order.get(key) else "" for key in ("image",)}
    wanted = MediumOrder(act, str(Path(target).absolute()), **{**order, **paths})
    with device(site_file, works=True) as modality:
        job = modality.media.put(Chosen(*chosen), wanted)
        try:
            follow_job(modality, job.id, "written")
        except KeyboardInterrupt:
            _say_left(wanted)
            raise
        details = modality.jobs.show(job.id)
        results = modality.jobs.results([details.job])[job.id]
    return _tell(details, dict(results), target, wanted.image, as_json=as_json)


def _say_left(order: MediumOrder) -> None:
    """Say what a job that was cancelled has left: a disc that is whole stays, though its image may not be made."""
    from openmodality.activities.media_job import find_discs  # noqa: PLC0415 - start-up time

    for disc in find_discs(Path(order.target)):
        say(f"{disc} is whole and stays")
    if order.image:
        is_made = Path(order.image).exists()
        say(f"{order.image} is whole and stays" if is_made else f"nothing is left of the image {order.image}")
        if is_made and order.device:
            say(f"the disc in {order.device} may be half written")


def _tell(
    details: JobDetails, results: dict[InstanceResult, int], target: str, image: str, *, as_json: bool
) -> int:  # fmt: skip
    job = details.job
    written, left_out = results.get(InstanceResult.SUCCESS, 0), results.get(InstanceResult.FAILURE, 0)
    if as_json:
        print_document([{**job_as_json(job, results), "left_out": left_out_as_json(details.instances)}])
    if job.state is not JobState.DONE:
        raise OpenModalityError(
            f"nothing was written to {target}: {describe_reason(job) or job.state}",
            advice=f"openmodality jobs show {job.id} tells more",
        )
    if not as_json:
        print(f"{format_count(written, 'instance')} on {target}" + (f"; image {image}" if image else ""))
        if job.reason:
            say(job.reason + (f"; openmodality jobs show {job.id} lists them" if left_out else ""))
    return 1 if left_out or not written else 0


command = Group(
    "Make, read and check CDs, DVDs and sticks (DICOMDIR).",
    {
        "create": CliCommand(run_create, _declare_create),
        "iso": iso_command,
        "list": list_records_command,
        "retrieve": retrieve_command,
        "update": CliCommand(run_update, _declare_update),
        "verify": verify_command,
    },
)
