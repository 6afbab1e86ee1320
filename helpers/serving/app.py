"""The web application that uvicorn runs: MLflow's scoring server behind limits on what a request may be.

MLflow reads bodies of any size, and answers a malformed one with a stack trace.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from helpers.serving.request_body import MAX_BYTES, BadRequest, read_body, to_json, too_large
from helpers.tracking import scoring_app

Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]
SECONDS_TO_SEND = 60


class StrictRequests:
    """Pass requests to score on in one form, `to_json`'s; refuse the others before anything parses them."""

    def __init__(self, server: Callable):
        self._server = server

    async def __call__(self, scope: dict, receive: Receive, send: Send) -> None:
        """Answer one request (the ASGI protocol)."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != "/invocations":
            await self._server(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            body = await asyncio.wait_for(_read(headers, receive), SECONDS_TO_SEND)
        except BadRequest as error:
            await _refuse(error, send, unread=receive)
            return
        except TimeoutError:
            await _refuse(BadRequest(f"the request was not sent within {SECONDS_TO_SEND} s", 408), send)
            return
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        try:
            body = await asyncio.to_thread(lambda: to_json(read_body(body, content_type)))
        except BadRequest as error:
            await _refuse(error, send)
            return
        headers |= {b"content-type": b"application/json", b"content-length": str(len(body)).encode()}
        headers.pop(b"transfer-encoding", None)
        await self._server(scope | {"headers": list(headers.items())}, _replay(body, receive), send)


async def _read(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """Return a request's body; stop at the limit, whether its length was declared or not."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MAX_BYTES:
        raise too_large()
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("the client has hung up")
        body += message.get("body", b"")
        if len(body) > MAX_BYTES:
            raise too_large()
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a channel that first gives a body, then what the client does."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> dict:
        return messages.pop() if messages else await receive()

    return next_message


async def _refuse(error: BadRequest, send: Send, unread: Receive | None = None) -> None:
    body = json.dumps({"error_code": "BAD_REQUEST", "message": str(error)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if unread:  # a client that is cut off in the middle of its body never reads the answer
        with suppress(TimeoutError):
            await asyncio.wait_for(_discard(unread), SECONDS_TO_SEND)
    await send({"type": "http.response.body", "body": b""})


async def _discard(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


def make_app() -> Any:
    """Load the served model and return the application."""
    return StrictRequests(scoring_app())
