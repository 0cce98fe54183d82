"""Chromium without a window: what a page is after its scripts have run."""

from __future__ import annotations

from pathlib import Path

from tests.peers.process import run

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip


def dump_dom(page: Path, profile: Path, *, budget_ms: int = 10_000) -> str:
    """The document of a page that is opened from its file, after ``budget_ms`` of the page's own time."""
    return run(
        "chromium", *OPTIONS, f"--user-data-dir={profile}", f"--virtual-time-budget={budget_ms}", "--dump-dom",
        page.as_uri(), timeout_s=60.0,
    ).output  # fmt: skip
