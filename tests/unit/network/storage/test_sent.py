"""What the result of one instance says, and the errors of those that were not sent or not answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.errors import AssociationRejected, NoPresentationContext, ObjectInvalid, OpenModalityError
from openmodality.errors import TransportError as Broken
from openmodality.network.storage.instances import FileInstance
from openmodality.network.storage.sent import Sent, explain_not_answered, explain_not_sent
from openmodality.services.storage import STORE_JUDGE, InstanceIdentity, StoreResult
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

INSTANCE = FileInstance(Path("image.dcm"), InstanceIdentity("1.2", "1.2.3"), EXPLICIT_VR_LITTLE_ENDIAN, 0, 10)


@pytest.mark.parametrize(
    ("status", "is_stored", "is_transient"),
    [(0, True, False), (0xB000, True, False), (0xA700, False, True), (0xC000, False, False)],
)
def test_a_status_says_whether_it_is_stored_and_whether_trying_again_helps(
    status: int, is_stored: bool, is_transient: bool
) -> None:
    sent = Sent(INSTANCE, result=StoreResult(status, STORE_JUDGE(status)))
    assert (sent.is_stored, sent.is_transient) == (is_stored, is_transient)


@pytest.mark.parametrize(
    ("error", "is_transient"),
    [
        (Broken("broken"), True),
        (ObjectInvalid("damaged"), False),
        (NoPresentationContext("none"), False),
        (AssociationRejected("busy", result=2, source=3, reason=1), True),
        (AssociationRejected("unknown", result=1, source=1, reason=3), False),
    ],
)
def test_an_error_says_whether_trying_again_helps(error: OpenModalityError, is_transient: bool) -> None:
    sent = Sent(INSTANCE, error=error)
    assert not sent.is_stored
    assert sent.is_transient is is_transient


def test_what_was_not_sent_names_the_end_of_the_association_but_no_other_file() -> None:
    assert "broken" in str(explain_not_sent(Sent(INSTANCE, error=Broken("broken"))))
    assert "damaged" not in str(explain_not_sent(Sent(INSTANCE, error=ObjectInvalid("damaged"))))


def test_what_was_not_answered_may_be_at_the_peer() -> None:
    assert "may have it" in explain_not_answered(Sent(INSTANCE, error=Broken("broken"))).advice
