"""Instances are stored with our identity, or not at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom import dcmread
from pydicom.uid import UID

from openmodality.device.site.site import Site
from openmodality.errors import WrongState
from openmodality.exam.instances import keep_instance, list_instances
from openmodality.exam.session import Exam
from openmodality.standard.implementation import OWN_CLASS_UID
from openmodality.store.local import LocalStore
from openmodality.store.transaction import Transaction
from tests.devices import add_image

BeginExam = Callable[..., Exam]


def test_what_is_stored_says_who_made_it(begin_exam: BeginExam, store: LocalStore) -> None:
    uid = add_image(begin_exam().series("T1"))
    assert dcmread(store.files.path(uid)).file_meta.ImplementationClassUID == OWN_CLASS_UID


def test_a_check_that_fails_leaves_nothing(begin_exam: BeginExam, site: Site, store: LocalStore) -> None:
    exam = begin_exam()
    data_set = dcmread(store.files.path(add_image(exam.series("T1"))))
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.5")

    def refuse(transaction: Transaction) -> None:
        raise WrongState("the exam has ended")

    with pytest.raises(WrongState):
        keep_instance(site, store, data_set, refuse)
    assert len(exam.instances()) == 1
    assert len(list(site.data_folder.rglob("*.dcm"))) == 1


def test_instances_of_all_series_and_of_no_series(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    assert exam.instances() == []
    uids = [add_image(exam.series(f"T{number}"), number) for number in range(3)]
    with store.read() as snapshot:
        assert [each.SOPInstanceUID for each in list_instances(snapshot, exam.record)] == uids
