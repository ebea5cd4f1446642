"""No event and no answer is lost on a busy computer: two races in the page of Gradio 6.31, won here.

All queued events of a page answer over one stream. When the last is done, Gradio's server says `close_stream`, and
ends it. A page that asks for its next event just then may read the answer to its asking first: it takes the stream that
is about to be closed for its own, opens no other, and waits for ever. So with `Closing` the answer to an asking waits
until the page has left the old stream.

Of what a generator yields, Gradio sends only what has changed, and its page writes that into the answer before, which
may still be waiting to be shown: where two yields arrive close together and the second skips what the first had set,
the first is never shown. So with `whole` each answer is sent whole where it has changed at all.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from urllib.parse import parse_qs

import gradio.utils

LONGEST_S = 3.0
"""How long a page may take to leave a closed stream."""

MOST_WAITS = 3
"""A page that so many times in turn wasn't seen to leave is no longer waited for: some proxies don't tell."""

MOST_REMEMBERED = 10_000
CLOSE = b'"msg":"close_stream"'
MOST_CLOSE_BYTES = 100
"""A message that closes a stream is short; an answer that holds the same words is longer."""


def send_whole() -> None:
    """From now on this process sends what generators yield by `whole`."""
    gradio.utils.diff = whole


def whole(old: object, new: object) -> list:
    """What Gradio's page shall do with the last answer of an output so that it becomes the new one: put the new one in
    its place, as it is. Gradio's own way saves a few bytes."""
    return [] if old == new else [["replace", [], new]]


class Closing:
    """ASGI middleware around Gradio's queue."""

    def __init__(self, app: Callable) -> None:
        self.app = app
        self.closing: dict[str, asyncio.Event] = {}  # by session: set as soon as its page has left
        self.unseen: dict[str, int] = {}  # by session: how many times in turn its page wasn't seen to leave

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if path.endswith("/queue/data"):
            await self.app(scope, receive, self.until_left(session_asked(scope), receive, send))
        elif path.endswith("/queue/join"):
            body = bytearray()
            await self.app(scope, reading(receive, body), self.after_closing(body, send))
        else:
            await self.app(scope, receive, send)

    def until_left(self, session: str, receive: Callable, send: Callable) -> Callable:
        """Sends a stream, and ends it only when the page has left it."""

        async def sending(message: dict) -> None:
            body = message.get("body", b"")
            if CLOSE not in body or len(body) > MOST_CLOSE_BYTES or self.unseen.get(session, 0) >= MOST_WAITS:
                return await send(message)
            left = self.closing[session] = asyncio.Event()
            try:
                await send(message)
                await asyncio.wait_for(disconnected(receive), LONGEST_S)
                self.unseen.pop(session, None)
            except asyncio.TimeoutError:
                if len(self.unseen) >= MOST_REMEMBERED:
                    self.unseen.clear()
                self.unseen[session] = self.unseen.get(session, 0) + 1
            finally:  # also where the server gives the stream up, which is how it hears that the page has left
                left.set()
                if self.closing.get(session) is left:
                    del self.closing[session]

        return sending

    def after_closing(self, body: bytearray, send: Callable) -> Callable:
        """Sends the answer to an asking as soon as no stream of its session is being closed."""

        async def sending(message: dict) -> None:
            begins = message["type"] == "http.response.start"
            if begins and self.closing and (left := self.closing.get(session_of(body))):
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(left.wait(), LONGEST_S)
            await send(message)

        return sending


async def disconnected(receive: Callable) -> None:
    """Waits until whoever asked has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def session_asked(scope: dict) -> str:
    """The session in an address."""
    return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]


def session_of(body: bytes) -> str:
    """The session in an asking; "" where it is none."""
    try:
        return str(json.loads(body)["session_hash"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def reading(receive: Callable, into: bytearray) -> Callable:
    """Receives, and remembers the body."""

    async def receiving() -> dict:
        message = await receive()
        into.extend(message.get("body", b""))
        return message

    return receiving
