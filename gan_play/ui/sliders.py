"""Play's sliders while they are dragged: the page's script asks for the picture alone, past Gradio's events.

    GET /gradio_api/drag/CODE.webp?truncation=&weights=&steps=    what CODE becomes with the sliders where they are

Nothing is kept of it and it has no card; once a slider is let go, Gradio's event makes the page's new state of it.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from gan_play.latent import preview, steer
from gan_play.latent.sample import load_digest
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.pictures import images
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import gallery
from gan_play.share.artwork import Artwork
from gan_play.ui import look, routes, share_routes
from gan_play.ui.words import say

ADVENTURE = (
    (0.15, "average"),
    (0.45, "calm"),
    (0.65, "measured"),
    (0.85, "balanced"),
    (1.05, "bold"),
    (1.45, "wild"),
)
RECKLESS = "reckless"


def adventure(truncation: float) -> str:
    """A truncation in words."""
    word = next((word for limit, word in ADVENTURE if truncation < limit), RECKLESS)
    return say("play.adventure", word=say(f"play.adventure.{word}"), number=f"{truncation:.2f}")


def dragged(artwork: Artwork, truncation: str = "", weights: str = "", steps: str | None = None) -> Artwork:
    """What an artwork becomes with the sliders as a browser tells them: how adventurous, the weights of a mix, the
    steps of steering; what isn't told stays as it is. Refused for what can't be."""
    changes: dict[str, object] = {"seal": ""}
    if truncation:
        changes["truncation"] = truncation
    if weights and artwork.weights:
        changes["weights"] = tuple(weights.split(",", 3))
    moved = dataclasses.replace(artwork, **changes)
    if steps is None:
        return moved
    return artworks.bred(moved.genome, moved.model, moved.truncation, steer.parse_steps(steps))


def paint(home: Path, artwork: Artwork) -> np.ndarray:
    """Its picture as quickly as it can be had.  # uint8 (S, S, 3)"""
    if artwork.operation not in artworks.GENETIC:
        return artworks.still(home, artwork)
    model = load_digest(home, artwork.model)
    return preview.paint(model, artwork.genome, artwork.truncation, artwork.steps)


def address_routes(home: Path) -> list[APIRoute]:
    """The route over one home."""

    def drag(code: str, request: Request) -> Response:
        asked = request.query_params
        try:
            artwork = artworks.decode(code)
            if artwork.seal:
                gallery.check_alive(home, code)
            moved = dragged(
                artwork, asked.get("truncation", ""), asked.get("weights", ""), asked.get("steps")
            )
            if not moved.is_single:
                return Response(status_code=404)
            with share_routes.turns:
                pixels = paint(home, moved)
        except Refused as refused:
            return share_routes.missing(refused)
        webp = images.encode(pixels, "webp", lossless=True)
        return Response(webp, media_type="image/webp", headers={"Cache-Control": "no-store"})

    return [routes.route("/gradio_api/drag/{code}.webp", drag)]


def script() -> str:
    """The script, with its words."""
    words = [word for _, word in ADVENTURE] + [RECKLESS]
    said = [say("play.adventure", word=say(f"play.adventure.{word}"), number="{number}") for word in words]
    known = {"limits": [limit for limit, _ in ADVENTURE], "said": said, "attributes": list(ATTRIBUTES)}
    return f"const known = {json.dumps(known)};\n" + look.asset("sliders.js")
