"""How much work the tests do: little in the suite, much with ``--soak``, which ``make soak`` gives.

Hypothesis makes :data:`SUITE_EXAMPLES` examples, and :data:`SOAK_FACTOR` times as many in a soak. A test that is slower
or quicker than the others takes a part or a multiple of ``settings().max_examples``. There is no deadline and no
check of slowness, as both would fail on a busy machine.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

SUITE_EXAMPLES = 16
SOAK_FACTOR = 75
SOAK_TIMEOUT_S = 3600
SUITE_STEPS = 20
"""Steps of a state machine; in a soak twice as many."""

_SUPPRESSED = [
    HealthCheck.too_slow,
    HealthCheck.function_scoped_fixture,  # examples overwrite their files in one tmp_path
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="work for minutes where the suite works for a moment")


def pytest_configure(config: pytest.Config) -> None:
    factor = SOAK_FACTOR if config.getoption("--soak") else 1
    settings.register_profile(
        "effort",
        deadline=None,
        suppress_health_check=_SUPPRESSED,
        max_examples=SUITE_EXAMPLES * factor,
        stateful_step_count=SUITE_STEPS * min(factor, 2),
        print_blob=True,
    )
    settings.load_profile("effort")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        for item in items:
            item.add_marker(pytest.mark.timeout(SOAK_TIMEOUT_S), append=False)


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> bool:
    """Whether the test may work for minutes."""
    return bool(pytestconfig.getoption("--soak"))
