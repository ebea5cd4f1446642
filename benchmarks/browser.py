"""The page, served from here and opened in headless Chromium."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
PAINTED = """() => { const all = [...document.querySelectorAll('#seeds .tile img')];
  return all.length > 0 && all.every((image) => image.complete && image.naturalWidth > 0); }"""


@contextlib.contextmanager
def opened(home: Path) -> Iterator["Page"]:
    """The page over the runs in `home`, with its first grid painted; the browser is `GAN_PLAY_CHROMIUM`, where set."""
    os.environ.setdefault("GRADIO_TEMP_DIR", tempfile.mkdtemp())
    from playwright.sync_api import sync_playwright

    from gan_play.ui import server

    chromium = os.environ.get("GAN_PLAY_CHROMIUM", "/usr/bin/chromium")
    blocks, address = server.launch(str(home), wait=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium if Path(chromium).exists() else None, args=ARGUMENTS
        )
        print(f"in Chromium {browser.version}")
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_function(PAINTED)
        yield page
        browser.close()
    blocks.close()
