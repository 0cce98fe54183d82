"""What is put together for a film or a disc keeps its order, and is there once."""

from __future__ import annotations

import pytest

from openmodality.console.trays import Tray, TrayItem, add_items, move_item, remove_items
from openmodality.errors import UsageError


def test_a_tray_keeps_its_order() -> None:
    items = [TrayItem(str(n), "1.2", "1", "2", "A^B", "1", "") for n in range(3)]
    tray = add_items(Tray(), [*items, items[0]], 3)
    assert [item.uid for item in tray.items] == ["0", "1", "2"]
    assert [item.uid for item in move_item(tray, "0", 9).items] == ["1", "2", "0"]
    assert [item.uid for item in move_item(tray, "2", 0).items] == ["2", "0", "1"]
    assert move_item(tray, "x", 0) is tray
    assert [item.uid for item in remove_items(tray, ["1", "x"]).items] == ["0", "2"]
    with pytest.raises(UsageError, match="more than"):
        add_items(tray, [TrayItem("9", "1.2", "1", "2", "A", "1", "")], 3)
