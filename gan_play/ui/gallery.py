"""Gallery: what was kept, and where it came from.

A work lies in `HOME/gallery/` as `ID.png` (the picture, or a walk's strip, with its card) and `ID.json` (its code and
facts); the film of a walk stays in `HOME/films/` and can be made again from the code. The JSON is written last, so a
work without one isn't there. Where strangers may come, each browser sees only its own.
"""

import hashlib
import hmac
import time
from dataclasses import replace
from html import escape
from pathlib import Path

import gradio as gr

from gan_play import files, limits
from gan_play.latent.sample import load_digest, pin
from gan_play.pictures import images
from gan_play.refusals import Refusal, Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.ui import look, tiles
from gan_play.ui.share_routes import film_address, known_film, picture, sealer, title_of
from gan_play.ui.shared import QUIET, Shared, told
from gan_play.ui.words import say

MOST_WORKS = 2000
"""Works of one home: at 64 px about 30 MB. A public page can't be made to fill the disk."""

SHOWN = 60
"""Works on the page at once; the newest."""

HOWS = ("kept", "opened")


def owner_of(key: str) -> str:
    """What is written down of a browser's key: never the key itself."""
    return hashlib.sha256(key.encode()).hexdigest()


def keep(home: Path, code: str, key: str = "", how: str = "kept") -> str:
    """Writes an artwork into the gallery, and returns its id. Keeping it again changes nothing, but that a link
    that was opened becomes a work that was kept. Refused for a bad code, a model that isn't here, a full gallery."""
    artwork = artworks.decode(code)
    model = load_digest(home, artwork.model)
    recipe = artworks.encode(replace(artwork, seal=""))
    owner = owner_of(key)
    work_id = hashlib.sha256(f"{owner} {recipe}".encode()).hexdigest()[:24]
    folder = home / "gallery"
    folder.mkdir(exist_ok=True)
    known = files.read_json(folder / f"{work_id}.json")
    if isinstance(known, dict) and (how == "opened" or known.get("how") == "kept"):
        return work_id
    if not known and sum(1 for _ in folder.glob("*.json")) >= MOST_WORKS:
        raise Refused(Refusal("gallery-full", "", say("gallery.full", most=MOST_WORKS)))
    if files.free_bytes(home) < limits.FREE_BYTES_KEPT:
        raise Refused(refuse("disk-full", megabytes=limits.FREE_BYTES_KEPT // limits.MB))
    pin(home, model)
    found = picture(home, code)
    files.write_atomically(folder / f"{work_id}.png", found.png)
    about = {
        "code": found.code,
        "operation": artwork.operation,
        "title": title_of(artwork, model),
        "size_px": model.generator.size_px,
        "sha256": found.sha256,
        "how": how,
        "time": int(time.time()),
        "owner": owner,
    }
    files.write_json(folder / f"{work_id}.json", about)
    return work_id


def works(home: Path, key: str = "", public: bool = False) -> list[dict]:
    """The works, newest first: dicts as written, with their id. Damaged ones are passed over."""
    found = []
    for path in (home / "gallery").glob("*.json"):
        about = files.read_json(path)
        if not isinstance(about, dict) or not is_whole(about):
            continue
        if public and not hmac.compare_digest(str(about.get("owner", "")), owner_of(key)):
            continue
        found.append(about | {"id": path.stem})
    return sorted(found, key=lambda about: (about["time"], about["id"]), reverse=True)


def is_whole(about: dict) -> bool:
    """Whether a work's JSON says what the page needs."""
    try:
        artworks.decode(about["code"])
        return about["how"] in HOWS and isinstance(about["time"], int) and isinstance(about["title"], str)
    except (KeyError, TypeError, Refused):
        return False


def forget(home: Path, code: str, key: str = "", public: bool = False) -> bool:
    """Removes a work; the JSON first, so that a half-removed one isn't there. False where it wasn't."""
    for about in works(home, key, public):
        if about["code"] == code:
            for suffix in ("json", "png"):
                (home / "gallery" / f"{about['id']}.{suffix}").unlink(missing_ok=True)
            return True
    return False


def stamp(home: Path) -> str:
    """Changes whenever a work comes or goes."""
    try:
        return str((home / "gallery").stat().st_mtime_ns)
    except OSError:
        return ""


def work(home: Path, about: dict) -> str:
    """One work as HTML: the picture or the playing film, what it is, the same actions as everywhere."""
    code = about["code"]
    artwork = artworks.decode(code)
    form = next((form for form in ("mp4", "webp", "gif") if known_film(home, artwork, form)), "")
    film = film_address(code, form) if form else ""
    alt, sharp = escape(about["title"]), " sharp" if about.get("size_px", 64) < 64 else ""
    if form == "mp4":
        shown = f'<video src="{film}" controls loop muted playsinline preload="metadata" aria-label="{alt}"></video>'
    else:
        shown = (
            f'<button type="button" class="large" data-do="open" data-code="{escape(code)}" aria-label='
            f'"{escape(say("act.open.of", title=about["title"]))}">'
            f'<img src="{film or tiles.address(code)}" alt="{alt}" loading="lazy"></button>'
        )
    date = time.strftime("%d %b %Y, %H:%M", time.localtime(about["time"]))
    came = escape(say(f"gallery.how.{about['how']}", date=date))
    acts = tiles.actions(code, ("play", "forget"), film=film and film + "?download=1", keep=False)
    return (
        f'<figure class="work{sharp}">{shown}<figcaption>{alt}</figcaption>'
        f'<p class="subdued small">{came}</p>{acts}</figure>'
    )


def stamper(home: Path):
    """What the wall's script asks for: whether there is anything new to hang."""

    def stamped(_asked: object) -> str:
        return stamp(home)

    return stamped


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
    home = shared.home

    with gr.Row(elem_id="gallery-open-row"):
        wanted = gr.Textbox(
            label=say("gallery.open"),
            placeholder=say("gallery.open.hint"),
            max_length=limits.MOST_LINK_CHARS,
            elem_id="gallery-open",
            scale=3,
        )
        dropped = gr.File(
            label=say("gallery.check"),
            file_types=[".png"],
            file_count="single",
            height=150,
            elem_id="gallery-check",
            scale=2,
        )
    verdict = gr.HTML("", elem_id="gallery-verdict", elem_classes="piece", apply_default_css=False)
    with gr.Column(elem_id="gallery-empty") as nothing:
        gr.HTML(look.sentence(say("gallery.empty")))
        begin = gr.Button(say("gallery.empty.do"), variant="primary")
    wall = gr.HTML(
        '<div class="works"></div>',
        elem_id="gallery-wall",
        elem_classes="piece",
        js_on_load=look.polling("gallery.js") + tiles.script(),
        apply_default_css=False,
        server_functions=[sealer(home), stamper(home)],
    )

    def hang(key: str):
        """What hangs on the wall."""
        found = works(home, key, shared.public)
        html = "".join(work(home, about) for about in found[:SHOWN])
        return {
            wall: gr.update(value=f'<div class="works">{html}</div>'),
            nothing: gr.update(visible=not found),
        }

    wall.look(hang, shared.key, [wall, nothing], api_name="ui_gallery", **QUIET)
    begin.click(lambda: gr.Tabs(selected="play"), None, shared.tabs, api_name="ui_gallery_begin", **QUIET)

    def opened(text: str):
        """Show an artwork in its tool."""
        with told():
            code = artworks.find_code(text)
            load_digest(home, artworks.decode(code).model)
        return {shared.art: gr.update(value=code), shared.tabs: gr.Tabs(selected="play")}

    wanted.submit(opened, wanted, [shared.art, shared.tabs], api_name="ui_gallery_open", **QUIET)

    def acted(event: gr.EventData, key: str):
        data = event._data if isinstance(event._data, dict) else {}
        code = str(data.get("code", ""))
        if data.get("do") == "play":
            return opened(code)
        if data.get("do") == "forget":
            forget(home, code, key, shared.public)
            return hang(key)
        return gr.skip()

    wall.act(acted, shared.key, [shared.art, shared.tabs, wall, nothing], api_name="ui_gallery_act", **QUIET)

    def check(path: str | None):
        """Whether a PNG is what its card says, pixel by pixel."""
        if not path:
            return gr.update(value="")
        with told():
            return gr.update(value=tiles.note(compared(home, Path(path).read_bytes()), "good"))

    dropped.change(check, dropped, verdict, api_name="ui_gallery_check", **QUIET)


def compared(home: Path, data: bytes) -> str:
    """A sentence on whether a downloaded PNG still is what its card says. Refused where it has none."""
    artwork = artworks.read_card(data)
    pixels = images.decode(data, "")
    if isinstance(pixels, Refusal):
        raise Refused(pixels)
    return artworks.compare(pixels, picture(home, artworks.encode(artwork)).pixels)
