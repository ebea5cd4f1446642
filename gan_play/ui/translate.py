"""Transform: what a trained translator makes of a drawing or a picture; beside it, style transfer (`ui/transform.py`).

Every painting here is an artwork with a code (`share/translating.py`): it is kept, shared and downloaded as any other.
What a browser drew or dropped is kept as an input by its digest.
"""

import contextlib
import dataclasses
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import gradio as gr
import numpy as np

from gan_play import limits
from gan_play.pictures import images, intake
from gan_play.refusals import Refused
from gan_play.runs import checkpoints, store
from gan_play.share import artwork as artworks
from gan_play.share import translating
from gan_play.share.gallery import check_alive
from gan_play.steps import Ended
from gan_play.trainers.recipes import RECIPES
from gan_play.translate import inputs, translator
from gan_play.translate.translator import Translator
from gan_play.ui import batch, clip, collect, draw, gallery, look, share_routes, stopping, tiles, transform
from gan_play.ui.gather import given_list, uploaded
from gan_play.ui.share_routes import picture, title_of
from gan_play.ui.shared import PRIVATE, QUIET, Shared, is_run, told, visible_runs
from gan_play.ui.words import say

STRAY_S = 3.0
"""A painting may be asked for this long after another desk was laid, by a page that hadn't been told of that yet."""

GATHER = """(now, sheet, run, ...rest) => {
  const desk = document.querySelector('#translate-desk .desk'), on = desk?.querySelector('.own canvas');
  const drawn = on?.dataset.marked ? on.toDataURL('image/png') : '';
  return [String(Date.now()), drawn, desk?.dataset.run ?? run, ...rest]; }"""
"""What is painted is what lies on the desk, for the translator that it was laid for; another may be chosen by now."""


NEVER = (0.0, ())


class Desks:
    """What was laid last on the desk of each page: a painting of something else ends unseen.

    A desk is (translator, kind, picture). Answers may reach a page in another order than they were made, so that after
    a while the page's word stands.
    """

    MOST = 1000  # pages: but for the oldest

    def __init__(self) -> None:
        self._laid: OrderedDict[str, tuple[float, tuple]] = OrderedDict()
        self._shown: OrderedDict[str, Callable[[], bool]] = OrderedDict()
        self._writing = threading.Lock()

    def newest(self, request: gr.Request) -> tuple[float, tuple]:
        """When something was laid last, and what; the same object until something is laid again."""
        return self._laid.get(str(request.session_hash), NEVER)

    def lay(self, request: gr.Request, desk: tuple) -> None:
        """Another desk lies there from now on, or the same one."""
        page = str(request.session_hash)
        with self._writing:
            self._laid[page] = time.monotonic(), desk
            self._laid.move_to_end(page)
            while len(self._laid) > self.MOST:
                self._laid.popitem(last=False)

    def show(self, request: gr.Request, overtaken: Callable[[], bool]) -> None:
        """A painting is sent to the page, to which another desk may come first; of a link's, which comes with its desk,
        `overtaken` is never true."""
        with self._writing:
            self._shown[str(request.session_hash)] = overtaken
            while len(self._shown) > self.MOST:
                self._shown.popitem(last=False)

    def late(self, request: gr.Request) -> bool:
        """Whether the painting that was sent last has been overtaken by another desk since."""
        return self._shown.get(str(request.session_hash), bool)()

    def overtaken(self, request: gr.Request, desk: tuple) -> Callable[[], bool]:
        """For a painting of this desk that begins: what says, whenever it is asked, whether another one was laid."""
        page, begun = str(request.session_hash), time.monotonic()

        def over() -> bool:
            moment, newest = self._laid.get(page, (0.0, desk))
            return newest != desk and moment > begun - STRAY_S

        return over


# Which translators there are


def translators(shared: Shared, key: str, in_hand: object = None) -> list[tuple[str, str]]:
    """(what it is called, its run) of each translator that has learnt something, of those that this browser may see,
    and of the one in hand, which a link may have brought.
    """
    found = []
    for run in visible_runs(shared, key, in_hand):
        if run.task == "translate" and checkpoints.newest(store.find_run(shared.home, run.id)):
            found.append((f"{run.name}, {run.size_px} px", run.id))
    return found


def about(model: Translator) -> str:
    """What this translator does, in a sentence."""
    preset = translator.preset_of(model)
    name = preset or ("two" if RECIPES[model.settings.recipe].takes == "two" else "pairs")
    return tiles.note(say(f"translate.about.{name}"))


def kind_of(model: Translator) -> str:
    """How its desk begins: with a sheet where one draws for it, else with a place to drop a picture."""
    return "draw" if translator.preset_of(model) in ("sketch", "flat") else ""


# What is shown


def laid(pixels: np.ndarray, name: str = "picture.png") -> str:
    """Where a picture lies among Gradio's uploads."""
    return transform.file(images.encode(pixels, "png"), name)


def waiting_html(model: Translator | None) -> str:
    """What stands in the place of the first painting."""
    if model is None:
        return ""
    which = "draw" if kind_of(model) == "draw" else translator.preset_of(model)
    words = say("translate.waits.draw" if which == "draw" else "translate.waits.repair" if which == "repair" else
                "translate.waits.photo")  # fmt: skip
    return painting_html("", "", (1, 1), "", 0, waits=words)


def painting_html(
    before: str,
    after: str,
    size: tuple[int, int],
    title: str,
    at: int,
    code: str = "",
    said: str = "",
    waits: str = "",
) -> str:
    """Before and after with the slider between them (at so many percent), and what can be done with the painting."""
    width, height = size
    label = escape(say("transform.compare"))
    acts = tiles.actions(code, ("to-yours",)) if code else ""
    first, second = escape(say("transform.before")), escape(say("transform.after"))
    return (
        f'<p class="piece-title">{escape(say("translate.painting"))}</p>'
        f'<figure class="stage translated{" waits" if waits else ""}" data-new="{secrets.token_hex(4)}">'
        f'<p class="empty">{escape(waits)}</p><div class="compare" style="--wide:{width / max(1, height):.4f}">'
        f'<img class="before" src="{escape(before)}" alt="{first}">'
        f'<img class="after" src="{escape(after)}" alt="{second}">'
        f'<input type="range" min="0" max="100" value="{at}" aria-label="{label}"></div>'
        f'<div class="compare-words" style="--wide:{width / max(1, height):.4f}">'
        f"<span>{first}</span><span>{second}</span></div>"
        f"<figcaption>{escape(title)}</figcaption>{acts}</figure>{tiles.note(said)}"
    )


def shown(home: Path, code: str, said: str = "") -> str:
    """The painting of a code as HTML. Refused as by `share_routes.picture`."""
    artwork, found = artworks.decode(code), picture(home, code)
    model, translation = artworks.model_of(home, artwork), artwork.translation
    before = transform.address(laid(inputs.find(home, translation.picture), "before.png"))
    size = found.pixels.shape[1::-1]
    at = 0 if translation.dials.drawn or translation.mask else 50
    return painting_html(before, tiles.address(code), size, title_of(artwork, model), at, code, said)


def coming(home: Path, code: str) -> Iterator[str]:
    """Paints what a code names; of a large painting HTML on the way: the picture, tiles done, and the time left as the
    tiles so far took it. Refused as by `share_routes.picture`."""
    translation = artworks.decode(code).translation
    pixels = inputs.find(home, translation.picture)
    total = translator.tiles(*(side * translation.dials.times for side in pixels.shape[:2]))
    if total == 1:
        for _ in share_routes.painting(home, code):
            pass
        return
    before, begun = transform.address(laid(pixels, "before.png")), time.monotonic()

    def told(done: int, more: str) -> str:
        said = f"{say('translate.tiles', done=done, total=total)}, {more}"
        return (
            f'<p class="piece-title">{escape(say("translate.painting"))}</p><figure class="stage translated">'
            f'<img class="coming" src="{escape(before)}" alt="{escape(say("transform.before"))}"></figure>'
            f"{tiles.waiting(said, done / total)}"
        )

    yield told(0, say("translate.tiles.first"))
    for done, _ in share_routes.painting(home, code):
        left = look.time_words((time.monotonic() - begun) / done * (total - done))
        yield told(done, say("bar.left", time=left))


# The tab


def build(shared: Shared) -> None:
    """Make the two halves of the tab."""
    with gr.Tabs(elem_id="transform-tabs", overflow_behavior="wrap"):
        with gr.Tab(say("translate.tab"), id="translate", elem_id="transform-translate"):
            translate(shared)
        with gr.Tab(say("translate.tab.style"), id="style", elem_id="transform-style"):
            gr.HTML(look.sentence(say("transform.style.sentence")))
            transform.build(shared)


def translate(shared: Shared) -> None:
    """Make the half of translators, and wire it."""
    home = shared.home

    def piece(name: str, value: str = "", **options) -> gr.HTML:
        return gr.HTML(
            value, elem_id=f"translate-{name}", elem_classes="piece", apply_default_css=False, **options
        )

    def hidden(name: str) -> gr.Textbox:
        return gr.Textbox("", visible="hidden", elem_id=f"translate-{name}", label=name)

    nothing = piece("nothing", look.sentence(say("translate.none")))
    begin = gr.Button(say("translate.none.do"), variant="primary", elem_id="translate-begin")
    chosen = gr.Dropdown(
        [],
        value=None,
        label=say("translate.model"),
        visible=False,
        filterable=False,
        elem_id="translate-model",
    )
    what = piece("about")
    message = piece("message")
    with gr.Row(elem_id="translate-row"):
        with gr.Column(min_width=320):
            desk = piece("desk", js_on_load=draw.script(), server_functions=[draw.live(home)])
        with gr.Column(min_width=320):
            script = look.asset("compare.js") + look.asset("painted.js") + tiles.script()
            result = piece("result", js_on_load=script, server_functions=collect.functions(shared))
            stop = gr.Button(say("batch.stop"), visible=False, elem_id="translate-stop")
    with gr.Row():
        strength, size = (
            gr.Slider(
                low,
                high,
                at,
                step=step,
                label=say(f"translate.{name}"),
                info=say(f"translate.{name}.hint"),
                min_width=220,
                visible=False,
                elem_id=f"translate-{name}",
            )
            for name, low, high, at, step in (
                ("strength", 0.0, float(limits.MOST_STRENGTH), 1.0, 0.05),
                ("size", limits.LEAST_TRANSLATED_PX, limits.MOST_TRANSLATED_PX, 256, 32),
            )
        )
        times = gr.Radio(
            [(say("translate.times.of", times=number), number) for number in translator.TIMES],
            value=translator.TIMES[0],
            label=say("translate.times"),
            visible=False,
            elem_id="translate-times",
        )
        back = gr.Checkbox(
            False,
            label=say("translate.back"),
            info=say("translate.back.hint"),
            visible=False,
            elem_id="translate-back",
        )
    content, kind, sheet = map(hidden, ("content", "kind", "sheet"))
    handled, failed, moment = map(hidden, ("handled", "failed", "moment"))
    desks = Desks()
    turned = [strength, size, times, back]

    def wrong(refused: Refused) -> dict:
        return {message: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}

    def model_at(run: object) -> Translator | None:
        return translator.load(home, run) if is_run(home, run) else None

    def lay(request: gr.Request, run: str, how: str = "", path: str = "", *drawn: str) -> dict:
        """The desk with a sheet or a picture on it; what lay there before isn't painted any more, and its painting can
        be opened again."""
        model = model_at(run)
        desks.lay(request, (run, how, path) if model else ())
        return {
            desk: gr.update(value=draw.desk(model, path, how, *drawn)),
            content: gr.update(value=path),
            kind: gr.update(value=how),
            message: gr.update(value=""),
            shared.translated: gr.update(value=""),
            handled: gr.update(value=""),
        }

    def take(run: str, sized: bool = True) -> dict:
        """Everything as this translator wants it."""
        model = model_at(run)
        said = {
            what: gr.update(value=about(model) if model else ""),
            strength: gr.update(visible=model is not None),
            size: gr.update(visible=model is not None),
            times: gr.update(visible=bool(model) and translator.preset_of(model) == "enlarge"),
            back: gr.update(visible=bool(model) and translator.both_ways(model)),
        }
        if model and sized:
            side = draw.side_of(model, kind_of(model) == "draw")
            said[size] = gr.update(visible=True, value=side)
        return said

    laid_out = [desk, content, kind, message, shared.translated, handled]
    table = [nothing, begin, chosen, what, *laid_out, result, *turned]

    def offer(request: gr.Request, key: str, run: str, coming: str = "") -> dict:
        """Which translators there are by now; the one in hand stays. Where a page that knows of none yet has asked
        before, or waits for a link, nothing is laid: this answer may come after what a hand does with the other one."""
        if not run and (coming or desks.newest(request)[1]):
            return {message: gr.skip()}
        found = translators(shared, key, run)
        here = [one for _, one in found]
        first = run if run in here else here[0] if here else None
        said = {
            nothing: gr.update(value="" if found else look.sentence(say("translate.none"))),
            begin: gr.update(visible=not found),
            chosen: gr.update(choices=found, visible=bool(found)),
        }
        if first == run:
            return said
        said[chosen] = gr.update(choices=found, value=first, visible=bool(found))
        return said | begin_with(request, first)

    def begin_with(request: gr.Request, run: str | None) -> dict:
        """Another translator is in hand: its desk, and no painting yet."""
        model = model_at(run)
        how = kind_of(model) if model else ""
        return take(run) | lay(request, run, how) | {result: gr.update(value=waiting_html(model))}

    def choose(request: gr.Request, run: str) -> dict:
        """Another translator from the list. Gradio's list tells it twice, and by the second time one may have drawn."""
        model = model_at(run)
        if model and desks.newest(request)[1] == (run, kind_of(model), ""):
            return {message: gr.skip()}
        return begin_with(request, run)

    asked = [shared.key, chosen, shared.translated]
    shared.transform_tab.select(offer, asked, table, api_name="ui_translate_offer", **QUIET)
    shared.owner.change(offer, asked, table, api_name="ui_translate_arrive", **QUIET)
    chosen.input(choose, chosen, table, trigger_mode="always_last", api_name="ui_translate_choose", **QUIET)
    begin.click(lambda: gr.Tabs(selected="gather"), None, shared.tabs, api_name="ui_translate_begin", **QUIET)

    # The desk

    def drop(event: gr.EventData, request: gr.Request, run: str, side: float, how: str):
        """A dropped picture lies on the desk, or under the drawing."""
        data = event._data if isinstance(event._data, dict) else {}
        try:
            path = uploaded(given_list(data.get("paths"))[0])
            pixels = intake.read_picture_file(path, limits.MOST_TRANSLATED_PX)
            model = model_at(run)
            if how == "draw":
                return lay(request, run, how, laid(translating.sized(pixels, draw.SHEET_PX)))
            said = lay(request, run, "", laid(pixels))
            if model and side == model.settings.size_px:  # as it was for drawings
                said[size] = gr.update(value=draw.side_of(model, False))
            return said
        except Refused as refused:
            return wrong(refused)

    def act(event: gr.EventData, request: gr.Request, run: str):
        """Another picture, or a sheet."""
        data = event._data if isinstance(event._data, dict) else {}
        model = model_at(run)
        said = lay(request, run, "draw" if data.get("act") == "draw" else "")
        if model:
            said[size] = gr.update(value=draw.side_of(model, data.get("act") == "draw"))
        return said | {result: gr.update(value=waiting_html(model))}

    desk_out = [*laid_out, size]
    reading = {"show_progress": "hidden", "concurrency_limit": 2, **PRIVATE}
    dropped = desk.dropped(drop, [chosen, size, kind], desk_out, api_name="ui_translate_drop", **reading)
    desk.act(act, chosen, [*desk_out, result], api_name="ui_translate_act", **QUIET)

    def paint(
        request: gr.Request,
        when: str,
        sent: str,
        run: str,
        how: str,
        path: str,
        by: float,
        side: float,
        larger: int,
        other_way: bool,
    ):
        """The painting of what lies on the desk, as an artwork; of a large one how far it is. What is overtaken by
        another translator or picture on the desk ends unseen."""
        over = stopping.asker(request, "translate", when)
        overtaken = desks.overtaken(request, (run, how, path))
        cleared = {message: gr.update(value="")}  # once: what is refused meanwhile stays to be read
        gone = {stop: gr.update(visible=False)}
        try:
            model = model_at(run)
            made = None
            if model is not None and (how == "draw" or path):
                made = artwork(model, sent, how, path, by, side, larger, other_way)
            if made is None:
                yield {message: gr.skip()}
                return
            code = artworks.encode(made)
            for said in following(code, lambda: over() or overtaken()):
                yield said | cleared
                cleared = {}
            html = shown(home, code)
        except Refused as refused:
            yield gone if overtaken() else gone | wrong(refused)
            return
        except Ended:
            said = {place: gr.update(value="") for place in (shared.translated, handled)}
            said[message] = gr.update(value=tiles.note(say("batch.stopped")))
            said[result] = gr.update(value=waiting_html(model))
            yield gone if overtaken() else gone | said
            return
        if overtaken():
            yield gone
            return
        known = {place: gr.update(value=code) for place in (shared.translated, handled)}
        desks.show(request, overtaken)
        yield gone | known | cleared | {result: gr.update(value=html)}

    def following(code: str, over: Callable[[], bool]):
        """A painting on its way; Ended where it was stopped."""
        with contextlib.closing(coming(home, code)) as steps:
            for html in steps:
                if over():
                    raise Ended
                yield {
                    result: gr.update(value=html),
                    stop: gr.update(visible=True, value=say("batch.stop")),
                }

    def artwork(model, sent, how, path, by, side, larger, other_way) -> artworks.Artwork | None:
        """What is to be painted; None where there is nothing yet. Refused where it can't be."""
        times_by = larger if translator.preset_of(model) == "enlarge" else None
        way = bool(other_way) and translator.both_ways(model)
        dials = translator.check_dials(model, by, how == "draw", way, times_by)
        side_px = translating.check_side(side)
        if how == "draw":
            return (
                translating.artwork_of(home, model, draw.read_drawing(sent, side_px), dials) if sent else None
            )
        pixels = images.read_kept(uploaded(path).read_bytes())
        pixels = translating.sized(pixels, min(side_px, limits.MOST_TRANSLATED_PX // dials.times))
        mask = None
        hints = draw.read_hints(sent, *pixels.shape[:2]) if translator.preset_of(model) == "colour" else None
        if hints is not None:
            pixels, dials = translator.hinted(pixels, hints), dials._replace(drawn=True)
        if translator.preset_of(model) == "repair":
            mask = draw.read_damage(sent, *pixels.shape[:2])
            if mask is None:
                return None
        return translating.artwork_of(home, model, pixels, dials, mask)

    painting = {
        "fn": paint,
        "inputs": [moment, sheet, chosen, kind, content, *turned],
        "outputs": [result, shared.translated, handled, message, stop],
        "js": GATHER,
        "concurrency_limit": 1,
        "concurrency_id": "translate",
        "show_progress": "minimal",
        "show_progress_on": result,
        **PRIVATE,
    }
    latest = {**painting, "trigger_mode": "always_last"}

    def late(request: gr.Request):
        """A painting that came to the page later than the desk that overtook it is taken away again."""
        model = model_at(next(iter(desks.newest(request)[1]), ""))
        if model is None or not desks.late(request):  # a link that is being opened writes over it by itself
            return {message: gr.skip()}
        said = {place: gr.update(value="") for place in (shared.translated, handled)}
        return said | {result: gr.update(value=waiting_html(model))}

    for work in (
        desk.settled(**latest, api_name="ui_translate_paint"),
        dropped.then(**painting, api_name="ui_translate_dropped"),
        strength.release(**latest, api_name="ui_translate_strength"),
        size.release(**latest, api_name="ui_translate_size"),
        times.input(**latest, api_name="ui_translate_times"),
        back.input(**latest, api_name="ui_translate_back"),
    ):
        work.then(
            late, None, [result, shared.translated, handled, message], api_name="ui_translate_late", **QUIET
        )

    stop.click(
        stopping.stopper("translate", say("batch.stopping")),
        moment,
        stop,
        js=stopping.NOW,
        api_name="ui_translate_stop",
        **QUIET,
    )

    # What is done with a painting

    def acted(event: gr.EventData):
        """Sent to Play as the picture to look for."""
        data = event._data if isinstance(event._data, dict) else {}
        with told():
            if data.get("do") == "to-yours":
                code = artworks.find_code(str(data.get("code", "")))
                path = transform.to_look_for(picture(home, code).png)
                return gr.update(value=path), gr.Tabs(selected="play")
        return gr.skip()

    queued = QUIET | {"queue": True}  # a toast needs the queue
    result.act(acted, None, [shared.brought, shared.tabs], api_name="ui_translate_act_on", **queued)
    gallery.wire_keep(shared, result, "ui_translate_keep")

    def opened(request: gr.Request, when: str, code: str, done: str, key: str, in_hand: str):
        """A link, a kept work or a dropped file: the translator, the picture and the dials that it was made with.

        It overtakes a painting that is on its way, and is itself unseen where another desk is laid meanwhile. `code`
        stays as it is on the page: a newer one may wait there already.
        """
        if not code or code == done:
            yield {message: gr.skip()}
            return
        over, (_, before) = stopping.asker(request, "translate", when), desks.newest(request)
        desks.lay(request, ("", "link", code))
        mine, seen, gone = desks.newest(request), False, {stop: gr.update(visible=False)}

        def passed_over() -> bool:
            return desks.newest(request) is not mine

        try:
            named = artworks.decode(code)
            check_alive(home, code)
            model = artworks.model_of(home, named)
            for said in following(artworks.find_code(code), lambda: over() or passed_over()):
                yield said
                seen = True
            found = picture(home, artworks.find_code(code))
            dials, run = named.translation.dials, model.run_id
            pixels = inputs.find(home, named.translation.picture)
            plain = artworks.encode(dataclasses.replace(named, seal=""))
            html = shown(home, plain, found.sentence if named.seal else "")
            if named.seal:
                gallery.keep(shared, code, key, "opened")
            path, begun = laid(pixels), ""
            lies_under = translator.preset_of(model) in draw.OVER
            if lies_under and dials.drawn:
                begun = path
            if named.translation.mask:
                begun = laid(inputs.find(home, named.translation.mask), "marks.png")
        except (Refused, Ended) as error:
            if passed_over():
                yield gone
                return
            desks.lay(request, before)
            said = {failed: gr.update(value=code)} | offer(request, key, in_hand)
            said |= {place: gr.update(value="") for place in (result, handled)} if seen else {}
            said |= wrong(error) if isinstance(error, Refused) else {}
            yield gone | without_code(said)
            return
        if passed_over():
            yield gone
            return
        desks.show(request, bool)
        drawn = dials.drawn and not lies_under
        said = take(run, sized=False)
        lies = ("draw", "", path) if drawn else ("", path, begun)
        said |= lay(request, run, *lies, secrets.token_hex(4))
        said |= {
            handled: gr.update(value=code),
            nothing: gr.update(value=""),
            begin: gr.update(visible=False),
            chosen: gr.update(choices=translators(shared, key, run), value=run, visible=True),
            result: gr.update(value=html),
            strength: gr.update(visible=True, value=dials.strength),
            size: gr.update(visible=True, value=max(pixels.shape[:2])),
        }
        if translator.preset_of(model) == "enlarge":
            said[times] = gr.update(visible=True, value=dials.times)
        yield gone | without_code(said)

    def without_code(said: dict) -> dict:
        return {place: update for place, update in said.items() if place is not shared.translated}

    shared.translated.change(
        opened,
        [moment, shared.translated, handled, shared.key, chosen],
        [*table, stop, failed],
        js=stopping.NOW,
        api_name="ui_translate_open",
        **QUIET | {"queue": True},
    ).then(  # so that it can be tried again
        None,
        [shared.translated, failed],
        [shared.translated, failed],
        js="(code, failed) => [code === failed ? '' : code, '']",
        api_name="ui_translate_failed",
        **PRIVATE,
    )
    batch.build(shared, chosen, turned)
    clip.build(shared, chosen, turned)
