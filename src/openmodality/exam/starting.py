"""Checks before an exam starts that its worklist items are still scheduled, unchanged, and served by no other exam."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openmodality.activities.worklist import ItemCheck, ItemStanding, Worklist, find_served
from openmodality.errors import WrongState
from openmodality.store.local import LocalStore
from openmodality.store.rows.worklist import WorklistItem

Confirm = Callable[[ItemCheck], bool]
"""Asked when a worklist item is gone, has changed since it was shown or had an exam already; ``False`` stops the start.
"""

_TO_CONFIRM = (ItemStanding.GONE, ItemStanding.CHANGED, ItemStanding.SERVED)


def check_items(
    store: LocalStore, worklist: Worklist, items: Sequence[WorklistItem], confirm: Confirm | None
) -> tuple[list[WorklistItem], list[str]]:
    """The items in their newest state, and what the operator is told of them.

    The RIS is asked again where the device does so (DECISIONS MR 17). Raises :class:`WrongState` where ``confirm``
    says no.
    """
    with store.database.read() as snapshot:
        checks = find_served(snapshot, items)
    if worklist.is_checked_at_start:
        fresh = [worklist.check(item) for item in items]
        items, checks = [check.item for check in fresh], [*fresh, *checks]
    for check in checks:
        if check.state in _TO_CONFIRM and confirm is not None and not confirm(check):
            raise WrongState(f"the exam was not started: {check.notice}")
    return list(items), [check.notice for check in checks if check.notice]
