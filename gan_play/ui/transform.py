"""Transform: a picture of one's own, painted as others are painted. The painting is `translate/style.py`.

Dropped files are decoded in a child process and kept as clean PNGs among Gradio's uploads; the page knows them by
where they lie there. The painting runs in a child too, so that the server stays quick; Stop keeps its last look.
"""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import gradio as gr
import numpy as np
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from gan_play import limits
from gan_play.pictures import datasets, images, intake
from gan_play.refusals import Refusal, Refused, refuse
from gan_play.share import styled
from gan_play.steps import Ended
from gan_play.translate import style
from gan_play.ui import child, look, stopping, tiles
from gan_play.ui.gather import given_list, read_choice, uploaded
from gan_play.ui.line import TOGETHER, Line
from gan_play.ui.shared import PRIVATE, QUIET, Shared, told
from gan_play.ui.words import say

STYLE_PX = round(limits.MOST_STYLED_PX * limits.MOST_STYLE_SCALE)
"""Of the longer side of a style picture that is kept: no painting looks at more."""

MOST_MASK_CHARS = 600_000
"""Of the brush's marks as text: 512 px of pure noise in one colour are less."""

MOST_WEIGHT = 4
"""Times that one style may count more than another on the page."""

PROPERLY, AT_ONCE = Line("style"), Line("style")
"""One painting of each kind is painted at a time; a quick one doesn't wait for a slow one."""

MARKS = """(now, marks, ...rest) => { const on = document.querySelector('#transform-own canvas');
  return [String(Date.now()), on && on.dataset.marked ? on.toDataURL('image/png') : '', ...rest]; }"""
TO_RESULT = """() => { const wait = (until) => { const at = document.querySelector('#transform-result .waiting');
  if (at) at.scrollIntoView({block: 'center', behavior: 'smooth'});
  else if (Date.now() < until) setTimeout(wait, 100, until); }; wait(Date.now() + 10000); }"""


# Pictures that were dropped


def kept(path: object, side_px: int) -> str:
    """Where the clean copy of a dropped picture lies, its longer side at most `side_px`. Refused for what is none."""
    pixels = intake.read_picture_file(uploaded(path))
    height, width = pixels.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    size = tuple(max(limits.LEAST_SIDE_PX, round(side * scale)) for side in (width, height))
    return file(images.encode(images.resize(pixels, size), "png"), "picture.png")


def file(data: bytes, name: str) -> str:
    """Bytes as a file among Gradio's uploads, which it serves and in time removes."""
    return save_bytes_to_cache(data, name, get_upload_folder())


def to_look_for(png: bytes) -> str:
    """A picture for Play to look for, with a name of its own each time: what stays as it is on the page is no news."""
    return file(png, f"painted-{secrets.token_hex(4)}.png")


def address(path: str | Path) -> str:
    """Where the page finds such a file."""
    return f"gradio_api/file={path}"


def known(text: object) -> dict:
    """The pictures to paint like, as the page remembers them: {"paths": [...], "set": id or "", "weights": {path or
    "set": number}}; what is gone is left out."""
    try:
        said = json.loads(str(text or "{}"))
        paths = [path for path in said.get("paths", []) if isinstance(path, str)]
        chosen, weights = str(said.get("set") or ""), dict(said.get("weights") or {})
    except (ValueError, AttributeError, TypeError):
        return {"paths": [], "set": "", "weights": {}}
    here = []
    for path in paths[: limits.MOST_STYLE_PICTURES]:
        try:
            here.append(str(uploaded(path)))
        except Refused:
            continue
    good = {which: number for which, number in weights.items() if number in range(MOST_WEIGHT * 10 + 1)}
    return {"paths": here, "set": chosen, "weights": {k: n for k, n in good.items() if k in (*here, "set")}}


EVEN = 10
"""A style's weight where nobody says otherwise: the slider counts tenths."""


def weight_of(styles: dict, which: str) -> int:
    """How much a style counts, in tenths."""
    return styles.get("weights", {}).get(which, EVEN)


def weights_of(shared: Shared, styles: dict) -> tuple[int, ...]:
    """How much each picture counts, as `style.read` takes it: each of a set's as much as its slider says; () where all
    count the same."""
    each = [weight_of(styles, path) for path in styles["paths"]]
    if styles["set"]:
        folder = datasets.find_set(shared.home, styles["set"])
        count = len(style.places_of_set(len(datasets.read_manifest(folder)["pictures"])))
        each += [weight_of(styles, "set")] * count
    return () if len(set(each)) == 1 and each[0] else tuple(each)


def canvas_size(width: int, height: int) -> tuple[int, int]:
    """Of the canvas over a picture: no larger than marks need be."""
    scale = min(1.0, limits.MOST_STYLED_PX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def marked(sent: object, content: Path) -> np.ndarray | None:
    """The mask that a brush's marks stand for, (H, W, 3) as large as the picture: black where they are. None where
    there are none."""
    if not sent:
        return None
    text = sent if isinstance(sent, str) and len(sent) <= MOST_MASK_CHARS else ""
    try:
        data = base64.b64decode(text.removeprefix("data:image/png;base64,"), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    painted = images.decode_painted(data, say("transform.marks"), limits.MOST_STYLED_PX)
    if isinstance(painted, Refusal):
        raise Refused(painted)
    width, height = images.png_size(content.read_bytes())
    _, opaque = painted
    if opaque.shape[::-1] != canvas_size(width, height):
        raise Refused(refuse("mask-size"))
    if not opaque.any():
        return None
    rows, columns = (np.arange(side) * small // side for side, small in zip((height, width), opaque.shape))
    whole = opaque[rows][:, columns]
    return np.repeat(np.where(whole, 0, 255)[:, :, None], 3, axis=2).astype(np.uint8)


# What is shown


def choose(name: str, most: int, more: bool = False, kind: str = "image") -> str:
    """A place to drop pictures, or files of another kind, or to choose them; small where there are some and `more` may
    come."""
    data = f'data-most="{most}" data-sending="{escape(say("transform.sending"))}" '
    data += f'data-failed="{escape(say("transform.failed"))}" data-large="{escape(say("transform.large"))}"'
    several = " multiple" if most > 1 else ""
    hint = "" if more else f'<span class="small subdued">{escape(say(f"transform.{name}.hint"))}</span>'
    look_of = "choose more" if more else "choose"
    return (
        f'<div class="{look_of}" {data}>{hint}<button type="button" class="quiet" data-choose="1">'
        f"{escape(say(f'transform.{name}.more' if more else f'transform.{name}.choose'))}</button>"
        f'<input type="file" accept="{kind}/*" hidden{several} aria-label="{escape(say(f"transform.{name}.choose"))}">'
        '<span class="choose-status" role="status"></span></div>'
    )


def own_html(path: str) -> str:
    """One's own picture under a brush, or a place to drop it."""
    title = f'<p class="piece-title">{escape(say("transform.own"))}</p>'
    if not path:
        return title + choose("own", 1)
    width, height = canvas_size(*images.png_size(Path(path).read_bytes()))
    buttons = "".join(
        f'<button type="button" class="quiet" data-undo="{name}">{escape(say(f"yours.{name}"))}</button>'
        for name in ("undo", "clear")
    )
    another = escape(say("transform.own.another"))
    return (
        f'{title}<div class="own"><img src="{escape(address(path))}" alt="{escape(say("yours.canvas"))}">'
        f'<canvas width="{width}" height="{height}" data-of="{escape(Path(path).parent.name)}" role="img" '
        f'aria-label="{escape(say("transform.marks"))}"></canvas></div>'
        f"{tiles.note(say('transform.marks.hint'))}"
        f'<div class="own-row"><label>{escape(say("yours.size"))} <input type="range" min="4" max="96" value="28" '
        f'aria-label="{escape(say("yours.size"))}"></label>{buttons}'
        f'<button type="button" class="quiet" data-act="another">{another}</button></div>'
    )


def theirs_html(shared: Shared, styles: dict, chosen: str) -> str:
    """The pictures to paint like, each with a button that takes it away, and a place for more."""
    shown = [
        (address(path), say("transform.style.one", number=number), str(number - 1), path)
        for number, path in enumerate(styles["paths"], 1)
    ]
    if styles["set"]:
        try:
            count = len(datasets.read_manifest(datasets.find_set(shared.home, styles["set"]))["pictures"])
            shown += [
                (
                    f"gradio_api/set/{styles['set']}/{i}-384.webp",
                    say("transform.set.one"),
                    "set",
                    "set" if not n else "",
                )
                for n, i in enumerate(style.places_of_set(count))
            ]
        except Refused:
            pass
    several = sum(bool(which) for *_, which in shown) > 1

    def counts(title: str, which: str) -> str:
        """How much it counts among the others."""
        words = escape(f"{say('transform.weight')}: {title}")
        return (
            f'<input type="range" min="0" max="{MOST_WEIGHT * EVEN}" value="{weight_of(styles, which)}" '
            f'data-weight="{escape(which)}" aria-label="{words}" title="{words}">'
            if several and which
            else ""
        )

    inside = "".join(
        f'<span><img src="{escape(src)}" alt="{escape(title)}"><button type="button" data-act="out" '
        f'data-place="{place}" aria-label="{escape(say("transform.out", title=title))}">×</button>'
        f"{counts(title, which)}</span>"
        for src, title, place, which in shown
    )
    inside = f'<div class="theirs">{inside}</div>' if inside else ""
    inside += tiles.note(say("transform.weight.hint")) if several else ""
    choice = read_choice(shared, chosen)
    offer = ""
    if choice and choice["set"] != styles["set"]:
        words = say("transform.set", name=choice["name"] or say("transform.set.unnamed"))
        offer = f'<button type="button" class="quiet" data-act="set">{escape(words)}</button>'
    title = f'<p class="piece-title">{escape(say("transform.style"))}</p>'
    place = choose("style", limits.MOST_STYLE_PICTURES, bool(shown))
    return f'{title}{inside}{place}<div class="own-row">{offer}</div>'


def compared(before: str, after: str) -> str:
    """Before and after on one place, and the slider between them."""
    width, height = images.png_size(Path(after).read_bytes())
    label = escape(say("transform.compare"))
    return (
        f'<div class="compare" style="--wide:{width / max(1, height):.4f}">'
        f'<img src="{escape(address(before))}" alt="{escape(say("transform.before"))}">'
        f'<img class="after" src="{escape(address(after))}" alt="{escape(say("transform.after"))}">'
        f'<input type="range" min="0" max="100" value="50" aria-label="{label}"></div>'
        f'<div class="compare-words" style="--wide:{width / max(1, height):.4f}">'
        f"<span>{escape(say('transform.before'))}</span>"
        f"<span>{escape(say('transform.after'))}</span></div>"
    )


def result_html(before: str, after: str, sentence: str) -> str:
    """A painting that is done, or was stopped: before and after, and what can be done with it."""
    save = escape(say("transform.save"))
    return (
        compared(before, after) + f'<div class="actions"><a class="action" href="{escape(address(after))}" '
        f'download="painted.png">{save}</a><button type="button" class="action" data-act="play" '
        f'title="{escape(say("transform.play.hint"))}">{escape(say("transform.play"))}</button></div>'
        + tiles.note(sentence)
    )


def watched(before: str, moments: Iterator[styled.Moment]) -> Iterator[tuple[str, str, bool]]:
    """A painting on the page: HTML of how far it is, where its last look lies, and whether it is done."""
    begun = None  # the time left is told from the first look on: what goes before it isn't painting
    yield tiles.waiting(say("transform.begin"), 0.0), "", False
    for seen in moments:
        begun = begun or (time.monotonic(), seen.share)
        after = file(seen.png, "painted.png")
        if seen.share >= 1:
            yield result_html(before, after, seen.sentence), after, True
            return
        said, done = say("yours.step", step=seen.step, steps=seen.steps), seen.share - begun[1]
        if done > 0:
            PROPERLY.left_s = (time.monotonic() - begun[0]) / done * (1 - seen.share)
            said += f", {say('bar.left', time=look.time_words(PROPERLY.left_s))}"
        yield compared(before, after) + tiles.waiting(said, seen.share), after, False


def forecast_html(content: str, size_px: object) -> str:
    """How long a painting of this size will take here, as a sentence; nothing before there is a picture."""
    if not content:
        return ""
    width, height = images.png_size(uploaded(content).read_bytes())
    size = style.check_size(size_px, limits.MOST_INSTANT_PX)
    most = limits.MOST_STYLED_PX
    seconds = style.forecast(*style.fitted(height, width, min(size, most)))
    words = "transform.forecast" if size <= most else "transform.forecast.less"
    return tiles.note(say(words, time=look.time_words(seconds), most=most))


# The tab


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
    script = look.asset("files.js") + look.asset("compare.js") + look.brushed("transform.js")

    def piece(name: str, value: str, **options) -> gr.HTML:
        return gr.HTML(
            value, elem_id=f"transform-{name}", elem_classes="piece", apply_default_css=False, **options
        )

    def hidden(name: str) -> gr.Textbox:
        return gr.Textbox("", visible="hidden", elem_id=f"transform-{name}", label=name)

    with gr.Row():
        with gr.Column(min_width=320):
            own = piece("own", own_html(""), js_on_load=script)
        with gr.Column(min_width=320):
            theirs = piece("theirs", theirs_html(shared, known(""), ""), js_on_load=script)
    message = piece("message", "")
    with gr.Row():
        strength, scale, size = (
            gr.Slider(
                low,
                high,
                at,
                step=step,
                label=say(f"transform.{name}"),
                info=say(f"transform.{name}.hint"),
                min_width=220,
                elem_id=f"transform-{name}",
            )
            for name, low, high, at, step in (
                ("strength", 0.0, float(limits.MOST_STRENGTH), 1.0, 0.1),
                ("scale", limits.LEAST_STYLE_SCALE, float(limits.MOST_STYLE_SCALE), 1.0, 0.05),
                ("size", limits.LEAST_STYLED_PX, limits.MOST_INSTANT_PX, style.SIZE_PX, 64),
            )
        )
    keep = gr.Checkbox(
        False, label=say("transform.keep"), info=say("transform.keep.hint"), elem_id="transform-keep"
    )
    with gr.Row():
        at_once = gr.Button(say("transform.now"), variant="primary", elem_id="transform-now")
        go = gr.Button(say("transform.go"), elem_id="transform-go")
    forecast = piece("forecast", "")
    result = piece("result", "", js_on_load=script)
    stop = gr.Button(say("yours.stop"), visible=False, elem_id="transform-stop")
    content, styles, marks, so_far, moment = map(hidden, ("content", "styles", "marks", "so-far", "moment"))

    def wrong(refused: Refused) -> dict:
        return {message: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}

    def sent(event: gr.EventData) -> dict:
        return event._data if isinstance(event._data, dict) else {}

    def laid(path: str, size_px: object) -> dict:
        return {
            own: gr.update(value=own_html(path)),
            content: gr.update(value=path),
            message: gr.update(value=""),
            forecast: gr.update(value=forecast_html(path, size_px)),
        }

    def drop_own(event: gr.EventData, size_px: float):
        """Lay a dropped picture under the brush."""
        try:
            return laid(kept(given_list(sent(event).get("paths"))[0], limits.MOST_INSTANT_PX), size_px)
        except Refused as refused:
            return wrong(refused)

    def chose(now: dict, chosen: str) -> dict:
        return {
            theirs: gr.update(value=theirs_html(shared, now, chosen)),
            styles: gr.update(value=json.dumps(now)),
            message: gr.update(value=""),
        }

    def drop_styles(event: gr.EventData, text: str, chosen: str):
        """Add dropped pictures to those to paint like; a bad one is said, the rest is added."""
        now, refusal = known(text), None
        try:
            for path in given_list(sent(event).get("paths")):
                try:
                    now["paths"].append(str(uploaded(kept(path, STYLE_PX))))
                except Refused as refused:
                    refusal = refused
        except Refused as refused:
            refusal = refused
        most = limits.MOST_STYLE_PICTURES
        if len(now["paths"]) > most:
            refusal = Refused(refuse("style-count", str(len(now["paths"])), most=most))
            now["paths"] = now["paths"][:most]
        return chose(now, chosen) | (wrong(refusal) if refusal else {})

    def change_styles(event: gr.EventData, text: str, chosen: str):
        """Take a picture away again, or take the style of the set in hand."""
        now, data = known(text), sent(event)
        choice = read_choice(shared, chosen)
        if data.get("act") == "set" and choice:
            now["set"] = choice["set"]
        elif data.get("place") == "set":
            now["set"] = ""
        elif str(data.get("place")).isdecimal():
            now["paths"] = [path for i, path in enumerate(now["paths"]) if i != int(data["place"])]
        return chose(now, chosen)

    own_out, styles_out = [own, content, message, forecast], [theirs, styles, message]
    reading = {"show_progress": "hidden", "concurrency_limit": 2, **PRIVATE}
    own.dropped(drop_own, size, own_out, api_name="ui_transform_own", **reading)
    own.act(lambda: laid("", style.SIZE_PX), None, own_out, api_name="ui_transform_another", **QUIET)
    inputs = [styles, shared.chosen]
    theirs.dropped(drop_styles, inputs, styles_out, api_name="ui_transform_styles", **reading)
    theirs.act(change_styles, inputs, styles_out, api_name="ui_transform_change", **QUIET)
    shared.chosen.change(
        lambda text, chosen: gr.update(value=theirs_html(shared, known(text), chosen)),
        inputs,
        theirs,
        api_name="ui_transform_set",
        **QUIET,
    )

    def foretell(path: str, size_px: float):
        """How long the size that was chosen will take."""
        try:
            return gr.update(value=forecast_html(path, size_px))
        except Refused:
            return gr.update(value="")

    size.change(
        foretell,
        [content, size],
        forecast,
        trigger_mode="always_last",
        api_name="ui_transform_forecast",
        **QUIET,
    )

    def wished(most_px: int, marks: str, path: str, text: str, size_px: object, *dials: object) -> tuple:
        """What `style.read` takes, of what the page sent. Refused as there, and where something is missing."""
        theirs_now = known(text)
        size = style.check_size(size_px, limits.MOST_INSTANT_PX)
        checked = style.check_dials(min(size, most_px), *dials, most_px)
        if not path:
            raise Refused(refuse("no-content"))
        if not (theirs_now["paths"] or theirs_now["set"]):
            raise Refused(refuse("no-style"))
        own_path = uploaded(path)
        paths = tuple(map(Path, theirs_now["paths"]))
        weights = weights_of(shared, theirs_now)
        return own_path, paths, theirs_now["set"], checked, marked(marks, own_path), (), weights

    def nothing() -> dict:
        """Of work that was ended: who ended it has said so. Gradio sends a work's last answer once more when it is
        over, which would hide that."""
        return {message: gr.skip()}

    def begin(request: gr.Request, when: str) -> Callable[[], bool]:
        """What was being painted gives its place."""
        stopping.stop(request, "style", str(round(stopping.number(when)) - 1))
        return stopping.asker(request, "style", when)

    def paint(request: gr.Request, when: str, *sent: object):
        """Paint it, with looks on the way. What comes together is one answer: of several quick ones the page may miss
        one."""
        try:
            wish = wished(limits.MOST_STYLED_PX, *sent)
        except Refused as refused:
            yield wrong(refused)
            return
        over = begin(request, when)
        yield {
            stop: gr.update(visible=True, value=say("yours.stop")),
            message: gr.update(value=""),
            so_far: gr.update(value=""),
        }
        try:
            moments = child.following(styled.painting, shared.home, *wish, over=over)
            steps = watched(str(wish[0]), moments)
            steps = PROPERLY.served(steps, over, lambda said: (tiles.waiting(said, 0.0), "", False))
            for html, after, done in steps:
                shown = {result: gr.update(value=html), so_far: gr.update(value=after)}
                yield shown | ({stop: gr.update(visible=False)} if done else {})
        except Refused as refused:
            yield {result: gr.update(value=""), stop: gr.update(visible=False)} | wrong(refused)
        except Ended:
            yield nothing()
            return
        except RuntimeError:  # a child that is gone was most often killed for want of memory
            broke = tiles.note(say("work.broke"), "bad")
            yield {message: gr.update(value=broke), stop: gr.update(visible=False)}

    painting = {
        "inputs": [moment, marks, content, styles, size, strength, scale, keep],
        "outputs": [result, so_far, stop, message],
        "js": MARKS,
        "show_progress": "minimal",
        "show_progress_on": result,
        **PRIVATE,
        **TOGETHER,
    }
    go.click(paint, **painting, api_name="ui_transform_paint")
    for name, button in (("show", go), ("show_now", at_once)):
        button.click(None, None, None, js=TO_RESULT, api_name=f"ui_transform_{name}", **PRIVATE)

    def paint_now(request: gr.Request, when: str, *sent: object):
        """Paint it at once. A small one in this process: a child would take longer to begin than this takes."""
        try:
            wish = wished(limits.MOST_INSTANT_PX, *sent)
            over = begin(request, when)
            png, took_s = yield from AT_ONCE.served(painted_now(wish, over), over, waiting_for_now)
            after = file(png, "painted.png")
        except Refused as refused:
            yield wrong(refused) | {stop: gr.update(visible=False)}
            return
        except Ended:
            yield nothing()
            return
        except RuntimeError:
            broke = tiles.note(say("work.broke"), "bad")
            yield {message: gr.update(value=broke), stop: gr.update(visible=False)}
            return
        sentence = say("transform.now.done", time=look.time_words(max(1.0, took_s)))
        yield {
            result: gr.update(value=result_html(str(wish[0]), after, sentence)),
            so_far: gr.update(value=after),
            stop: gr.update(visible=False),
            message: gr.update(value=""),
        }

    def waiting_for_now(said: str) -> dict:
        """One that isn't on its way yet."""
        return {
            stop: gr.update(visible=True, value=say("batch.stop")),
            so_far: gr.update(value=""),
            message: gr.update(value=""),
            result: gr.update(value=tiles.waiting(said, 0.0)),
        }

    def painted_now(wish: tuple, over: Callable[[], bool]):
        """Its progress, where that is worth telling; returns the PNG, and how long it took."""
        before = time.monotonic()
        if wish[3].size_px <= limits.MOST_STYLED_PX:
            png = styled.png_at_once(style.read(shared.home, *wish))
        else:
            png = yield from in_pieces(wish, over)
        return png, time.monotonic() - before

    def in_pieces(wish: tuple, over: Callable[[], bool]):
        """A large one, in a child, with its progress; returns the PNG."""
        yield waiting_for_now(say("batch.begin"))
        steps, begun = child.following(styled.at_once_in_pieces, shared.home, *wish, over=over), None
        while True:
            try:
                done, total = next(steps)
            except StopIteration as end:
                return end.value
            now = time.monotonic()
            begun = begun or now  # the time left is told from the first piece on
            said = say("transform.pieces", done=done, total=total)
            if done > 1:
                AT_ONCE.left_s = (now - begun) / (done - 1) * (total - done)
                said += f", {say('bar.left', time=look.time_words(AT_ONCE.left_s))}"
            yield {result: gr.update(value=tiles.waiting(said, done / total))}

    at_once.click(paint_now, **painting, api_name="ui_transform_now")

    def stopped(request: gr.Request, when: str, path: str, after: str):
        """What there is by now is the result."""
        stopping.stop(request, "style", when)
        try:
            html = result_html(str(uploaded(path)), str(uploaded(after)), say("transform.stopped"))
        except Refused:  # stopped before the first look
            html = tiles.note(say("transform.nothing"))
        return {result: gr.update(value=html), stop: gr.update(visible=False)}

    stop.click(
        stopped,
        [moment, content, so_far],
        [result, stop],
        js=stopping.NOW,
        api_name="ui_transform_stop",
        **QUIET,
    )

    def to_play(after: str):
        """The painting becomes Play's picture to look for."""
        with told():
            return gr.update(value=to_look_for(uploaded(after).read_bytes())), gr.Tabs(selected="play")

    result.act(
        to_play,
        so_far,
        [shared.brought, shared.tabs],
        api_name="ui_transform_play",
        **QUIET | {"queue": True},
    )
