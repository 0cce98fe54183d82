"""The instances of an exam: how they are stored, and which there are."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Final

from pydicom import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from openmodality.device.site.association_limits import find_identity
from openmodality.device.site.site import Site
from openmodality.encoding.part10 import encode_file_head
from openmodality.objects.rules.template import EncodedInstance
from openmodality.standard.query_retrieve import Level
from openmodality.standard.tags import SOP_CLASS_UID, SOP_INSTANCE_UID
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.indexed_attributes import INDEXED_TAGS, IndexedValues
from openmodality.store.listing.entities import InstanceReference, instance_references
from openmodality.store.listing.exams import ExamRecord
from openmodality.store.local import Check, LocalStore
from openmodality.store.states import Origin
from openmodality.store.transaction import Snapshot

_AT_ONCE: Final = 500


def keep_instance(site: Site, store: LocalStore, data_set: Dataset, check: Check = lambda transaction: None) -> None:
    """Store an instance that this device made, unless ``check`` raises; it is safe and indexed when this returns."""
    class_uid, version_name = find_identity(site)
    data_set.file_meta.ImplementationClassUID = UID(class_uid)
    data_set.file_meta.ImplementationVersionName = version_name
    buffer = BytesIO()
    dcmwrite(buffer, data_set, enforce_file_format=True)
    file = store.create(str(data_set.SOPInstanceUID))
    try:
        file.write(buffer.getbuffer())
    except BaseException:
        file.abort()
        raise
    store.accept_checked(file, Origin.ACQUIRED, check)


def keep_encoded(site: Site, store: LocalStore, instance: EncodedInstance, check: Check) -> None:
    """Store an encoded instance as :func:`keep_instance` does, without reading it again for the index."""
    file = store.create(instance.read_uid(SOP_INSTANCE_UID))
    try:
        file.write_all(instance.gather(_encode_head(site, instance)))
    except BaseException:
        file.abort()
        raise
    store.accept_checked(file, Origin.ACQUIRED, check, _take_values(instance))


def keep_together(
    site: Site, store: LocalStore, encoded: Iterable[EncodedInstance], check: Check = lambda transaction: None
) -> None:
    """Store encoded instances, all of them or none; they are safe and indexed when this returns."""
    with store.accept_together(Origin.ACQUIRED, check) as add:
        for instance in encoded:
            parts = instance.gather(_encode_head(site, instance))
            add(instance.read_uid(SOP_INSTANCE_UID), parts, _take_values(instance))


def _encode_head(site: Site, instance: EncodedInstance) -> bytes:
    uids = instance.read_uid(SOP_CLASS_UID), instance.read_uid(SOP_INSTANCE_UID)
    return encode_file_head(*uids, EXPLICIT_VR_LITTLE_ENDIAN, *find_identity(site))


def _take_values(instance: EncodedInstance) -> IndexedValues:
    values = IndexedValues(EXPLICIT_VR_LITTLE_ENDIAN)
    values.take_found(instance.find_values(INDEXED_TAGS))
    return values


def list_instances(snapshot: Snapshot, exam: ExamRecord) -> list[InstanceReference]:
    """The instances of the series of an exam."""
    uids = [series.series_instance_uid for series in exam.series]
    found = []
    for start in range(0, len(uids), _AT_ONCE):
        keys = {"SeriesInstanceUID": "\\".join(uids[start : start + _AT_ONCE])}
        found += instance_references(snapshot, Level.IMAGE, keys)
    return found
