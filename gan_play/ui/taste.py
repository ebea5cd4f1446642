"""Play's "More like what I like": off until it is asked for; then the best of many seeds and of their children, and how
sure that is."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import gradio as gr

from gan_play.latent import sample
from gan_play.latent.sample import Model
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import liking
from gan_play.share.liking import Proposed
from gan_play.steps import Ended
from gan_play.ui import collect, look, stopping, tiles
from gan_play.ui.line import TOGETHER, Line
from gan_play.ui.share_routes import title_of
from gan_play.ui.shared import PRIVATE, QUIET, Shared
from gan_play.ui.tiles import Tile
from gan_play.ui.words import say

LINE = Line("taste")


def standing(found: Proposed) -> str:
    """What was proposed, of how many likes, and how sure that is."""
    learnt = found.taste
    told = {"right": learnt.right, "pairs": learnt.pairs}
    counts = {"count": len(found.artworks), "of": found.of, "children": found.children}
    said = say("taste.best", **counts, liked=learnt.liked, passed=learnt.passed)
    return f"{said} {say(f'taste.sure.{learnt.sure}', **told)}"


def shown(found: Proposed, model: Model) -> str:
    """The proposed pictures: seeds to pick like any other, children to open."""
    pictures = [
        Tile(
            artworks.encode(work),
            title_of(work, model),
            work.seeds[0] if work.operation == "sample" else None,
            label=work.label,
        )
        for work in found.artworks
    ]
    return tiles.tiles(pictures, say("taste.title"), model.generator.size_px)


def proposing(
    shared: Shared, key: str, digest: str, truncation: float, label: int | None, turn: int
) -> Iterator:
    """Sentences on the way, and in the end what is proposed. Refused for too few likes."""
    owner = collect.owner_to_ask(shared, collect.check_key(shared, key))
    model = sample.load_digest(shared.home, digest)
    began = told_at = time.monotonic()
    for step in liking.propose(shared.home, owner, model, sample.check_truncation(truncation), label, turn):
        if isinstance(step, Proposed):
            yield step, model
            return
        done, total = step
        if done and time.monotonic() - told_at > 0.5:
            told_at = time.monotonic()
            LINE.left_s = (told_at - began) / done * (total - done)
            left = look.time_words(LINE.left_s)
            yield tiles.waiting(say("taste.looking", done=done, total=total, left=left), done / total), None


class Parts(NamedTuple):
    """The components."""

    go: gr.Button
    stop: gr.Button
    said: gr.HTML
    best: gr.HTML


def build(piece: Callable[[str], gr.HTML]) -> Parts:
    """Makes the button and what it shows."""
    with gr.Accordion(say("taste.open"), open=False, elem_id="play-taste"):
        said = gr.HTML(
            tiles.note(say("taste.what")), elem_id="taste-said", elem_classes="piece", apply_default_css=False
        )
        best = piece("taste-best")
        with gr.Row():
            go = gr.Button(say("taste.go"), min_width=160, elem_id="taste-go")
            stop = gr.Button(say("taste.stop"), visible=False, min_width=100, elem_id="taste-stop")
    return Parts(go, stop, said, best)


def wire(shared: Shared, parts: Parts, digest: gr.Textbox, truncation: gr.Slider, label: gr.Textbox) -> None:
    """Wires them to the model in hand, how adventurous it paints, and its label."""
    go, stop, said, best = parts
    # Not beside them: Gradio shows what is hidden in a column once the column itself is shown.
    turn = gr.Textbox("0", visible="hidden", elem_id="taste-turn", label="turn")
    moment = gr.Textbox("", visible="hidden", elem_id="taste-moment", label="moment")

    def propose(
        when: str, key: str, digest: str, truncation: float, label: str, turned: str, request: gr.Request
    ):
        """The best of the next seeds."""
        at, over = number(turned) or 0, stopping.asker(request, "taste", when)
        try:
            begin = tiles.note(say("taste.begin"))
            yield {said: gr.update(value=begin), go: gr.update(visible=False), stop: gr.update(visible=True)}
            steps = proposing(shared, key, digest, truncation, number(label), at)
            turns = LINE.served(steps, over, lambda words: (tiles.waiting(words, 0.0), None))
            with contextlib.closing(turns):
                for step, model in turns:
                    if over():
                        raise Ended
                    if model is None:
                        yield {said: gr.update(value=step)}
                        continue
                    yield {
                        said: gr.update(value=tiles.note(standing(step), "good")),
                        go: gr.update(value=say("taste.more")),
                        best: gr.update(value=shown(step, model)),
                        turn: gr.update(value=str(at + 1)),
                    }
        except Refused as refused:
            yield {said: gr.update(value=tiles.note(refused.refusal.sentence))}
        except Ended:
            yield {said: gr.update(value=tiles.note(say("taste.what")))}

    work = go.click(
        propose,
        [moment, shared.key, digest, truncation, label, turn],
        [*parts, turn],
        js=stopping.NOW,
        api_name="ui_taste",
        show_progress="hidden",
        **PRIVATE | TOGETHER,
    )

    def end(when: str, request: gr.Request) -> None:
        """What is looked at ends at its next step."""
        stopping.stop(request, "taste", when)

    stop.click(end, moment, None, js=stopping.NOW, api_name="ui_taste_stop", **QUIET)

    def idle():
        """Not before it is over, or a press could go unheard."""
        return gr.update(visible=True), gr.update(visible=False)

    for after in ("then", "failure"):
        getattr(work, after)(idle, None, [go, stop], api_name=f"ui_taste_{after}", **QUIET)

    def gone(when: str, request: gr.Request):
        """Another model is in hand: what is, or was, proposed by the one before means nothing."""
        end(when, request)
        what = tiles.note(say("taste.what"))
        return {best: gr.update(value=""), said: gr.update(value=what), turn: gr.update(value="0")}

    digest.change(gone, moment, [best, said, turn], js=stopping.NOW, api_name="ui_taste_gone", **QUIET)


def number(text: object) -> int | None:
    """A small number as a browser sends it, None for anything else."""
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
