"""Our own addresses under `/gradio_api/`, and the door before all addresses.

    GET /gradio_api/run/RUN/grid/STEP.webp          a grid of a run
    GET /gradio_api/run/RUN/picture/INDEX.webp      a picture that a run learns from, as it sees it (in public with its
                                                    ?key=, which the owner's page knows)
    GET /gradio_api/run/RUN/card.md                 what is known of its model, as a file to save
    GET /gradio_api/set/SET/INDEX-SIZE.webp         a small picture of a set
    GET /gradio_api/set/SET/map-VERSION.webp        the pictures on the map of a set, in rows
    GET /gradio_api/set/SET/square/INDEX-HOW-BACK.webp the same made square in one of three ways
    GET /gradio_api/example/NAME.webp               what an example set looks like

Whatever does not exist, is misspelt or points elsewhere answers 404, alike. Ids are matched before they touch a path.
`Door` answers 403 to requests that a foreign web page could have made in the visitor's name (wrong Host or Origin).
"""

import functools
import hmac
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from fastapi import HTTPException
from fastapi.responses import FileResponse, Response
from fastapi.routing import APIRoute

from gan_play import files
from gan_play.measure import atlas
from gan_play.pictures import datasets, examples, images
from gan_play.refusals import Refused
from gan_play.runs import store
from gan_play.share import export

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SET_ID = re.compile(r"[0-9a-f]{16}")
THUMBNAILS = {96, 384}
PREVIEW_PX = 88
LEARNT_PX = 128


def routes(home: Path, public: bool = False) -> list[APIRoute]:
    """The routes over one home, for `launch(app_kwargs={"routes": ...})`. What a run learns from is its owner's alone
    where strangers may come (`public`)."""

    def grid(run: str, step: int) -> Response:
        return picture(run_folder(home, run) / "samples" / f"step-{step:06d}.webp")

    def learnt(run: str, index: int, key: str = "") -> Response:
        folder = run_folder(home, run)
        wanted = store.picture_key(folder)
        if public and not (wanted and hmac.compare_digest(wanted.encode(), key.encode())):
            raise HTTPException(404)
        answer = made(lambda: learnt_picture(folder / "set", index), "image/webp")
        answer.headers["Cache-Control"] = FOREVER["Cache-Control"].replace("public", "private")
        return answer

    def card(run: str) -> Response:
        run_folder(home, run)
        try:
            text = export.model_card(home, run)
        except Refused:
            raise HTTPException(404) from None
        saved = {"Content-Disposition": f'attachment; filename="{export.card_name(run)}"'}
        return Response(text, media_type="text/markdown", headers=saved | {"Cache-Control": "no-cache"})

    def thumbnail(set_id: str, index: int, size: int) -> Response:
        if size not in THUMBNAILS:
            raise HTTPException(404)
        return made(lambda: datasets.thumbnail(set_folder(home, set_id), index, size), "image/webp")

    def map_sheet(set_id: str, version: int) -> Response:
        if version != atlas.FORMAT:
            raise HTTPException(404)
        return picture(set_folder(home, set_id) / atlas.SHEET_FILE)

    def square(set_id: str, index: int, how: str, background: str) -> Response:
        if how not in datasets.FITS or not re.fullmatch(r"[0-9a-f]{6}", background):
            raise HTTPException(404)
        folder, colour = set_folder(home, set_id), tuple(bytes.fromhex(background))

        def draw() -> bytes:
            pixels = np.stack(datasets.preview_fit(folder, index, PREVIEW_PX, how, colour))
            return images.encode(images.grid(pixels, len(pixels)), "webp")

        return made(draw, "image/webp")

    def example(name: str) -> Response:
        if name not in examples.EXAMPLES:
            raise HTTPException(404)
        return made(lambda: example_strip(name), "image/webp")

    return [
        route("/gradio_api/run/{run}/grid/{step:int}.webp", grid),
        route("/gradio_api/run/{run}/picture/{index:int}.webp", learnt),
        route("/gradio_api/run/{run}/card.md", card),
        route("/gradio_api/set/{set_id}/{index:int}-{size:int}.webp", thumbnail),
        route("/gradio_api/set/{set_id}/map-{version:int}.webp", map_sheet),
        route("/gradio_api/set/{set_id}/square/{index:int}-{how}-{background}.webp", square),
        route("/gradio_api/example/{name}.webp", example),
    ]


def route(path: str, endpoint: Callable[..., Response]) -> APIRoute:
    """One address that can be read; kept out of the public description of the API."""
    return APIRoute(path, endpoint, methods=["GET", "HEAD"], include_in_schema=False)


def run_folder(home: Path, run: str) -> Path:
    """The folder of a run, or 404."""
    if not files.is_id(run):
        raise HTTPException(404)
    try:
        return store.find_run(home, run)
    except Refused:
        raise HTTPException(404) from None


def set_folder(home: Path, set_id: str) -> Path:
    """The folder of a set, or 404."""
    folder = home / "sets" / set_id
    if not SET_ID.fullmatch(set_id) or not folder.is_dir():
        raise HTTPException(404)
    return folder


def made(draw: Callable[[], bytes], kind: str) -> Response:
    """A picture drawn on demand that will always be the same, or 404."""
    try:
        return Response(draw(), media_type=kind, headers=FOREVER)
    except (Refused, IndexError):
        raise HTTPException(404) from None


def learnt_picture(folder: Path, index: int) -> bytes:
    """A square of a run's set, within the size of a thumbnail. Errors: Refused, IndexError."""
    square = np.array(datasets.open_block(folder).pixels[index])
    return images.encode(images.resize(square, min(len(square), LEARNT_PX)), "webp", quality=85)


@functools.lru_cache
def example_strip(name: str) -> bytes:
    """Eight pictures of an example set in two rows."""
    pixels = np.stack([examples.draw(name, seed, 64) for seed in range(8)])
    return images.encode(images.grid(pixels, 4), "webp")


def picture(path: Path) -> Response:
    """A file that never changes once it is there, or 404."""
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, headers=FOREVER)


class Door:
    """ASGI middleware: only requests that were meant for this server, from its own page or from a program.

    The Host must be ours, so that a foreign name cannot be rebound to this address: loopback names, plain IP
    addresses where the server listens beyond loopback (a name can be rebound, an address can't), and the public
    names given. The Origin, where there is one, must be the Host's own; `null` is nobody's.
    """

    def __init__(self, app: Callable, names: frozenset[str] = frozenset(), addresses: bool = False) -> None:
        self.app = app
        self.names = names | LOOPBACK
        self.addresses = addresses

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] not in ("http", "websocket") or self.welcome(scope):
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        return await Response("Not from here.", 403, media_type="text/plain")(scope, receive, send)

    def welcome(self, scope: dict) -> bool:
        """Whether Host and Origin are ours. Repeated headers are nobody's honest request."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if len(hosts) != 1 or len(origins) > 1:
            return False
        host = hosts[0].decode("latin-1").lower()
        if not self.known(host):
            return False
        if not origins:
            return True
        scheme, _, rest = origins[0].decode("latin-1").lower().partition("://")
        return scheme in ("http", "https") and (rest == host or hostname(rest) in self.names - LOOPBACK)

    def known(self, host: str) -> bool:
        name = hostname(host)
        if name in self.names or any(own.startswith("*.") and name.endswith(own[1:]) for own in self.names):
            return True
        if not self.addresses:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def hostname(netloc: str) -> str:
    """The name in a Host header or an Origin, without port and brackets; "" where there is none or more than that."""
    if not re.fullmatch(r"[a-z0-9.:\[\]_-]+", netloc):
        return ""
    try:
        parts = urlsplit(f"//{netloc}")
        return parts.hostname or "" if parts.port is None or parts.port else ""
    except ValueError:
        return ""
