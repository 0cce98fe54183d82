"""What the answer of a DICOMweb server says of each instance, and of one that no server should give."""

from __future__ import annotations

import json

import pytest

from openmodality.activities.stow_answer import StowResult, read_stow_answer


def item(uid: str, **values: int) -> dict[str, object]:
    names = {"warning": "00081196", "failure": "00081197"}
    return {
        "00081155": {"vr": "UI", "Value": [uid]},
        **{names[name]: {"vr": "US", "Value": [value]} for name, value in values.items()},
    }


def test_an_answer_is_read_whatever_is_in_it() -> None:
    document = {
        "00081199": {"vr": "SQ", "Value": [item("1.1"), item("1.2", warning=0xB000), item("1.4"), "x", {}]},
        "00081198": {"vr": "SQ", "Value": [item("1.3", failure=0xA900), item("1.4"), None]},
    }
    found = read_stow_answer(json.dumps(document).encode())
    assert {uid: found[uid] for uid in ("1.1", "1.2", "1.3", "1.4")} == {
        "1.1": StowResult(True, 0),
        "1.2": StowResult(True, 0xB000),
        "1.3": StowResult(False, 0xA900),
        "1.4": StowResult(False, 0x0110),
    }
    assert read_stow_answer(json.dumps([document]).encode()) == found


@pytest.mark.parametrize(
    "body",
    [b"", b"<xml/>", b"[]", b"null", b"7", b"[" * 100_000, b'{"00081199": 7}', b'{"00081199": {"Value": {}}}', b"\xff"],
)
def test_an_answer_that_cannot_be_read_says_nothing(body: bytes) -> None:
    assert read_stow_answer(body) == {}
