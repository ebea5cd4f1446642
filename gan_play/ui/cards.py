"""A place to drop a saved picture or film: it is compared with its card, and the page returns to where it was made."""

from html import escape
from pathlib import Path

import gradio as gr

from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import card as cards
from gan_play.share import gallery
from gan_play.share.card import Card, Compared
from gan_play.ui import tiles
from gan_play.ui.shared import QUIET, Shared, showing
from gan_play.ui.words import say


def facts(card: Card) -> str:
    """What a card says besides the picture, for people."""
    rows = {
        "model": card.model[:16],
        "dataset": card.dataset[:16] or say("card.unknown"),
        "rights": card.rights,
        "program": ", ".join(filter(None, (card.program, card.torch and f"PyTorch {card.torch}"))),
    }
    said = "".join(
        f"<dt>{escape(say(f'card.{name}'))}</dt><dd>{escape(text)}</dd>"
        for name, text in rows.items()
        if text
    )
    return f"<p>{escape(say('card.made'))}</p><dl>{said}</dl>"


def looked_at(shared: Shared, path: str) -> tuple[str, str, bool | None, str]:
    """A dropped file: (its code, the sentence, whether it is what its card says, all of it as HTML).

    It is opened by its card even where its pixels can't be read, and without its seal where its link is withdrawn: a
    saved file is beyond that. Refused where it has no card, or its model isn't here.
    """
    data, name = cards.read_file(Path(path)), Path(path).name
    card = cards.read(data, name)
    artworks.model_of(shared.home, card.artwork)
    try:
        found = cards.compare(shared.home, data, card, name)
    except Refused as refused:
        found = Compared(None, refused.refusal.sentence)
    code = card.code
    try:
        gallery.check_alive(shared.home, code)
    except Refused:
        code = gallery.plain(code)
    kind = {True: "good", False: "bad", None: ""}[found.same]
    html = (
        tiles.note(found.sentence, kind)
        + f"<details><summary>{escape(say('card.more'))}</summary>{facts(card)}</details>"
    )
    return code, found.sentence, found.same, f'<div class="card-said">{html}</div>'


def zone(shared: Shared, name: str) -> None:
    """Makes the place and wires it: the file's artwork is opened in its tool, with what was found said beside it."""
    file = gr.File(
        label=say("card.drop"),
        file_types=list(cards.SUFFIXES),
        file_count="single",
        height=180,
        min_width=280,
        elem_id=f"{name}-check",
        scale=2,
    )
    said = gr.HTML("", elem_id=f"{name}-verdict", elem_classes="piece", apply_default_css=False)

    def dropped(path: str | None) -> dict:
        """A file was dropped, or taken away again."""
        if not path:
            return {said: gr.update(value="")}
        try:
            code, sentence, same, html = looked_at(shared, path)
        except Refused as refused:
            return {said: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}
        (gr.Warning if same is False else gr.Info)(sentence, title=say("card.title"), duration=8)
        return {said: gr.update(value=html), **showing(shared, code)}

    queued = QUIET | {"queue": True}  # a toast needs the queue
    opens = [said, shared.art, shared.translated, shared.tabs]
    file.change(dropped, file, opens, api_name=f"ui_{name}_check", **queued)
