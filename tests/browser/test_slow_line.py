"""A slow line to a busy page: whatever is asked for is answered."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from gan_play.ui import streams

pytestmark = pytest.mark.slow

LATE_S = 3.0
"""How long after the page has asked for its next event it hears that the stream is over."""


@pytest.fixture
def slow_line(address: str, monkeypatch) -> Iterator[tuple[str, list[bool]]]:
    """The page's address over a line on which the end of a stream comes late; whether the page asked before it came."""
    monkeypatch.setattr(streams, "LONGEST_S", 60.0)
    asked, met = threading.Event(), []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if b"/queue/join" in data:
                    asked.set()
                if (at := data.find(b"close_stream")) >= 0:
                    target.sendall(data[:at])
                    data = data[at:]
                    asked.clear()
                    met.append(asked.wait(20))
                    time.sleep(LATE_S)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    class Line(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", urlsplit(address).port)) as page:
                back = threading.Thread(target=pump, args=(page, self.request))
                back.start()
                pump(self.request, page)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line) as line:
        line.daemon_threads = True
        threading.Thread(target=line.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{line.server_address[1]}/", met
        line.shutdown()


def test_what_is_asked_for_while_a_stream_is_being_closed_is_answered(visit, slow_line, pairs: Path):
    line, met = slow_line
    page = visit(line)
    page.get_by_role("tab", name="Gather", exact=True).click()
    page.set_input_files("#drop input[name=folder]", pairs)
    page.wait_for_selector("#report .contact img")
    page.locator("#gather-split").click()
    expect(page.locator("#report")).to_contain_text("left (12), right (12)", timeout=60_000)
    assert any(met)
