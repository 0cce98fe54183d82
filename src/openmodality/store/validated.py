"""A sink that lets only sound instances through, without private attributes that the device does not know."""

from __future__ import annotations

from openmodality.objects.filter.private_sets import PrivateSets
from openmodality.objects.filter.received import ReceivedDataSet
from openmodality.services.storage import InstanceSink, InstanceWriter, StoreRequest
from openmodality.standard.type_1 import EVERY_OBJECT, list_type_1_attributes


class ValidatedSink:
    """Fulfils :class:`openmodality.services.storage.InstanceSink` around another one.

    Without ``requires_type_1`` an instance has to name its patient, study and series alone (RF-8.1.2-01).

    What fails the check raises :class:`ObjectInvalid`, which the storage service answers with Cannot understand
    (C001H) and an Error Comment (MR-3.3.4.3-10, -12, -13).
    """

    def __init__(self, sink: InstanceSink, known_private: PrivateSets, *, requires_type_1: bool = True) -> None:
        self._sink = sink
        self._known_private = known_private
        self._requires_type_1 = requires_type_1

    def open(self, request: StoreRequest) -> ValidatedWriter:
        """Begin an instance."""
        needed = list_type_1_attributes(request.identity.sop_class_uid) if self._requires_type_1 else EVERY_OBJECT
        data_set = ReceivedDataSet(request.transfer_syntax, needed, self._known_private)
        request.walk.listen(data_set)
        return ValidatedWriter(self._sink.open(request), data_set)


class ValidatedWriter:
    """One instance on its way to the inner sink."""

    def __init__(self, writer: InstanceWriter, data_set: ReceivedDataSet) -> None:
        self._writer = writer
        self._data_set = data_set

    def write(self, chunk: memoryview) -> None:
        """Hand on what is to be stored of a part of the data set, which has been checked."""
        self._write_output()

    def commit(self) -> int | None:
        """Make the instance safe; one that fails the check leaves nothing behind."""
        try:
            self._write_output()
            self._data_set.finish()
        except BaseException:
            self._writer.abort()
            raise
        return self._writer.commit()

    def _write_output(self) -> None:
        for piece in self._data_set.take_output():
            self._writer.write(memoryview(piece))

    def abort(self) -> None:
        """Leave nothing behind."""
        self._writer.abort()
