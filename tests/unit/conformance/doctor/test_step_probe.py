"""What the doctor says that it has left of a performed step is what the peer has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import cast

import pytest

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import Written
from openmodality.conformance.doctor.made_data import MadeStudy
from openmodality.conformance.doctor.step_probe import probe_step
from openmodality.dimse.channel import Message, PresentationContext
from openmodality.dimse.service import Response, Service
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from tests.loopback import Loopback, loopback_pair


class Talk(Examination):
    """An examination whose associations are joined in memory to a peer with these statuses."""

    def __init__(self, n_create: int, n_set: int) -> None:
        ends = SimpleNamespace(local=SimpleNamespace(ae_title="TEST"))
        super().__init__(lambda service: ends, writes=True)  # type: ignore[arg-type, return-value]
        self.statuses = {CommandField.N_CREATE_RQ: n_create, CommandField.N_SET_RQ: n_set}

    def accepts(self, *sop_class_uids: str) -> bool:
        return True

    def ends(self, service: str) -> object:  # type: ignore[override]
        return self._ends_of("mpps")

    @contextmanager
    def talk(self, *_: object, **__: object) -> Iterator[Loopback]:  # type: ignore[override]
        def answer(message: Message) -> Iterator[Response]:
            yield Response(self.statuses[cast(CommandField, message.command.CommandField)])

        service = Service("ris", frozenset({MODALITY_PERFORMED_PROCEDURE_STEP}), dict.fromkeys(self.statuses, answer))
        context = PresentationContext(1, MODALITY_PERFORMED_PROCEDURE_STEP, EXPLICIT_VR_LITTLE_ENDIAN)
        yield loopback_pair([context], [service])[0]


@pytest.mark.parametrize(
    ("n_create", "n_set", "left"),
    [(0, 0, ["DISCONTINUED"]), (0, 0x0110, ["IN PROGRESS"]), (0x0110, 0, [])],
    ids=["discontinued", "N-SET refused", "N-CREATE refused"],
)
def test_the_step_is_listed_as_the_peer_has_it(n_create: int, n_set: int, left: list[str]) -> None:
    examination = Talk(n_create, n_set)
    probe_step(examination, MadeStudy(datetime(2026, 11, 30)))
    written: list[Written] = examination.written
    assert [each.text for each in written] == left
