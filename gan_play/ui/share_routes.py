"""The addresses of artworks.

    GET /gradio_api/art/CODE.png           the picture itself, as PNG with its card; a walk's strip
    GET /gradio_api/art/CODE.mp4|gif|webp  a film that was made here
    GET /gradio_api/art/CODE               a small page that chat programs can show, which leads to the picture
    GET /gradio_api/kept/ID.png            the picture of a kept work, whose id only its owner knows

`?download=1` asks the browser to save the file. A code says all that is needed, so an answer never changes for this
build and may be kept. Bad and foreign codes answer 404 with their sentence.
"""

import functools
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import numpy as np
from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from fastapi.routing import APIRoute

from gan_play.latent import directions
from gan_play.latent.film import FORMATS
from gan_play.latent.found import SIGN, Found
from gan_play.latent.mix import BANDS
from gan_play.latent.sample import Model, seed_name
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.pictures import images
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import gallery
from gan_play.share.artwork import Artwork
from gan_play.steps import steps_of
from gan_play.ui import routes as own_routes
from gan_play.ui.words import say

KEPT_PICTURES = 400
"""Rendered pictures held in memory: eleven grids of 36; about 4 MB at 64 px, 200 MB at 512 px."""

KINDS = {"mp4": "video/mp4", "gif": "image/gif", "webp": "image/webp", "zip": "application/zip"}
DAY = {"Cache-Control": "public, max-age=86400"}
PRIVATE = {"Cache-Control": "private, max-age=86400"}

turns = threading.BoundedSemaphore(8)  # renderings asked for at once; the rest wait in line, not in memory


_listening: ContextVar[Callable[[int, int], None] | None] = ContextVar("listening", default=None)


@dataclass(frozen=True, eq=False)
class Picture:
    """An artwork as this page serves it."""

    pixels: np.ndarray  # uint8 (H, W, 3); of a walk: its strip
    png: bytes
    sha256: str  # of the raw pixels; of a walk that has no film yet: ""
    code: str  # sealed where it can be
    sentence: str  # whether it is what was shared


def plain(artwork: Artwork) -> Artwork:
    """The recipe alone, without the seal of who shared it."""
    return replace(artwork, seal="")


_made_now: dict[tuple[Path, str], threading.Lock] = {}  # pictures that somebody waits for
_last_s = 0.0  # when somebody last did


def picture(home: Path, code: str) -> Picture:
    """The picture that a code names, rendered canonically. Refused for a bad or a foreign code.

    Whoever asks for it while it is being made gets the same one. Requests for several pictures aren't rendered in one
    batch: in six of sixteen that changed a pixel, and saved but a quarter of the time.
    """
    artwork = artworks.decode(code)
    if artwork.seal and not artwork.is_film:  # the same picture, painted once however it is asked for
        known = picture(home, artworks.encode(plain(artwork)))
        return replace(known, sentence=artworks.verdict(artwork.seal, artworks.decode(known.code).seal))
    global _last_s
    try:
        with _made_now.setdefault((home, code), threading.Lock()):
            return _picture(home, code)
    finally:
        _made_now.pop((home, code), None)
        _last_s = time.monotonic()


def waited_for() -> bool:
    """Whether somebody waits for a picture just now."""
    return bool(_made_now)


def quiet_s() -> float:
    """For how long nobody has waited for a picture."""
    return 0.0 if waited_for() else time.monotonic() - _last_s


@functools.lru_cache(maxsize=KEPT_PICTURES)
def _picture(home: Path, code: str) -> Picture:
    artwork = artworks.decode(code)
    with turns:
        if artwork.is_film:
            return _strip(home, artwork)
        made = artworks.render(home, artwork, progress=_listening.get())
        return Picture(made.pixels, made.png, made.sha256, made.code, made.sentence)


picture.cache_clear = _picture.cache_clear


def painting(home: Path, code: str) -> Iterator[tuple[int, int]]:
    """`picture`, which tells how far it is: (tiles done, in all) of a large painting that isn't in memory yet. Closed
    early, it ends at its next tile."""

    def make(progress: Callable[[int, int], None]) -> Picture:
        _listening.set(progress)  # of this thread alone
        return picture(home, code)

    return (yield from steps_of(make))


def _strip(home: Path, artwork: Artwork) -> Picture:
    """A walk's stills, without making its film."""
    model = artworks.model_of(home, artwork)
    pixels = artworks.strip_of(model, artwork)
    png = images.encode(pixels, "png", text=artworks.card(artwork, model, home))
    return Picture(pixels, png, "", artworks.encode(artwork), "")


def known_film(home: Path, artwork: Artwork, form: str) -> Path | None:
    """The film of a walk if it was made here."""
    if not artwork.is_film or form not in FORMATS:
        return None
    path = artworks.film_path(home, artwork, form)
    return path if path.is_file() else None


def film_address(code: str, form: str) -> str:
    """Where the page finds a film; relative."""
    return f"gradio_api/art/{code}.{form}"


def step_words(name: str, by: float) -> str:
    """A step of steering, in a title: an attribute by its word, a direction by its id and its layers."""
    if name in ATTRIBUTES:
        return f"{say(f'steer.{name}').lower()} {by:+g}"
    direction = directions.read(name)
    return (
        f"{direction.id}{'' if all(direction.bands) else ' ' + bands_words(direction.bands).lower()} {by:+g}"
    )


def bands_words(bands: Sequence[bool]) -> str:
    """Which layers a direction is applied to, in words."""
    if all(bands):
        return say("directions.all")
    return " + ".join(say(f"play.{band}") for band, on in zip(BANDS, bands) if on)


def title_of(artwork: Artwork, model: Model) -> str:
    """An artwork's name for people: what it is, in which labels, of which model, how large."""
    if artwork.translation:
        what = say(f"translate.of.{'repair' if artwork.translation.mask else 'picture'}")
        return say("play.title.translate", what=what, model=model.name)
    known = all(number < len(model.labels) for number in artwork.label_numbers)
    labels = artworks.label_words(artwork, model) if known else list(map(str, artwork.label_numbers))
    each = list(map(seed_name, artwork.seeds))
    if artwork.operation in ("label_walk", "label_mix"):
        each = [f"{seed} ({label})" for seed, label in zip(each, labels)]
    seeds = ", ".join(each)
    whole = [labels[0], model.name] if artwork.label is not None else [model.name]
    alone = "found" if isinstance(artwork.seeds[0], Found) else "sample"
    facts = {"model": ", ".join(whole), "size": model.generator.size_px}
    if artwork.operation == "label_grid":
        return say("play.title.label_grid", seeds=seeds, labels=", ".join(labels), **facts)
    if artwork.operation in ("mix", "label_mix"):
        a, b = each
        return say("play.title.mix", a=a, b=b, **facts)
    if artwork.operation == "mix_grid":
        columns = ", ".join(map(seed_name, artwork.columns))
        return say(
            "play.title.mix_grid", band=say(f"play.{artwork.band}"), rows=seeds, columns=columns, **facts
        )
    if artwork.operation in artworks.GENETIC:
        what = "breed" if len(set(artwork.seeds)) > 1 else alone
        title = say(f"play.title.{what}", count=len(set(artwork.seeds)), seed=seeds, name=seeds, **facts)
        steps = ", ".join(step_words(name, by) for name, by in artwork.steps)
        return f"{title} ({steps})" if steps else title
    if artwork.timeline:
        return say(
            "film.title", count=len(artwork.timeline.keys), seconds=f"{artwork.timeline.seconds:g}", **facts
        )
    if artwork.is_film:
        return say("play.title.walk", seeds=seeds, seconds=f"{artwork.seconds:g}", **facts)
    return say(f"play.title.{alone}", seed=seeds, name=seeds, **facts)


def routes(home: Path) -> list[APIRoute]:
    """The routes over one home, for `launch(app_kwargs={"routes": ...})`."""

    def art_png(code: str, request: Request) -> Response:
        try:
            if artworks.decode(code).seal:  # without one it is a mere recipe, as the page's own tiles use it
                gallery.check_alive(home, code)
            found = picture(home, code)
            if "download" in request.query_params:
                artworks.keep_needed(home, artworks.decode(code))  # a saved picture can be brought back
        except Refused as refused:
            return missing(refused)
        return Response(found.png, media_type="image/png", headers=DAY | saved_as(code, "png", request))

    def art_film(code: str, form: str, request: Request) -> Response:
        try:
            gallery.check_alive(home, code)
            path = known_film(home, artworks.decode(code), form)
        except Refused as refused:
            return missing(refused)
        if path is None:
            return PlainTextResponse(say("share.no_film"), 404)
        return FileResponse(path, media_type=KINDS[form], headers=DAY | saved_as(code, form, request))

    def art_page(code: str, request: Request) -> Response:
        try:
            artwork = artworks.decode(code)
            gallery.check_alive(home, code)
            model = artworks.model_of(home, artwork)
        except Refused as refused:
            return missing(refused)
        return HTMLResponse(card_page(code, model.name, str(request.base_url)))

    def kept_png(work_id: str, request: Request) -> Response:
        path = gallery.picture_path(home, work_id)
        if not re.fullmatch(r"[0-9a-f]{24}", work_id) or not path.is_file():
            return PlainTextResponse(say("share.not_kept"), 404)
        named = f'attachment; filename="gan-play-{work_id[:8]}.png"'
        saved = {"Content-Disposition": named} if "download" in request.query_params else {}
        return FileResponse(path, media_type="image/png", headers=PRIVATE | saved)

    paths = [own_routes.route("/gradio_api/kept/{work_id}.png", kept_png)]
    paths += [own_routes.route("/gradio_api/art/{code}.png", art_png)]
    paths += [own_routes.route("/gradio_api/art/{code}.{form}", art_film)]
    return [*paths, own_routes.route("/gradio_api/art/{code}", art_page)]


def missing(refused: Refused) -> Response:
    """A code that leads nowhere here: its sentence, as text."""
    return PlainTextResponse(refused.refusal.sentence, 404)


def saved_as(code: str, suffix: str, request: Request) -> dict[str, str]:
    """The header that makes a browser save the file, where it was asked to."""
    if "download" not in request.query_params:
        return {}
    artwork = artworks.decode(code)
    seeds = "-".join(map(seed_name, artwork.seeds[:3])).replace(SIGN, "found")
    seeds = artwork.translation.picture[:8] if artwork.translation else seeds
    return {"Content-Disposition": f'attachment; filename="gan-play-{artwork.operation}-{seeds}.{suffix}"'}


def card_page(code: str, name: str, base: str) -> str:
    """A page for chat programs: title and picture; a person's browser goes on to the artwork at once."""
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]_-]+/", base):
        base = "/"
    title, about = escape(say("share.card.title", model=name)), escape(say("share.card.sentence"))
    image, there = escape(f"{base}gradio_api/art/{code}.png"), escape(f"{base}?art={code}")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta property="og:type" content="website"><meta property="og:title" content="{title}">
<meta property="og:description" content="{about}"><meta property="og:image" content="{image}">
<meta property="og:image:type" content="image/png"><meta name="twitter:card" content="summary_large_image">
<meta http-equiv="refresh" content="0; url={there}"></head>
<body><p><a href="{there}"><img src="{image}" alt="{title}"></a></p></body></html>"""
