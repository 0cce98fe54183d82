"""Programs that ask the console speak plain HTTP here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package", autouse=True)
def trust_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let each client of httpx look for authorities where there are none: to read all of the world takes it 50 ms."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("authorities")))
        yield
