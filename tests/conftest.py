"""What all tests share: the markers ``requirement`` and ``needs``, and the fixtures that start peers."""

from __future__ import annotations

pytest_plugins = ["tests.plugins.requirements", "tests.plugins.needs", "tests.plugins.database"]
