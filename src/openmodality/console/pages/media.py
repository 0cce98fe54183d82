"""Media: a disc is put together and made, and a disc that is there is listed and copied from (MR-2.5, RF-5.1).

The site file (``[media]``) says where files are written and read, never a browser. The page warns of instances of a
second patient, and puts them on a disc only where a person confirms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response

from openmodality.activities.media_job import MediumOrder
from openmodality.app.local_data import Chosen
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.discs import DiscView, make_disc_view
from openmodality.console.pages.jobs import JobRow, make_rows
from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.pages.tray_acts import cancel_order, check_version, describe_patients
from openmodality.console.pages.words import describe_count
from openmodality.console.place_words import name_classes
from openmodality.console.security.access import At, Form, Operator, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.console.trays import Tray, remove_items
from openmodality.errors import NotFound, UsageError
from openmodality.media.application_profile import ApplicationProfile
from openmodality.standard.media import clean_volume_label
from openmodality.store.states import JobKind
from openmodality.value_class import dataclass

_MEDIA: Final = "media"
_MOST_JOBS: Final = 10
_FIELDS: Final = ("profile", "label", "target")
_TICKS: Final = ("pages", "split")
_ISO: Final = ""


@dataclass(frozen=True, slots=True)
class DiscPart:
    """Series of a study that go onto the disc."""

    study: str
    series: str
    name: str
    patient_id: str
    title: str
    instances: int


@dataclass(frozen=True, slots=True)
class LeftOutLine:
    """How many instances are left out for one reason."""

    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class MediumView:
    """A disc that is put together: ``used`` and ``capacity`` in megabytes, the latter 0 where there is no limit."""

    version: int
    profiles: Sequence[tuple[str, str]]
    profile: str
    label: str
    targets: Sequence[tuple[str, str]]
    target: str
    pages: bool
    split: bool
    parts: Sequence[DiscPart]
    patients: Sequence[str]
    used: str
    capacity: int
    share: int
    left_out: Sequence[LeftOutLine]
    fits: bool


@dataclass(frozen=True, slots=True)
class MediumJob:
    """A disc that was ordered, or several; ``images``: how many images of them can be fetched."""

    row: JobRow
    label: str
    images: int


router = APIRouter()


@router.get("/media")
def _show_media(request: Request, viewer: Viewer, context: At) -> Response:
    view = {"medium": make_medium(context, viewer), "discs": list_media_jobs(context)}
    disc: DiscView | None = make_disc_view(context, viewer)
    return render_page(request, context, viewer, Page("media.html", "Media", "media"), disc=disc, **view)


@router.get("/media/jobs")
def _show_jobs(request: Request, viewer: Viewer, context: At) -> Response:
    return render_part(request, context, viewer, "part_media_jobs.html", discs=list_media_jobs(context))


@router.get("/media/image/{job_id}")
def _send_image(_: Operator, context: At, job_id: int, disc: Annotated[int, Query(ge=1)] = 1) -> Response:
    media = context.modality.media
    images = media.find_images(context.modality.jobs.show(job_id).job)
    if disc > len(images):
        raise NotFound("there is no such image of this job as it is now", advice="Media shows which there are")
    image = media.fetch_image(images[disc - 1])
    return FileResponse(image, media_type="application/octet-stream", filename=image.name)


@router.post("/media/choices")
def _choose(who: Operator, form: SentForm, context: At) -> Response:
    def choose() -> str:
        context.memory.trays.change(who.session, _MEDIA, lambda tray: replace(tray, choices=read_disc_choices(form)))
        clean_volume_label(form["label"])
        return "Shown with these."

    return do_and_return(context, who, "/media", choose)


@router.post("/media/remove")
def _remove(who: Operator, form: SentForm, context: At) -> Response:
    def remove() -> str:
        tray = context.memory.trays.look(who.session, _MEDIA)
        series = set(form.list_all("series"))
        uids = [item.uid for item in tray.items if form["all"] or item.series in series]
        context.memory.trays.change(who.session, _MEDIA, lambda tray: remove_items(tray, uids))
        return f"Taken off the disc: {describe_count(len(uids), 'instance')}."

    return do_and_return(context, who, "/media", remove)


@router.post("/media/make")
def _make(who: Operator, form: SentForm, context: At) -> Response:
    def order() -> str:
        tray = context.memory.trays.look(who.session, _MEDIA)
        check_version(tray, form["version"], "disc")
        choices = read_disc_choices(form)
        tray = context.memory.trays.change(who.session, _MEDIA, lambda tray: replace(tray, choices=choices))
        check_disc_patients(tray, accepts=form["several"] == "yes")
        uids = [item.uid for item in tray.items]
        job = context.modality.media.put(Chosen(instances=uids), make_medium_order(context, tray))
        context.memory.trays.change(who.session, _MEDIA, lambda tray: remove_items(tray, uids))
        return f"Queued as job {job.id}: {describe_count(len(uids), 'instance')} for disc {tray.choices['label']}."

    return do_and_return(context, who, "/media", order)


@router.post("/media/jobs/{job_id}/cancel")
def _cancel_disc(who: Operator, _: SentForm, context: At, job_id: int) -> Response:
    """A disc is cancelled by whoever ordered it; other jobs are the senior's."""

    def cancel() -> str:
        ending = ", and leaves nothing behind"
        return cancel_order(context, job_id, JobKind.MEDIA, mismatch="makes no disc", ending=ending)

    return do_and_return(context, who, "/media", cancel)


def read_disc_choices(form: Form) -> dict[str, str]:
    """The fields of a disc as they were typed."""
    return {**{name: form[name] for name in _FIELDS}, **{name: "yes" if form[name] else "no" for name in _TICKS}}


def check_disc_patients(tray: Tray, *, accepts: bool) -> None:
    """Raises :class:`UsageError` where instances of several patients were not asked for."""
    if len(tray.patients) > 1 and not accepts:
        names = " and ".join(describe_patients(tray))
        raise UsageError(
            f"nothing was made: there are instances of {len(tray.patients)} patients, {names}",
            advice="take off what does not belong there, or tick the box that says that it does",
        )


def make_medium_order(context: ConsoleContext, tray: Tray) -> MediumOrder:
    """The order of a disc. Raises what :meth:`openmodality.app.media.Media.name_order` raises."""
    choices = tray.choices
    return replace(
        context.modality.media.name_order(
            choices.get("label", ""), choose_profile(context, tray).name, choices.get("target", _ISO)
        ),
        pages=choices.get("pages", "yes") == "yes",
        several_patients=len(tray.patients) > 1,
        split=choices.get("split") == "yes",
    )


def list_profiles(context: ConsoleContext) -> list[ApplicationProfile]:
    """The application profiles under which this device makes media."""
    return [each for each in context.modality.media.profiles.values() if "create" in each.activities]


def choose_profile(context: ConsoleContext, tray: Tray) -> ApplicationProfile:
    """The profile that was chosen, else the first one that is a CD."""
    profiles = list_profiles(context)
    chosen = [each for each in profiles if each.name == tray.choices.get("profile")]
    return (chosen or profiles)[0]


def describe_medium(profile: ApplicationProfile) -> str:
    """A profile as people call the medium: ``CD, 650 MB (STD-GEN-CD)``."""
    kind = "DVD" if "DVD" in profile.name else "CD" if "CD" in profile.name else "stick or folder, any instance"
    size = f", {profile.capacity_bytes // 1_000_000} MB" if profile.capacity_bytes else ""
    return f"{kind}{size} ({profile.name})"


def make_medium(context: ConsoleContext, who: Principal) -> MediumView:
    """The disc of this session."""
    tray = context.memory.trays.look(who.session, _MEDIA)
    profile = choose_profile(context, tray)
    look = context.modality.media.look([(item.sop_class_uid, item.uid) for item in tray.items], profile.name)
    capacity = profile.capacity_bytes
    return MediumView(
        version=tray.version,
        profiles=[(each.name, describe_medium(each)) for each in list_profiles(context)],
        profile=profile.name,
        label=tray.choices.get("label", "OPENMODALITY"),
        targets=[(_ISO, "image (ISO 9660), to be fetched"), *_list_drives(context)],
        target=tray.choices.get("target", _ISO),
        pages=tray.choices.get("pages", "yes") == "yes",
        split=tray.choices.get("split") == "yes",
        parts=list_parts(tray),
        patients=describe_patients(tray),
        used=f"{look.length_bytes / 1_000_000:.1f}",
        capacity=capacity // 1_000_000,
        share=min(round(100 * look.length_bytes / capacity), 100) if capacity else 0,
        left_out=[LeftOutLine(count, name_classes(why)) for why, count in
                  Counter(reason for _, reason in look.left_out).most_common()],
        fits=not capacity or look.length_bytes <= capacity,
    )  # fmt: skip


def _list_drives(context: ConsoleContext) -> list[tuple[str, str]]:
    return [(drive, f"burn the disc in {drive}") for drive in context.modality.site.settings.media.drives]


def list_parts(tray: Tray) -> list[DiscPart]:
    """What is on the disc, series by series."""
    counts = Counter(item.series for item in tray.items)
    first = {item.series: item for item in reversed(tray.items)}
    return [
        DiscPart(item.study, item.series, item.name, item.patient_id, item.title.partition(",")[0], counts[item.series])
        for item in dict.fromkeys(first[item.series] for item in tray.items)
    ]


def list_media_jobs(context: ConsoleContext) -> list[MediumJob]:
    """The newest discs: those that are made come one after the other."""
    jobs = context.modality.jobs.list(kinds=[JobKind.MEDIA], limit=_MOST_JOBS)
    return [
        MediumJob(
            row,
            str(job.parameters.get("label", "")),
            len(context.modality.media.find_images(job)),
        )
        for job, row in zip(jobs, make_rows(context, jobs), strict=True)
    ]
