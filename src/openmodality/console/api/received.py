"""A body that a program uploads: taken to disk, done with once, and gone at the end of the request."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email.message import Message
from typing import Any, Final, NamedTuple

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from openmodality.acquisition.drop_folder import DroppedFile
from openmodality.console.api.answers import answer_record
from openmodality.console.api.once import Once, digest_request, name_owner
from openmodality.console.context import ConsoleContext
from openmodality.console.security.accounts import Principal
from openmodality.console.uploads import Upload, name_by_content, split_parts, store_body
from openmodality.errors import OpenModalityError

RAW: Final = "application/octet-stream"


class Claim(NamedTuple):
    """Who uploads, under which Idempotency-Key; ``said`` is what tells the request from others besides its body."""

    principal: Principal
    key: str
    said: str = ""


class ReceivedUpload:
    """An upload on disk, and doing with it once what is to be done."""

    def __init__(self, upload: Upload, once: Once) -> None:
        self.path = upload.path
        self.once = once

    def do(self, make: Callable[[], dict[str, Any]], status: int = 201) -> Response:
        """Do it once; an error names the upload, and not where it lies."""

        def answer() -> JSONResponse:
            try:
                return answer_record(make(), status)
            except OpenModalityError as error:
                error.message = self.hide_place(error.message)
                raise

        return self.once.do(answer, repeats_safely=True)

    def hide_place(self, text: str) -> str:
        """A text without the folder of the upload: where that lies here is no business of whoever sent it."""
        return text.replace(f"{self.path.parent}/", "")

    @property
    def arrival(self) -> DroppedFile:
        """The file with its key: the same for the same request with the same Idempotency-Key, else always another."""
        key = f"{self.once.owner}/{self.once.key}/{self.once.digest}" if self.once.key else secrets.token_hex(16)
        return DroppedFile(self.path, key)


@asynccontextmanager
async def take_upload(
    request: Request,
    context: ConsoleContext,
    claim: Claim,
    types: Sequence[str],
    make_head: Callable[[], bytes] = bytes,
) -> AsyncIterator[ReceivedUpload]:
    """Take the body of the request to disk, lay out its parts, and remove all of it at the end of the block.

    ``make_head`` gives what stands before raw samples. Refused with 415 where the body is of none of the ``types``.
    """
    kind = Message()
    kind["content-type"] = request.headers.get("content-type", "")
    media_type = kind.get_content_type()
    if not kind["content-type"] or media_type not in types:
        raise HTTPException(415, f"this takes {', '.join(dict.fromkeys(types))}")
    head = make_head() if media_type == RAW else b""
    announced = request.headers.get("content-length", "")
    with context.uploads.open(int(announced) if announced.isdecimal() else 0) as folder:
        body = folder / "body"
        digest = await store_body(context.uploads, request.stream(), body, head)
        is_split = media_type.startswith("multipart/")
        path = split_parts(body, kind.get_boundary() or "") if is_split else name_by_content(body)
        whole = digest_request(request, digest + claim.said)
        yield ReceivedUpload(Upload(path, digest), Once(context, name_owner(claim.principal), claim.key, whole))
