"""How the page looks: theme, style sheet, the few scripts in its head, and the small pieces of HTML.

Pictures stand on a neutral ground, with air; the controls stay quiet. Light and dark follow the system, contrast
is at least 4.5, tap targets are 40 px. No font or script is fetched from elsewhere. Every function here takes plain
text and escapes it.
"""

from html import escape
from pathlib import Path

import gradio as gr

from gan_play.ui.words import say

FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]

THEME = gr.themes.Base(
    primary_hue="orange",
    secondary_hue="stone",
    neutral_hue="stone",
    radius_size="md",
    font=FONT,
    font_mono=MONO,
).set(
    body_text_color_subdued="*neutral_600",  # contrast 7.6 on white; Gradio's own has 2.5
    body_text_color_subdued_dark="*neutral_400",
    button_primary_background_fill="*primary_700",  # contrast 5.2 with white
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_hover_dark="*primary_600",
    button_primary_text_color="white",
    button_primary_text_color_dark="white",
    color_accent="*primary_700",
)

# Where a browser blocks storage (a frame of another site), localStorage throws and Gradio stops rendering: give it
# one that forgets.
HEAD = """<script>try{localStorage.length}catch(e){const m=new Map();Object.defineProperty(window,'localStorage',
{configurable:true,value:{getItem:k=>m.has(k)?m.get(k):null,setItem:(k,v)=>m.set(k,String(v)),
removeItem:k=>m.delete(k),clear:()=>m.clear(),key:i=>[...m.keys()][i]??null,get length(){return m.size}}})}</script>
<meta name="viewport" content="width=device-width, initial-scale=1">"""


def asset(name: str) -> str:
    """The text of a script or style sheet that lies beside this file."""
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")


def polling(name: str) -> str:
    """A component's script that asks the server now and then: `regularly` of `assets/poll.js` stands before it."""
    return asset("poll.js") + asset(name)


def brushed(name: str) -> str:
    """The script of a component with a canvas to draw on: `brushing` of `assets/brush.js` stands before it."""
    return asset("brush.js") + asset(name)


CSS = asset("page.css") + asset("bakeoff.css") + asset("directions.css")


def note(text: str, kind: str = "") -> str:
    """A line of text; `kind` is "verdict" or "bad"."""
    return f'<p class="note {kind}">{escape(text)}</p>'


def progress(share: float | None, text: str) -> str:
    """A bar and what it is about; None where nobody knows how far it is."""
    value = "" if share is None else f' value="{share:.3f}"'
    bar = f'<progress max="1"{value} aria-label="{escape(text)}"></progress>'
    return f'<div class="progress" role="status">{bar}<span>{escape(text)}</span></div>'


def masthead() -> str:
    """The name and what it is."""
    return f"<h1>{escape(say('page.title'))}</h1><p>{escape(say('page.tagline'))}</p>"


def sentence(text: str) -> str:
    """The one sentence under a tab's name."""
    return f'<p class="sentence">{escape(text)}</p>'


def grid_address(run: str, step: int) -> str:
    """Where the page finds the grid of a run at a step; relative, so that it works behind any prefix."""
    return f"gradio_api/run/{run}/grid/{step}.webp"


def time_words(seconds: float | None) -> str:
    """A duration in words: "12 s", "4 min", "2 h 5 min"."""
    if seconds is None:
        return ""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def bar(model: dict | None, running: dict | None, waiting: int) -> str:
    """The thin bar from two statuses of `store.status` and the number of runs that wait."""
    return f'<div class="bar">{_in_hand(model)}{_running(running, waiting)}</div>'


def _in_hand(model: dict | None) -> str:
    if not model:
        return f"<span>{escape(say('bar.no_model'))}</span>"
    name = f"{escape(say('bar.model'))}: <b>{escape(model['name'])}</b> · {int(model['size_px'])} px"
    return (
        f'<button data-tab="play" data-run="{escape(model["id"])}">{_mini(model)}<span>{name}</span></button>'
    )


def _running(run: dict | None, waiting: int) -> str:
    if not run:
        return f"<span>{escape(say('bar.idle'))}</span>"
    parts = [f"{escape(say('bar.training'))}: <b>{escape(run['name'])}</b>"]
    if run.get("percent") is not None:
        parts.append(f"{round(run['percent'])} %")
    if run.get("seconds_left") is not None:
        parts.append(escape(say("bar.left", time=time_words(run["seconds_left"]))))
    if waiting:
        parts.append(escape(say("bar.waiting", count=waiting)))
    if run.get("device"):
        parts.append(escape(str(run["device"])))
    text = " · ".join(parts)
    return f'<button data-tab="train" data-run="{escape(run["id"])}">{_mini(run)}<span>{text}</span></button>'


def _mini(run: dict) -> str:
    if run.get("last_grid") is None:
        return ""
    return f'<img src="{grid_address(escape(run["id"]), int(run["last_grid"]))}" alt="">'
