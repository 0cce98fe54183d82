from __future__ import annotations

from typing import Any

import pytest

from openmodality.audit.chain import FIRST_DIGEST, AuditEntry, compute_digest

ENTRY = AuditEntry(1.5, "query", 0, "alice\nOM_PACS", "P-1", "<AuditMessage/>")


def _change(value: Any) -> Any:
    return "other" if isinstance(value, str) else value + 1


@pytest.mark.parametrize("field", AuditEntry._fields)
def test_every_field_of_a_row_is_in_its_digest(field: str) -> None:
    changed = AuditEntry(*[_change(value) if name == field else value for name, value in ENTRY._asdict().items()])
    assert compute_digest(FIRST_DIGEST, 1, 1, changed) != compute_digest(FIRST_DIGEST, 1, 1, ENTRY)


def test_the_place_of_a_row_is_in_its_digest() -> None:
    digests = {
        compute_digest(*place, ENTRY)
        for place in ((FIRST_DIGEST, 1, 1), ("1" * 64, 1, 1), (FIRST_DIGEST, 2, 1), (FIRST_DIGEST, 1, 2))
    }
    assert len(digests) == 4


def test_fields_do_not_run_into_each_other() -> None:
    assert compute_digest(FIRST_DIGEST, 1, 1, ENTRY._replace(users="a", patients="bc")) != compute_digest(
        FIRST_DIGEST, 1, 1, ENTRY._replace(users="ab", patients="c")
    )
