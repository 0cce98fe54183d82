"""Media jobs write instances of the local database to a medium. MR-7.2.1, -4, -5; RF-5.1.3.1, RF-5.2.1.2.1.

Rules. A new file-set is made beside its target and takes its place by a rename when it is whole, unless the target is
there already (a mounted stick): then it is made in place. A run that is repeated after a crash removes what the last
one left, or finds that all is done. A cancelled job leaves nothing behind. Instances that the profile does not take
are failures of the job's instances, with the reason; they do not fail the job.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from openmodality.activities.media import Disc, MediumRequest, add_pages, create_medium, update_medium
from openmodality.activities.media_profiles import choose_media_profile, make_file_set_options
from openmodality.device.site.site import Site
from openmodality.errors import OpenModalityError, StoreError, UsageError
from openmodality.jobs.job import NEVER_AGAIN, Job, JobInstance, NewJob
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome
from openmodality.jobs.report import JobReport
from openmodality.media.application_profile import describe_refusal
from openmodality.media.burning import burn_image
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_set import Decompressor, WritingCancelled
from openmodality.media.iso_image import write_iso_image
from openmodality.media.pdi.pages import DiscWords
from openmodality.standard.media import DIRECTORY_NAME
from openmodality.store.files.instance_files import InstanceFiles
from openmodality.store.states import InstanceResult, JobKind
from openmodality.value_class import dataclass

MediumAct = Literal["create", "update"]
_REASONS: Final = 4
"""So many reasons stand in a job's comment; all are with its instances."""


@dataclass(frozen=True, slots=True)
class MediumOrder:
    """The order of an operator, which is the parameters of a media job.

    ``target`` is the folder of the file-set. ``image`` is the ISO 9660 file that is made of it; ``device`` the drive
    that the image is burnt to. Both are empty where they are not asked for. ``named`` are the folders to which the job
    has given their names: those alone may it make anew.
    """

    act: MediumAct
    target: str
    profile: str = ""
    label: str = "OPENMODALITY"
    pages: bool = True
    several_patients: bool = False
    split: bool = False
    adopt: bool = False
    image: str = ""
    device: str = ""
    named: Sequence[str] = ()


def make_media_job(order: MediumOrder, instances: Sequence[tuple[str, str]]) -> NewJob:
    """A job that puts these instances (SOP Class UID, SOP Instance UID) onto a medium.

    Raises :class:`UsageError` where an image is to be burnt that nobody makes.
    """
    if order.device and not order.image:
        raise UsageError("a disc is burnt from an image", advice="name the file of the image with --iso")
    return NewJob(JobKind.MEDIA, order.device or order.target, asdict(order), instances=instances, retry=NEVER_AGAIN)


class MediaExecutor:
    """Does the media jobs."""

    def __init__(self, files: InstanceFiles, site: Site, decompress: Decompressor) -> None:
        self._files = files
        self._site = site
        self._decompress = decompress

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Make or add to the file-set, then its image, then the disc."""
        order = MediumOrder(**job.parameters)
        pending = [each for each in report.read_outstanding() if each.result is InstanceResult.PENDING]
        try:
            discs = self._put(order, job, pending, report)
            _check_goes_on(report)
            self._make_images(order, [disc.folder for disc in discs], report)
        except WritingCancelled:
            return Continue()
        except OpenModalityError as error:
            return Fail(str(error))
        return Done(_tell(discs))

    def _put(self, order: MediumOrder, job: Job, pending: Sequence[JobInstance], report: JobReport) -> list[Disc]:
        """The discs that were made; none where a run before this one has made them."""
        target = Path(order.target)
        if not pending:
            return []
        if _is_done(order, pending):
            self._finish(order, pending, report)
            return []
        paths = {self._files.path(each.SOPInstanceUID): each.SOPInstanceUID for each in pending}
        request = self._request(order, list(paths), report)
        if order.act == "update":
            discs = [update_medium(request)]
        elif _is_in_place(target):
            discs = create_medium(request)
        else:
            discs = self._create_aside(request, job, order.named, report)
        for disc in discs:
            for uid in disc.report.sop_instance_uids:
                report.note_instance(uid, InstanceResult.SUCCESS)
            for left in disc.report.left_out:
                report.note_instance(paths[left.path], InstanceResult.FAILURE, comment=left.reason)
        report.keep()
        return discs

    def _create_aside(
        self, request: MediumRequest, job: Job, named_before: Sequence[str], report: JobReport
    ) -> list[Disc]:
        """Make the file-sets under other names and give them theirs when all are whole.

        Raises :class:`UsageError` where a folder of such a name is there that no run of this job has made.
        """
        aside = request.target.with_name(f".{request.target.name}.job{job.id}")
        _remove_folders(aside)
        made = create_medium(replace(request, target=aside))
        finals = [disc.folder.with_name(disc.folder.name.replace(aside.name, request.target.name, 1)) for disc in made]
        try:
            for final in finals:
                if final.exists() and str(final) not in named_before:
                    raise UsageError(f"{final} is there already", advice="remove it, or name another folder")
            report.remember(named=list(map(str, finals)))
            return [_name(disc, final) for disc, final in zip(made, finals, strict=True)]
        except OpenModalityError:
            _remove_folders(aside)
            raise

    def _finish(self, order: MediumOrder, pending: Sequence[JobInstance], report: JobReport) -> None:
        """Finish a run that died after it wrote the DICOMDIR: write the pages, and note the result of each instance."""
        target, profile = Path(order.target), choose_media_profile(self._site, order.profile)
        add_pages(self._request(order, [], report), target)
        known = _list_instances_on(target)
        for each in pending:
            if each.SOPInstanceUID in known:
                report.note_instance(
                    each.SOPInstanceUID, InstanceResult.SUCCESS, comment="it was on the medium already"
                )
            else:
                reason = describe_refusal(profile, each.SOPClassUID) or "it could not be read"
                report.note_instance(each.SOPInstanceUID, InstanceResult.FAILURE, comment=reason)
        report.keep()

    def _request(self, order: MediumOrder, paths: Sequence[Path], report: JobReport) -> MediumRequest:
        site = self._site
        options = make_file_set_options(site, choose_media_profile(site, order.profile), order.label, self._decompress)
        words = DiscWords(
            site.equipment.institution_name or "",
            f"{site.equipment.manufacturer} {site.equipment.model}",
            datetime.now().strftime("%Y-%m-%d"),
            f"OpenModality {' '.join(site.equipment.software_versions)}",
        )
        return MediumRequest(
            paths,
            Path(order.target),
            replace(options, on_written=lambda instances, length_bytes: not report.stop_requested),
            words if order.pages else None,
            order.several_patients,
            order.split,
            order.adopt,
            lambda: not report.stop_requested,
        )

    def _make_images(self, order: MediumOrder, folders: Sequence[Path], report: JobReport) -> None:
        """Make the image of each disc, and burn it. Raises :class:`WritingCancelled` where the job is to stop."""
        if not order.image:
            return
        made = folders or find_discs(Path(order.target))
        for number, folder in enumerate(made, start=1):
            image = Path(order.image)
            if len(made) > 1:
                image = image.with_name(f"{image.stem}-{number}{image.suffix}")
            write_iso_image(folder, image, order.label, progress=lambda done, total: _check_goes_on(report))
            if order.device:
                command = self._site.settings.media.burn_command
                burn_image(command, image, order.device, lambda: _check_goes_on(report))


def _check_goes_on(report: JobReport) -> None:
    if report.stop_requested:
        raise WritingCancelled("the job is to stop")


def _name(disc: Disc, final: Path) -> Disc:
    """Give a disc its name, in place of what a run before this one has made."""
    try:
        if final.exists():
            shutil.rmtree(final)
        disc.folder.rename(final)
    except OSError as error:
        raise StoreError(f"cannot name the file-set {final}: {error.strerror}") from error
    return replace(disc, folder=final)


def _is_done(order: MediumOrder, pending: Sequence[JobInstance]) -> bool:
    """Whether a run before this one has written the DICOMDIR and died before it could say so.

    A target that is to be created had none when the job was asked for: one that has this job's instances is this job's.
    """
    known = _list_instances_on(Path(order.target))
    chosen = {each.SOPInstanceUID for each in pending}
    return bool(known) and (known <= chosen if order.act == "create" else chosen <= known)


def find_discs(target: Path) -> list[Path]:
    """The folders of the discs of a target that are whole."""
    if (target / DIRECTORY_NAME).exists():
        return [target]
    numbered = [path for path in target.parent.glob(f"{target.name}-*") if (path / DIRECTORY_NAME).exists()]
    return sorted(numbered, key=lambda path: (len(path.name), path.name))


def _list_instances_on(folder: Path) -> set[str]:
    """The SOP Instance UIDs that the DICOMDIR of a folder names; none where it has no DICOMDIR."""
    if not (folder / DIRECTORY_NAME).exists():
        return set()
    patients = read_directory(folder / DIRECTORY_NAME).patients
    return {record.sop_instance_uid for patient in patients for record in patient.walk() if record.file_id}


def _remove_folders(aside: Path) -> None:
    """Remove what a run has left or leaves beside its target."""
    for left in aside.parent.glob(f"{aside.name}*") if aside.parent.is_dir() else ():
        shutil.rmtree(left, ignore_errors=True)


def _is_in_place(target: Path) -> bool:
    """Whether a file-set is made in the target itself, since it is there: a stick, or a folder with other things."""
    return target.is_dir()


def _tell(discs: Sequence[Disc]) -> str:
    """The comment for a person: how many discs were made, and what was left out with the reasons."""
    words = [f"{len(discs)} discs"] if len(discs) > 1 else []
    reasons = Counter(left.reason for disc in discs for left in disc.report.left_out)
    words += [f"{count} left out: {why}" for why, count in reasons.most_common(_REASONS)]
    words += [notice for disc in discs for notice in disc.report.notices[:1]]
    return "; ".join(words)
