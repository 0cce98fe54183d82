"""Requests that schemathesis makes of the API's own description: no fault, and no answer that the description lacks.

Each role has its token, and there is one for nobody. What is made up is mostly refused; that is what is tried here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from openmodality.console.api.media import ISO_TYPES
from openmodality.console.api.received import RAW
from openmodality.console.api.uploads import VOLUME_TYPES
from openmodality.console.security.roles import PERMISSIONS, UserRole
from tests.console_site import ConsolePlace, console_in_hospital
from tests.rest_client import DOCUMENT

WITHOUT: Final = frozenset({"/api/v1/events", "/api/v1/peers/{name}/retrieve", "/api/v1/exams/{exam}/acquire"})
"""A stream that does not end, and what would take long where it succeeds."""
FAULT: Final = 500
EXAMPLES: Final = settings().max_examples // 2
"""Of all operations together, besides one of each; many in a soak."""
AT_ONCE: Final = 8
ROLES: Final = (*UserRole, "nobody")
CHECKS: Final = (
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@schemathesis.serializer(ISO_TYPES[0], *(each for each in VOLUME_TYPES if not each.startswith(("multipart", RAW))))
def write_bytes(_: Any, value: Any) -> bytes:
    """Bodies that are no JSON are whatever was made up."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("schema")) as started:
        started.modality.start_exam(patient={"PatientID": "1", "PatientName": "Doe^Jane"})
        yield started


@pytest.fixture(scope="module")
def cases() -> list[st.SearchStrategy[Any]]:
    """Requests of each operation."""
    operations = schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    found = [each.ok() for each in operations if isinstance(each, Ok)]
    assert len(found) > 80
    return [each.as_strategy() for each in found if each.path not in WITHOUT]


@pytest.fixture(scope="module")
def one_of_each(cases: list[st.SearchStrategy[Any]]) -> list[Any]:
    """A request of each operation: made up once, for that takes longer than to send it for each role."""
    made: list[Any] = []

    def keep(some: tuple[Any, ...]) -> None:
        made.extend(some)

    for start in range(0, len(cases), AT_ONCE):
        limit_to(1)(given(st.tuples(*cases[start : start + AT_ONCE]))(keep))()
    assert len(made) == len(cases)
    return made


def limit_to(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("role", ROLES)
def test_what_is_made_up_is_answered_as_described(
    place: ConsolePlace, cases: list[st.SearchStrategy[Any]], one_of_each: list[Any], role: str
) -> None:
    token = "none"
    if role != "nobody":
        token = place.accounts.add_token(f"as-{role}", sorted(PERMISSIONS[UserRole(role)]))
    headers = {"Authorization": f"Bearer {token}"}

    def send(case: Any) -> None:
        response = case.call(base_url=place.url, headers=headers, timeout=30)
        assert response.status_code != FAULT, "peers may refuse, which is 502, but this is a fault of ours"
        case.validate_response(response, checks=CHECKS, headers=headers)

    for case in one_of_each:
        send(case)
    limit_to(EXAMPLES)(given(st.one_of(cases))(send))()
