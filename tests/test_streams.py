"""Streams that are being closed: the answer to an asking waits until the page has left, of its own session alone."""

import asyncio
import json

import gradio as gr
import gradio.utils

from gan_play.ui import server, streams

CLOSE = b'data: {"event_id":null,"msg":"close_stream"}\n\n'


class Visitor:
    """One request to the middleware: what it has been sent, and how it leaves."""

    def __init__(self, door: streams.Closing, path: str, session: str, body: bytes = b"") -> None:
        self.sent, self.left = [], asyncio.Event()
        self.bodies = [{"type": "http.request", "body": body}] if path.endswith("join") else []
        scope = {"type": "http", "path": path, "query_string": f"session_hash={session}".encode()}
        self.task = asyncio.ensure_future(door(scope, self.receive, self.send))

    async def receive(self) -> dict:
        if self.bodies:
            return self.bodies.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict) -> None:
        self.sent.append(message)


async def gradio_of_old(scope, receive, send) -> None:
    """Answers as Gradio's queue does: a stream that is over at once, or an asking that is taken."""
    await receive() if scope["path"].endswith("join") else None
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"].endswith("data"):
        await send({"type": "http.response.body", "body": CLOSE, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def asking(session: str) -> bytes:
    return json.dumps({"data": [], "fn_index": 7, "session_hash": session}).encode()


def test_an_asking_is_answered_when_its_page_has_left_the_closed_stream():
    async def go() -> None:
        door = streams.Closing(gradio_of_old)
        stream = Visitor(door, "/gradio_api/queue/data", "mine")
        await asyncio.sleep(0.01)
        assert [message.get("body") for message in stream.sent] == [None, CLOSE]  # told, and not ended yet
        mine = Visitor(door, "/gradio_api/queue/join", "mine", asking("mine"))
        other = Visitor(door, "/gradio_api/queue/join", "other", asking("other"))
        broken = Visitor(door, "/gradio_api/queue/join", "mine", b"[" * 100_000)
        await asyncio.sleep(0.05)
        assert other.task.done() and broken.task.done() and not mine.task.done() and not mine.sent
        stream.left.set()
        await asyncio.wait_for(asyncio.gather(mine.task, stream.task), 1)
        assert len(mine.sent) == 2 and len(stream.sent) == 3 and not door.closing

    asyncio.run(go())


def test_who_never_leaves_a_closed_stream_is_waited_for_no_longer_than_that(monkeypatch):
    async def go() -> None:
        door = streams.Closing(gradio_of_old)
        stream = Visitor(door, "/gradio_api/queue/data", "mine")
        await asyncio.sleep(0.01)
        mine = Visitor(door, "/gradio_api/queue/join", "mine", asking("mine"))
        await asyncio.wait_for(asyncio.gather(mine.task, stream.task), 1)
        assert not door.closing and len(mine.sent) == 2
        for _ in range(streams.MOST_WAITS):
            again = Visitor(door, "/gradio_api/queue/data", "mine")
            await asyncio.wait_for(again.task, 1)
        await asyncio.wait_for(Visitor(door, "/gradio_api/queue/data", "mine").task, 0.05)

    monkeypatch.setattr(streams, "LONGEST_S", 0.1)
    asyncio.run(go())


def test_a_stream_that_the_server_gives_up_keeps_nobody_waiting():
    async def go() -> None:
        door = streams.Closing(gradio_of_old)
        stream = Visitor(door, "/gradio_api/queue/data", "mine")
        await asyncio.sleep(0.01)
        mine = Visitor(door, "/gradio_api/queue/join", "mine", asking("mine"))
        await asyncio.sleep(0.01)
        stream.task.cancel()
        await asyncio.wait_for(mine.task, 1)
        assert not door.closing

    asyncio.run(go())


def test_answers_are_sent_whole_so_that_one_never_changes_another(monkeypatch, tmp_path):
    monkeypatch.setattr(gradio.utils, "diff", gradio.utils.diff)
    monkeypatch.setattr(gr.Blocks, "launch", lambda *given, **settings: (None, "", ""))
    server.launch(str(tmp_path), wait=False)
    first = {"value": "a set", "__type__": "update"}
    assert gradio.utils.diff(first, {"__type__": "update"}) == [["replace", [], {"__type__": "update"}]]
    assert gradio.utils.diff(first, dict(first)) == []
