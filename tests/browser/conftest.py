"""A real server over a home of its own, and a real Chromium: what the tests of the page share."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


def free_port() -> int:
    """A port that nobody listens on. (Where Gradio searches for one itself, it forgets to close a socket.)"""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory):
    """Opens the page over a home, as often as a module asks; the address. Its pages are closed with the module."""
    from gan_play.ui import server

    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("uploads"))
    opened = []

    def open_page(home: Path, public: bool = False) -> str:
        blocks, address = server.launch(str(home), port=free_port(), public=public, wait=False)
        opened.append(blocks)
        return address

    yield open_page
    for blocks in opened:
        blocks.close()


@pytest.fixture(scope="module")
def address(serve, home: Path) -> str:
    """The page over `home`, where everybody is at home."""
    return serve(home)


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """One browser for all tests."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("GAN_PLAY_CHROMIUM") or (
        "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium) -> Iterator:
    """Opens a page as a visitor with an empty browser. Whatever breaks or pops up on it fails the test."""
    contexts, broken = [], []

    def open_page(address: str, width: int = 1280):
        context = chromium.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: broken.append(f"error: {error}"))
        page.on(
            "response",
            lambda answer: answer.status >= 400 and broken.append(f"{answer.status}: {answer.url}"),
        )
        page.goto(address)
        page.wait_for_function("document.querySelector('#state-tab') && localStorage.getItem('gan-play-key')")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not broken


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder called "stripes": twelve pictures, not square, and one file that is none."""
    from gan_play.pictures import images

    folder = tmp_path_factory.mktemp("pictures") / "stripes"
    folder.mkdir()
    for i in range(12):
        pixels = np.random.default_rng(i).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        pixels[:, 5 * i : 5 * i + 5] = 255
        (folder / f"{i}.png").write_bytes(images.encode(pixels, "png"))
    (folder / "notes.jpg").write_text("not a picture")
    return folder


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder called "twins" with twelve files of two pictures side by side: a sunset in grey, and in colour."""
    from gan_play.pictures import examples, images

    folder = tmp_path_factory.mktemp("pictures") / "twins"
    folder.mkdir()
    for i in range(12):
        right = examples.draw("sunsets", i, 32)
        left = np.repeat(right.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
        (folder / f"{i}.png").write_bytes(images.encode(np.concatenate([left, right], axis=1), "png"))
    return folder
