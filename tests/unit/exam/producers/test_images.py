"""Which object the images of a series become, and how the series goes on record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom import Dataset

from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import UsageError
from openmodality.exam.producers.images import ImageSeriesPlan, choose_object
from openmodality.standard.sop_classes import SECONDARY_CAPTURE_IMAGE_STORAGE, X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE
from openmodality.store.listing.exams import SeriesRecord
from tests.exam_records import STEP, exam_of, step_of

REPORT = SeriesRecord("1.2.5", 9001, "Dose SR", "SR", "Dose report", 1.7e9, STEP)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("rf")
    (folder / "site.toml").write_text('profile = "rf"\n', "utf-8")
    return load_site(folder)


def test_the_object_of_the_sop_class_before_that_of_the_modality(site: Site) -> None:
    by_class = choose_object(site, ImageSeriesPlan("x", "XA", SECONDARY_CAPTURE_IMAGE_STORAGE))
    assert by_class.sop_class_uid == SECONDARY_CAPTURE_IMAGE_STORAGE
    by_modality = choose_object(site, ImageSeriesPlan("x", "RF", "1.2.3"))
    assert by_modality.sop_class_uid == X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE
    neither = choose_object(site, ImageSeriesPlan("x", "US"))
    assert neither == next(item for item in site.profile.objects if item.is_image)


def test_a_device_without_images(site: Site) -> None:
    reports = tuple(item for item in site.profile.objects if not item.is_image)
    with pytest.raises(UsageError, match="has no image object"):
        choose_object(replace(site, profile=replace(site.profile, objects=reports)), ImageSeriesPlan("x"))


def test_series_with_images_are_numbered_apart_from_others(site: Site) -> None:
    plan = ImageSeriesPlan("SWALLOW", "RF", attributes=Dataset())
    first = plan.make_record(site, exam_of(REPORT), step_of(), 1.7e9)
    second = plan.make_record(site, exam_of(REPORT, first), step_of(), 1.7e9)
    assert (first.number, second.number) == (1, 2)
    assert (first.description, first.modality, first.step_uid, first.started) == ("SWALLOW", "RF", STEP, 1.7e9)
    assert first.series_instance_uid != second.series_instance_uid
    assert first.frame_of_reference_uid == second.frame_of_reference_uid


def test_a_series_that_was_planned_before_keeps_its_uid(site: Site) -> None:
    planned = ImageSeriesPlan("x", series_instance_uid="1.2.3.4").make_record(site, exam_of(), None, 1.7e9)
    assert (planned.series_instance_uid, planned.step_uid) == ("1.2.3.4", "")
