"""Play: every picture is a seed. Pick, mix, breed, steer, walk.

The tab is a function of its controls: a `Desk` (`ui/desk.py`) is what lies on the table, each event makes a new desk
from the one that the browser sent, and `ui/wires.py` sends back what differs, as `ui/showing.py` writes it. The
components are in `ui/room.py`. What the stage shows is always one `Artwork`, so it has a code, an address and a link.
Pictures come by `<img>` from their address (`ui/share_routes.py`), rendered canonically.
"""

import dataclasses
from html import escape

import gradio as gr

from gan_play.latent import sample
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.ui import (
    arriving,
    at_once,
    breed,
    breeding,
    filming,
    gallery,
    searching,
    steering,
    taste,
    tiles,
)
from gan_play.ui import room as rooms
from gan_play.ui.desk import (
    Desk,
    Pick,
    desk_of,
    go,
    label_text,
    pick,
    read_label,
    rearrange,
    steered,
    through_labels,
)
from gan_play.ui.filming import filmed
from gan_play.ui.shared import PRIVATE, QUIET, Shared
from gan_play.ui.showing import nearest
from gan_play.ui.wires import Wires, prover


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
    room = rooms.build(shared)
    wires = Wires(shared, room)
    home, on, on_piece = shared.home, wires.on, wires.on_piece
    brood, code, digest, every = room.brood, room.code, room.digest, room.every
    facts, form, heads, kind = room.facts, room.form, room.heads, room.kind
    label, liked, near_it, nearby = room.label, room.liked, room.near_it, room.nearby
    truncation, view, wanted = room.truncation, room.view, room.wanted

    def picked(desk: Desk, data: dict) -> Desk:
        if data.get("seed"):
            picked = pick(desk, sample.check_seed(data["seed"]), read_label(data.get("label")))
            return dataclasses.replace(
                steered(picked) if picked.tool == "steer" else picked, chosen="", came=""
            )
        chosen = artworks.decode(str(data.get("code")))  # a mix in the figure
        return desk_of(chosen, str(data.get("code")), desk)

    def child(desk: Desk, data: dict) -> Desk:
        code = artworks.find_code(str(data.get("code")))
        came = breed.came(desk, sample.load_digest(home, desk.digest), code)
        return dataclasses.replace(desk, chosen=code, came=came, opened="")

    def acted(desk: Desk, data: dict) -> Desk:
        do = data.get("do")
        if do == "to-breed":
            return breed.begin(desk, artworks.find_code(str(data.get("code"))))
        if do == "to-steer":
            return dataclasses.replace(steered(desk, artworks.decode(str(data.get("code")))), opened="")
        if do == "to-film":
            return filmed(home, desk, {"what": "code", "code": data.get("code")})
        chosen = desk.current
        if data.get("seed"):
            chosen = Pick(sample.check_seed(data["seed"]), read_label(data.get("label")))
        if do in ("to-mix", "to-walk"):
            tray_with = desk if chosen in desk.picks else pick(desk, *chosen)
            return dataclasses.replace(tray_with, tool=do[3:])
        to = Pick(sample.check_seed(data.get("to") or "0"), read_label(data.get("to_label")))
        return rearrange(desk, str(do), chosen, to)

    filming.wire(shared, room, wires)

    for source in (view, liked.best):
        on_piece(source.pick, picked, f"pick_{source.elem_id}")
    for source in (heads, brood):
        on_piece(source.pick, child, f"pick_{source.elem_id}")

    taste.wire(shared, liked, digest, truncation, label)
    on(wanted.submit, go, wanted)
    at_once.wire(room, wires, picked, acted)
    breeding.wire(shared, room, wires)
    steering.wire(shared, room, wires)
    searching.wire(shared, room, wires)

    def use_label(desk: Desk, chosen: str | None) -> Desk:
        return dataclasses.replace(desk, label=label_text(read_label(chosen)))

    def every_label(desk: Desk) -> Desk:
        return through_labels(desk, sample.load_digest(home, desk.digest))

    on(kind.input, use_label, kind)
    on(every.click, every_label)

    arriving.wire(shared, room, wires)

    gallery.wire_keep(shared, view, "ui_play_keep")

    # What is on the stage: its proof, and when asked what it is nearest to

    code.change(prover(home), [code, form], facts, api_name="ui_play_proof", **QUIET)
    code.change(None, None, nearby, js="() => ''", api_name="ui_play_near_gone", **PRIVATE)

    def look_near(code: str, key: str):
        """The nearest pictures of the set, for what the stage shows."""
        try:
            found = nearest(shared, code, key)
        except Refused as refused:
            found = tiles.note(refused.refusal.sentence, "bad")
        return gr.update(value=f'<div data-of="{escape(code)}">{found}</div>')

    near_it.click(
        look_near,
        [code, shared.key],
        nearby,
        api_name="ui_play_near",
        queue=False,  # it takes no longer than a picture: it needn't wait behind films and long looks
        show_progress="minimal",
        show_progress_on=nearby,
        **PRIVATE,
    ).then(  # another picture may be shown by now
        None,
        [code, nearby],
        nearby,
        js="(code, found) => found.includes(`data-of=\"${code}\"`) ? found : ''",
        api_name="ui_play_near_then",
        **PRIVATE,
    )
