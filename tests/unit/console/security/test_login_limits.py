from __future__ import annotations

from openmodality.console.security.login_limits import (
    FORGOTTEN_AFTER_S,
    FREE_ATTEMPTS,
    LONGEST_WAIT_S,
    LoginLimits,
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_failures_cost_nothing_and_each_after_them_twice_as_much() -> None:
    clock = Clock()
    limits = LoginLimits(clock)
    for _ in range(FREE_ATTEMPTS - 1):
        limits.note_failure("anna", "10.0.0.1")
        assert limits.find_wait_s("anna", "10.0.0.1") == 0
    waits = []
    for _ in range(12):
        limits.note_failure("anna", "10.0.0.1")
        waits.append(limits.find_wait_s("anna", "10.0.0.1"))
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == LONGEST_WAIT_S
    clock.now += LONGEST_WAIT_S
    assert limits.find_wait_s("anna", "10.0.0.1") == 0


def test_an_account_is_limited_from_everywhere_and_an_address_for_every_account() -> None:
    limits = LoginLimits(Clock())
    for number in range(FREE_ATTEMPTS):
        limits.note_failure("Anna", f"10.0.0.{number}")
        limits.note_failure(f"user{number}", "10.0.1.1")
    assert limits.find_wait_s("anna", "10.9.9.9") > 0
    assert limits.find_wait_s("somebody", "10.0.1.1") > 0
    assert limits.find_wait_s("somebody", "10.9.9.9") == 0
    limits.note_success("anna", "10.0.0.1")
    assert limits.find_wait_s("anna", "10.9.9.9") == 0
    assert limits.find_wait_s("anna", "10.0.1.1") > 0


def test_failures_are_forgotten() -> None:
    clock = Clock()
    limits = LoginLimits(clock)
    for _ in range(FREE_ATTEMPTS):
        limits.note_failure("anna", "10.0.0.1")
    clock.now += FORGOTTEN_AFTER_S + 1
    limits.note_failure("anna", "10.0.0.1")
    assert limits.find_wait_s("anna", "10.0.0.1") == 0
