"""The verdict on a status that a peer sends: the profile's table, the site's switches, the peer's own meanings.

Where the profile has no rule, the standard decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from openmodality.device.profile.parameters import Parameters
from openmodality.device.profile.profile import FailureKind, StatusRule
from openmodality.device.site.setting_types import StatusOverride
from openmodality.dimse.status import StatusCategory
from openmodality.dimse.verdict import Judge, Verdict, find_code
from openmodality.errors import AssociationAborted, OpenModalityError, PeerTimeout, TransportError


def make_judge(
    rules: Mapping[str, StatusRule],
    parameters: Parameters,
    overrides: Mapping[str, StatusOverride],
    by_standard: Judge,
    *,
    abort_switch: str = "",
) -> Judge:
    """The judge of one operation with one peer.

    ``rules`` are the profile's by their codes; ``parameters`` and ``overrides`` of statuses are those of the peer.
    ``abort_switch`` is the parameter by which a device does without A-ABORT, where it has one.
    """
    is_never_aborted = abort_switch in parameters and not parameters.boolean(abort_switch)

    def judge(status: int) -> Verdict:
        code = find_code(rules, status)
        verdict = by_standard(status) if code is None else _apply_rule(rules[code], status, parameters)
        override = find_code(overrides, status)
        if override is not None:
            verdict = _apply_override(verdict, overrides[override])
        return verdict._replace(must_abort=False) if is_never_aborted else verdict

    return lru_cache(maxsize=64)(judge)


def find_failure_kind(error: OpenModalityError) -> FailureKind | None:
    """Which communication failure an error is; None where it is another error."""
    if isinstance(error, PeerTimeout):
        return "timeout"
    return "aborted" if isinstance(error, TransportError | AssociationAborted) else None


def _apply_rule(rule: StatusRule, status: int, parameters: Parameters) -> Verdict:
    verdict = Verdict(status, rule.category, rule.meaning, rule.effect, rule.transient, rule.abort)
    if rule.success_if and parameters.boolean(rule.success_if):
        return verdict._replace(effect="succeed", must_abort=False)
    return verdict


def _apply_override(verdict: Verdict, override: StatusOverride) -> Verdict:
    match override:
        case "success" | "warning":
            category = StatusCategory.from_name(override)
            return verdict._replace(category=category, effect="succeed", is_transient=False, must_abort=False)
        case "failure" | "retry":
            is_transient = override == "retry"
            category = StatusCategory.FAILURE
            return verdict._replace(category=category, effect="fail", is_transient=is_transient, must_abort=True)
