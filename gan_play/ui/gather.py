"""Gather: pictures come in, are looked over together, and one button starts the training.

A set lives on disk under its content's digest as soon as it was taken in; the page keeps only its id, so a reload
comes back to it. Uploaded files are read from Gradio's own upload folder and from nowhere else.
"""

import contextlib
import json
import math
import re
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from gan_play import limits
from gan_play.pictures import datasets, doctor, examples, intake
from gan_play.refusals import Refused, refuse
from gan_play.ui import doctor_view, look, stopping
from gan_play.ui.routes import SET_ID
from gan_play.ui.shared import PRIVATE, QUIET, Shared, told
from gan_play.ui.words import say

MOST_SHOWN = 240  # pictures on the contact sheet: enough to see what kind of set it is
MOST_NAMES = 200  # refused files that are listed by name
PREVIEWS = 3  # own pictures on which the ways to make them square are shown

DROP_JS = look.asset("drop.js")
EXAMPLE_JS = """element.addEventListener('click', (event) => {
  const card = event.target.closest('[data-example]');
  if (card) trigger('example', {name: card.dataset.example});
});"""
TO_REPORT = "() => document.querySelector('#report')?.scrollIntoView({behavior: 'smooth', block: 'start'})"
CHOOSE_JS = """element.addEventListener('click', (event) => {
  const card = event.target.closest('[data-how]');
  if (!card) return;
  for (const other of element.querySelectorAll('[data-how]')) other.setAttribute('aria-checked', other === card);
  trigger('choose', {how: card.dataset.how});
});"""


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
    drop = gr.HTML(drop_zone(), js_on_load=DROP_JS, elem_id="drop")
    progress = gr.HTML("", elem_id="gather-progress")
    stop = gr.Button(say("gather.cancel"), visible=False, size="sm", elem_id="gather-cancel")
    report = gr.HTML("", elem_id="report", js_on_load=CHOOSE_JS)
    part = gr.Button(say("gather.split"), visible=False, size="md", elem_id="gather-split")
    doctor_view.build(shared, read_choice)
    with gr.Row(visible=False, elem_id="go-row") as row:
        shared.go.render()
        more = gr.Button(say("gather.choose"), elem_id="gather-choose")
    shared.busy.render()
    cards = gr.HTML(example_cards(), js_on_load=EXAMPLE_JS, elem_id="examples")
    with gr.Accordion(say("gather.colour.title"), open=False):
        colour = gr.ColorPicker("#ffffff", label=say("gather.colour.label"), info=say("gather.colour.info"))

    moment = gr.Textbox("", visible="hidden", elem_id="gather-moment", label="moment")

    def take(request: gr.Request, when: str, colour: str, event: gr.EventData):
        """Take in what was uploaded."""
        with told():
            paths = [uploaded(path) for path in given_list(event.paths)]
            steps = intake.take_in(paths, shared.home, background=rgb(colour))
            over = stopping.asker(request, "gather", when)
            yield from taking(steps, name_of(event.name), colour, over)

    def take_example(request: gr.Request, when: str, colour: str, event: gr.EventData):
        """Draw an example set and take it in."""
        with told():
            if event.name not in examples.EXAMPLES:
                raise Refused(refuse("example", str(event.name), names=", ".join(examples.EXAMPLES)))
            title = examples.EXAMPLES[event.name].title
            over = stopping.asker(request, "gather", when)
            yield from taking(examples.taking_in_example(event.name, shared.home), title, colour, over)

    def part_pairs(request: gr.Request, when: str, chosen: str):
        """Part pictures that are two side by side into pairs."""
        choice = read_choice(shared, chosen)
        if choice:
            folder = shared.home / "sets" / choice["set"]
            colour, over = "#" + bytes(choice["background"]).hex(), stopping.asker(request, "gather", when)
            yield from taking(parting(folder), choice["name"], colour, over)

    outputs = [progress, stop, shared.chosen]
    reading = {"concurrency_limit": 2, "show_progress": "hidden", "js": stopping.NOW, **PRIVATE}
    events = [
        drop.gathered(take, [moment, colour], outputs, api_name="ui_gather", **reading),
        cards.example(take_example, [moment, colour], outputs, api_name="ui_example", **reading),
        part.click(part_pairs, [moment, shared.chosen], outputs, api_name="ui_split", **reading),
    ]
    for event, api_name in zip(events, ("ui_gather_seen", "ui_example_seen", "ui_split_seen"), strict=True):
        event.success(None, None, None, js=TO_REPORT, api_name=api_name, **PRIVATE)
    stop.click(
        stopping.stopper("gather", say("batch.stopping")),
        moment,
        stop,
        js=stopping.NOW,
        api_name="ui_gather_cancel",
        **QUIET,
    )

    def show(chosen: str):
        """The report on the chosen set."""
        choice = read_choice(shared, chosen)
        if not choice:
            hidden = gr.update(visible=False)
            return gr.update(value=""), hidden, gr.update(interactive=True), hidden
        folder = shared.home / "sets" / choice["set"]
        facts = doctor.report(folder)
        enough = facts["accepted"] >= limits.LEAST_PICTURES
        return (
            gr.update(value=sheet(choice, facts, folder)),
            gr.update(visible=True),
            gr.update(interactive=enough),
            gr.update(visible=datasets.is_side_by_side(datasets.read_manifest(folder))),
        )

    def choose(chosen: str, event: gr.EventData):
        """Another way to make pictures square."""
        choice = read_choice(shared, chosen)
        if not choice or event.how not in datasets.FITS:
            return gr.skip()
        return gr.update(value=json.dumps({**choice, "how": event.how}))

    def recolour(chosen: str, colour: str):
        choice = read_choice(shared, chosen)
        return gr.update(value=json.dumps({**choice, "background": rgb(colour)})) if choice else gr.skip()

    shared.chosen.change(show, shared.chosen, [report, row, shared.go, part], api_name="ui_report", **QUIET)
    report.choose(choose, shared.chosen, shared.chosen, api_name="ui_fit", **QUIET)
    colour.change(
        recolour,
        [shared.chosen, colour],
        shared.chosen,
        trigger_mode="always_last",
        api_name="ui_colour",
        **QUIET,
    )
    more.click(lambda: gr.Tabs(selected="train"), None, shared.tabs, api_name="ui_choose_first", **QUIET)


# What came from the browser is checked


def given_list(value: object) -> list[str]:
    """The paths that a browser claims to have uploaded."""
    if not isinstance(value, list) or not value or not all(isinstance(path, str) for path in value):
        raise Refused(refuse("not-uploaded"))
    return value


def uploaded(path: object) -> Path:
    """A path that a client sent is trusted only if Gradio itself put the file there."""
    try:
        file = Path(str(path)).resolve()
        inside = file.is_relative_to(Path(get_upload_folder()).resolve()) and file.is_file()
    except (OSError, ValueError):
        inside = False
    if not inside:
        raise Refused(refuse("not-uploaded"))
    return file


def name_of(value: object) -> str:
    """The name of the dropped folder or ZIP, as the name of what is trained on it."""
    return re.sub(r"\s+", " ", value).strip()[:60] if isinstance(value, str) else ""


def rgb(colour: object) -> tuple[int, int, int]:
    """The colour picker's value as three numbers; white for what isn't a colour."""
    if isinstance(colour, str):
        if match := re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", colour):
            return tuple(int(part, 16) for part in match.groups())
        if match := re.match(r"rgba?\(\s*([\d.]{1,8})\s*,\s*([\d.]{1,8})\s*,\s*([\d.]{1,8})", colour):
            with contextlib.suppress(ValueError):
                return tuple(min(255, round(float(part))) for part in match.groups())
    return (255, 255, 255)


def read_choice(shared: Shared, text: str) -> dict | None:
    """The chosen set {"set", "how", "background", "name"}, if it is one and still there."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        choice = json.loads(text)
        known = SET_ID.fullmatch(choice["set"]) and choice["how"] in datasets.FITS
        if known and (shared.home / "sets" / choice["set"] / "manifest.json").is_file():
            back = [max(0, min(255, int(part))) for part in choice["background"]]
            return {
                "set": choice["set"],
                "how": choice["how"],
                "background": back,
                "name": name_of(choice["name"]),
            }
    return None


# What is shown


def taking(
    steps: Iterator, name: str, colour: str, over: Callable[[], bool] = lambda: False
) -> Iterator[tuple]:
    """Run an intake, showing how far it is, until `over` says that it shall end; in the end, choose the set that it
    made."""
    begun = gr.update(visible=True, value=say("gather.cancel"))
    yield gr.update(value=look.progress(0, say("gather.reading"))), begun, gr.skip()
    shown = time.monotonic()
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            taken = end.value
            break
        except Refused as refused:
            yield gr.update(value=refusals(refused)), gr.update(visible=False), gr.skip()
            return
        if over():
            steps.close()
            yield gr.update(value=look.note(say("gather.cancelled"))), gr.update(visible=False), gr.skip()
            return
        if time.monotonic() - shown > 0.25:
            shown = time.monotonic()
            share = step.done / max(1, step.total)
            yield gr.update(value=look.progress(share, step.sentence)), gr.skip(), gr.skip()
    choice = {"set": taken.set_id, "how": "crop", "background": rgb(colour), "name": name}
    yield gr.update(value=""), gr.update(visible=False), gr.update(value=json.dumps(choice))
    # Gradio sends the last answer once more when all is over, maybe after something else has been chosen.
    yield gr.skip(), gr.skip(), gr.skip()


def parting(folder: Path) -> Iterator:
    """Part the pictures of a set into pairs, as an intake that `taking` runs."""
    set_id, made = yield from datasets.splitting(folder)
    return datasets.Taken(set_id, made, {})


def drop_zone() -> str:
    """The drop zone; `drop.js` brings it to life."""
    texts = {key: say(f"gather.drop.{key}") for key in ("packing", "sending", "large", "failed", "cancelled")}
    data = " ".join(f'data-{key}="{escape(text)}"' for key, text in texts.items())
    choose_files, choose_folder = escape(say("gather.drop.files")), escape(say("gather.drop.folder"))
    return f"""<div class="drop" {data}>
<p class="drop-big">{escape(say("gather.drop.title"))}</p><p class="subdued">{escape(say("gather.drop.kinds"))}</p>
<div class="buttons"><button type="button" class="gp primary" data-choose="files">{choose_files}</button>
<button type="button" class="gp" data-choose="folder">{choose_folder}</button></div>
<input type="file" name="files" multiple hidden aria-label="{choose_files}">
<input type="file" name="folder" webkitdirectory hidden aria-label="{choose_folder}">
<div class="drop-status" role="status"><span></span><progress max="1" value="0" hidden></progress>
<button type="button" class="gp" data-cancel hidden>{escape(say("gather.cancel"))}</button></div></div>"""


def example_cards() -> str:
    """The example sets to choose from."""
    cards = "".join(example_card(name, example) for name, example in examples.EXAMPLES.items())
    return f'<p class="or">{escape(say("gather.examples"))}</p><div class="cards">{cards}</div>'


def example_card(name: str, example: examples.Example) -> str:
    """One example set: what it looks like, its name, a sentence."""
    return (
        f'<button type="button" class="card" data-example="{escape(name)}">'
        f'<img src="gradio_api/example/{escape(name)}.webp" alt="" width="248" height="124" loading="lazy">'
        f"<strong>{escape(example.title)}</strong><span>{escape(example.sentence)}</span></button>"
    )


def sheet(choice: dict, facts: dict, folder: Path) -> str:
    """The chosen set: verdict, contact sheet, what was refused, how to make pictures square."""
    pictures = datasets.read_manifest(folder)["pictures"]
    title = choice["name"] or say("gather.your_set")
    head = f"<h3>{escape(title)}</h3>" + look.note(facts["verdict"], "verdict")
    return (
        head
        + contact(choice["set"], pictures)
        + look.note(counts(facts))
        + details(facts)
        + fits(choice, pictures)
    )


def contact(set_id: str, pictures: list[dict]) -> str:
    """The contact sheet, spread evenly over the set where that is large."""
    step = max(1, -(-len(pictures) // MOST_SHOWN))
    shown = range(0, len(pictures), step)
    sheet = "".join(
        f'<img src="gradio_api/set/{set_id}/{i}-96.webp" alt="{escape(pictures[i]["name"])}" '
        f'title="{escape(pictures[i]["name"])}" loading="lazy" width="72" height="72">'
        for i in shown
    )
    label = escape(say("gather.contact", shown=len(shown), count=f"{len(pictures):,}"))
    return f'<div class="contact" tabindex="0" role="group" aria-label="{label}">{sheet}</div>'


def counts(facts: dict) -> str:
    """The set in one line."""
    smallest, median, largest = (
        f"{w} x {h}" for w, h in (facts["sizes"][k] for k in ("smallest", "median", "largest"))
    )
    parts = [say("gather.accepted", count=f"{facts['accepted']:,}")]
    parts.append(say("gather.sizes", smallest=smallest, median=median, largest=largest))
    if facts["labels"]:
        labels = ", ".join(f"{name} ({count:,})" for name, count in list(facts["labels"].items())[:8])
        more = ", …" if len(facts["labels"]) > 8 else ""
        parts.append(say("gather.labels", labels=labels + more))
    return " ".join(parts)


def details(facts: dict) -> str:
    """Folded away: refused files with their reasons."""
    refused = [f"{entry['sentence']}" for entry in facts["refused"]]
    return folded(say("gather.refused", count=f"{len(refused):,}"), refused) if refused else ""


def folded(title: str, lines: list[str]) -> str:
    """A list that opens when asked; long ones end with how many are left out."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines[:MOST_NAMES])
    if len(lines) > MOST_NAMES:
        items += f"<li>{escape(say('gather.and_more', count=f'{len(lines) - MOST_NAMES:,}'))}</li>"
    return f'<details class="folded"><summary>{escape(title)}</summary><ul>{items}</ul></details>'


def fits(choice: dict, pictures: list[dict]) -> str:
    """The three ways to make pictures square, shown on the set's own; nothing where all are square already."""
    long = sorted(
        (i for i, p in enumerate(pictures) if p["width"] != p["height"]),
        key=lambda i: -abs(math.log(pictures[i]["width"] / pictures[i]["height"])),
    )
    if not long:
        return ""
    some = [
        long[round(at * (len(long) - 1) / max(1, PREVIEWS - 1) / 2)] for at in range(min(PREVIEWS, len(long)))
    ]
    back = "".join(f"{part:02x}" for part in choice["background"])
    cards = ""
    for how in datasets.FITS:
        shown = "".join(
            f'<img src="gradio_api/set/{choice["set"]}/square/{i}-{how}-{back}.webp" height="88" loading="lazy" '
            f'alt="{escape(say("gather.fit.alt", name=pictures[i]["name"]))}">'
            for i in dict.fromkeys(some)
        )
        cards += (
            f'<button type="button" class="card fit" role="radio" data-how="{how}" '
            f'aria-checked="{"true" if how == choice["how"] else "false"}"><span class="pictures">{shown}</span>'
            f"<strong>{escape(say(f'gather.fit.{how}'))}</strong><span>{escape(say(f'gather.fit.{how}.what'))}</span></button>"
        )
    title = escape(say("gather.fit", count=f"{len(long):,}"))
    return f'<p class="or">{title}</p><div class="cards three" role="radiogroup" aria-label="{title}">{cards}</div>'


def refusals(refused: Refused) -> str:
    """Why nothing could be taken in, and the single files behind it."""
    others = [other.sentence for other in refused.others]
    text = look.note(refused.refusal.sentence, "bad")
    return text + (folded(say("gather.refused", count=len(others)), others) if others else "")
