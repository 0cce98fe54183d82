"""Which series a volume gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from openmodality.errors import ObjectInvalid
from openmodality.exam.producers.volumes import choose_parts, is_plain


@pytest.mark.parametrize(
    ("dtype", "parts", "components"),
    [("f4", "magnitude", [""]), ("c8", "magnitude", ["M"]), ("c16", "magnitude+phase", ["M", "P"])],
)
def test_complex_values_have_two_parts(dtype: str, parts: Any, components: list[str]) -> None:
    assert [part.component for part in choose_parts(np.dtype(dtype), parts)] == components


@pytest.mark.parametrize(
    ("dtype", "parts"), [("f4", "magnitude+phase"), ("c8", "phase"), ("U3", "magnitude"), ("O", "magnitude")]
)
def test_what_has_no_such_parts_is_refused(dtype: str, parts: Any) -> None:
    with pytest.raises(ObjectInvalid):
        choose_parts(np.dtype(dtype), parts)


def test_plain_arrays_need_no_look_at_all_values() -> None:
    assert [is_plain(np.zeros((4, 4, 3), type_)) for type_ in ("u1", "u2", "i2", "u4", "f4", "?")] == [
        False,
        True,
        False,
        False,
        False,
        True,
    ]
