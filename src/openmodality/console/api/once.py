"""``Idempotency-Key``: a request that is sent twice is done once, and gets the same answer again for a day.

The key belongs to whoever asks and to what was asked: with another request it is refused. What fails is forgotten, so
that the same key may be tried again once the reason is gone. Where the process ended before it had an answer, nobody
knows whether the request was done: that is said, except for uploads, whose instances get the same UIDs again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.request_errors import KeyReused
from openmodality.console.security.access import At, find_principal
from openmodality.console.security.accounts import Principal
from openmodality.errors import WrongState
from openmodality.store.rows.idempotency import (
    KeptRequest,
    adopt_request,
    find_kept_request,
    forget_request,
    insert_kept_request,
    note_answer,
    remove_old_requests,
)
from openmodality.value_class import dataclass

KEPT_S: Final = 86400.0
"""How long an answer is kept."""
_LONGEST_KEY: Final = 255
_DONE: Final = 200


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is done once where it has a ``key``; ``digest`` tells it from others, ``owner`` asked for it."""

    context: ConsoleContext
    owner: str
    key: str
    digest: str

    def do(self, act: Callable[[], JSONResponse], *, repeats_safely: bool = False) -> Response:
        """Do it, or give the answer that it had. ``repeats_safely``: doing it again makes nothing new.

        Raises :class:`KeyReused` for a key of another request, and :class:`WrongState` while it is being done, or where
        nobody knows whether it was.
        """
        if not self.key:
            return act()
        begun = self._begin(repeats_safely=repeats_safely)
        if isinstance(begun, KeptRequest):
            return _replay(begun)
        try:
            answer = act()
            self._keep(begun, answer, bytes(answer.body).decode())
        except BaseException:
            self._forget(begun)
            raise
        return answer

    def do_secretly(self, act: Callable[[], JSONResponse]) -> Response:
        """As :meth:`do`, where the answer has a secret that is shown once and kept nowhere."""
        if not self.key:
            return act()
        begun = self._begin(repeats_safely=False)
        if isinstance(begun, KeptRequest):
            raise WrongState("this was done, and its secret is shown once", advice="make another one")
        try:
            answer = act()
            self._keep(begun, answer, "")
        except BaseException:
            self._forget(begun)
            raise
        return answer

    def _begin(self, *, repeats_safely: bool) -> int | KeptRequest:
        boot = self.context.boot
        with self.context.modality.database.write() as transaction:
            remove_old_requests(transaction, transaction.now - KEPT_S)
            kept = find_kept_request(transaction, self.owner, self.key)
            if kept is None:
                return insert_kept_request(transaction, self.owner, self.key, self.digest, boot)
            if kept.digest != self.digest:
                raise KeyReused("this Idempotency-Key was used for another request", advice="use a new one")
            if kept.status is not None:
                return kept
            if kept.boot != boot and repeats_safely:
                adopt_request(transaction, kept.id, boot)
                return kept.id
        if kept.boot == boot:
            raise WrongState("this request is being done", advice="ask again with the same key in a moment")
        raise WrongState(
            "the device stopped while this request was being done, and nobody knows whether it was",
            advice="look whether it was done, then go on with a new Idempotency-Key",
        )

    def _keep(self, number: int, answer: Response, body: str) -> None:
        kept = {name: text for name, text in answer.headers.items() if name in ("content-type", "location")}
        with self.context.modality.database.write() as transaction:
            note_answer(transaction, number, answer.status_code, json.dumps(kept), body)

    def _forget(self, number: int) -> None:
        with self.context.modality.database.write() as transaction:
            forget_request(transaction, number)


def _replay(kept: KeptRequest) -> Response:
    headers = {**json.loads(kept.headers), "idempotent-replayed": "true"}
    return Response(kept.body, kept.status or _DONE, headers)


IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=_LONGEST_KEY,
        pattern=r"^[\x21-\x7e]*$",
        description="Anything that is unique to this request: sent again with it, it is done once.",
    ),
]


async def find_once(
    request: Request,
    context: At,
    principal: Annotated[Principal, Depends(find_principal)],
    idempotency_key: IdempotencyKey = "",
) -> Once:
    """What makes a request one that is done once."""
    digest = digest_request(request, hashlib.sha256(await request.body()).hexdigest())
    return Once(context, name_owner(principal), idempotency_key, digest)


def name_owner(principal: Principal) -> str:
    """Who asks, a user or a token: their names may be the same."""
    return f"user {principal.name}" if principal.user_id else f"token {principal.name}"


def digest_request(request: Request, body: str) -> str:
    """What tells a request from others, by the digest of its body."""
    parts = [request.method, request.url.path, request.url.query, request.headers.get("content-type", ""), body]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


OnceOnly = Annotated[Once, Depends(find_once)]
"""Does a request once."""
