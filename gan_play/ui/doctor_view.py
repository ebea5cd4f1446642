"""The report on the chosen set as pictures: what is there more than once, how the folders compare, what to leave out.

What is marked lives in the browser (`assets/doctor.js`); the server hears of it when a new set is asked for. That is
made beside the old one (`datasets.leaving_out`), which can be taken in hand again.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr

from gan_play.measure import atlas
from gan_play.pictures import datasets, doctor
from gan_play.refusals import Refused, refuse
from gan_play.runs import labels
from gan_play.ui import look, stopping, work
from gan_play.ui.line import Line
from gan_play.ui.routes import SET_ID
from gan_play.ui.shared import PRIVATE, QUIET, Shared, told
from gan_play.ui.words import say

LINE = Line("set")

MOST_GROUPS = 120  # of duplicates that are shown
MOST_OF_GROUP = 24  # pictures of one group that are shown

FRAME = """<section class="doctor" hidden><p class="doctor-from" hidden><span></span>
<button type="button" class="gp small" data-back></button></p>
<details class="folded doctor-labels" hidden><summary></summary><p class="doctor-few" hidden></p>
<div class="doctor-bars"></div></details>
<details class="folded doctor-groups" hidden><summary></summary><p class="subdued"></p>
<div class="doctor-sheet"></div></details>
<details class="folded doctor-map" hidden><summary></summary>
<div class="doctor-ask"><p class="subdued"></p><button type="button" class="gp" data-look></button></div>
<div class="doctor-odd"><p></p><div class="doctor-sheet"></div>
<div class="buttons"><button type="button" class="gp" data-all></button>
<button type="button" class="gp" data-stay></button></div></div>
<div class="doctor-where"><div class="doctor-atlas map"></div>
<div class="doctor-large" hidden><img alt=""><span></span>
<button type="button" class="gp" data-toggle></button></div></div></details>
<p class="doctor-foot" hidden><span role="status"></span><button type="button" class="gp" data-none></button>
<button type="button" class="gp primary" data-leave></button></p></section>"""

Reader = Callable[[Shared, str], dict | None]
"""`gather.read_choice`: the chosen set, if it is one and still there."""


def build(shared: Shared, read_choice: Reader) -> None:
    """Make the report's components and wire them."""
    view = gr.HTML(
        {},
        html_template=FRAME,
        js_on_load=look.asset("map.js") + look.asset("doctor.js"),
        elem_id="doctor",
        apply_default_css=False,
    )
    progress = gr.HTML("", elem_id="doctor-progress")
    stop = gr.Button(say("gather.cancel"), visible=False, size="sm", elem_id="doctor-cancel")

    def show(chosen: str):
        choice = read_choice(shared, chosen)
        return gr.update(value=shown(shared.home / "sets" / choice["set"]) if choice else {})

    def leave(chosen: str, event: gr.EventData):
        """Make the set without the marked pictures and take it in hand."""
        with told():
            choice = read_choice(shared, chosen)
            folder, dropped = marked(shared.home, event)
            if not choice or choice["set"] != folder.name:
                raise Refused(refuse("no-set", folder.name))
            yield from leaving(datasets.leaving_out(folder, dropped), choice)

    def back(chosen: str):
        """Take the set in hand that this one was made from."""
        with told():
            choice = read_choice(shared, chosen)
            if not choice:
                raise Refused(refuse("no-chosen"))
            before = origin(shared.home / "sets" / choice["set"])
            if not before:
                raise Refused(refuse("no-set", choice["set"]))
        return gr.update(value=json.dumps({**choice, "set": before["id"]}))

    def look_at_all(request: gr.Request, when: str, event: gr.EventData):
        """Find the odd ones and draw the map, in a process of its own."""
        with told():
            folder, _ = marked(shared.home, event)
            over = stopping.asker(request, "look", when)
            yield from work.watched(LINE, say("doctor.looking"), over, atlas.mapping, folder)

    shared.chosen.change(show, shared.chosen, view, api_name="ui_doctor", **QUIET)
    work.wire(view.look, look_at_all, [], [progress, stop], (show, shared.chosen, view), "look")
    view.leave(
        leave,
        shared.chosen,
        [progress, shared.chosen],
        concurrency_limit=2,
        show_progress="hidden",
        api_name="ui_leave_out",
        **PRIVATE,
    )
    view.back(back, shared.chosen, shared.chosen, api_name="ui_put_back", **QUIET)


def marked(home: Path, event: gr.EventData) -> tuple[Path, set[int]]:
    """The set and the places that a browser names, checked. Refused where they are none."""
    set_id = str(event._data.get("set", ""))
    if not SET_ID.fullmatch(set_id):
        raise Refused(refuse("no-set", set_id))
    folder = datasets.find_set(home, set_id)
    count, given = len(datasets.read_manifest(folder)["pictures"]), event._data.get("drop", [])
    if not isinstance(given, list) or not all(type(i) is int and 0 <= i < count for i in given):
        raise Refused(refuse("not-found", "The picture"))
    return folder, set(given)


def leaving(steps: Iterator, choice: dict) -> Iterator[tuple]:
    """Make a smaller set, showing how far it is; in the end, choose it."""
    yield gr.update(value=look.progress(0, say("doctor.leaving"))), gr.skip()
    told_at = time.monotonic()
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            set_id, _ = end.value
            break
        except Refused as refused:
            yield gr.update(value=look.note(refused.refusal.sentence, "bad")), gr.skip()
            return
        if time.monotonic() - told_at > 0.25:
            told_at = time.monotonic()
            yield gr.update(value=look.progress(step.done / max(1, step.total), step.sentence)), gr.skip()
    yield gr.update(value=""), gr.update(value=json.dumps({**choice, "set": set_id}))


# What is shown


def shown(folder: Path) -> dict:
    """All that `doctor.js` shows of a set, as plain data."""
    manifest = datasets.read_manifest(folder)
    pictures, groups = manifest["pictures"], doctor.groups(manifest)
    some = [seen_of(group) for group in groups[:MOST_GROUPS]]
    spared, drawn = doctor.repeated(manifest), map_of(folder)
    named = {i for group in some for i in group["pictures"]} | {i for i in (drawn or {}).get("shown", ())}
    before = origin(folder)
    return {
        "set": manifest["id"],
        "count": len(pictures),
        "groups": some,
        "names": {str(i): pictures[i]["name"] for i in sorted(named)},
        "marked": spared,
        "map": drawn,
        "labels": bars(labels.of_set(folder)),
        "from": before and say("doctor.from", count=f"{before['dropped']:,}"),
        "words": words(len(groups), len(spared)),
    }


def seen_of(group: dict) -> dict:
    """A group as far as it is shown: the picture that stays first, and how many are `rest`, marked unseen."""
    pictures = sorted(group["pictures"], key=lambda i: i != group["keep"])
    return {**group, "pictures": pictures[:MOST_OF_GROUP], "rest": len(pictures[MOST_OF_GROUP:])}


def words(groups: int, spared: int) -> dict[str, str]:
    """The texts of `doctor.js`; it puts numbers and names in the place of `%`."""
    names = ("exact", "rest", "keep", "drop", "back", "none", "foot", "leave", "leave.one", "alike.what")
    names += ("map", "map.what", "map.do", "odd.all", "odd.stay", "large.odd", "large.keep", "large.drop")
    more = groups - MOST_GROUPS
    return {
        **{name: say(f"doctor.{name}") for name in names},
        **{name: say(f"map.{name}") for name in ("smaller", "larger")},
        "alike": say("doctor.alike", groups=f"{groups:,}", spared=f"{spared:,}"),
        "more": say("gather.and_more", count=f"{more:,}") if more > 0 else "",
    }


def map_of(folder: Path) -> dict | None:
    """The map of a set as `map.js` draws it, and what is to say of the odd ones; None where it isn't made yet."""
    made = atlas.read(folder)
    if not made:
        return None
    odd = len(made["outliers"])
    few = made["seen"] < atlas.LEAST_TO_JUDGE
    said = say("doctor.odd.few") if few else say("doctor.odd.none") if not odd else say("doctor.odd.some")
    count = len(datasets.read_manifest(folder)["pictures"])
    if made["seen"] < count:
        said += say("doctor.odd.part", count=f"{count:,}", seen=f"{made['seen']:,}")
    title = say("doctor.map.title", odd=odd, shown=len(made["shown"]))
    return {
        **{key: made[key] for key in ("shown", "x", "y", "columns", "cell_px")},
        "outliers": [i for i in made["outliers"] if i in set(made["shown"])],
        "sheet": f"gradio_api/set/{folder.name}/map-{atlas.FORMAT}.webp",
        "title": title,
        "said": said,
    }


def bars(found: dict[str, int]) -> dict | None:
    """The labels of a set, the largest first, and what is to say of them; None for a set without."""
    if not found:
        return None
    largest = max(found.values())
    rows = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return {
        "title": say("doctor.labels", count=len(found)),
        "rows": [
            {"name": name, "count": f"{count:,}", "share": count / largest, "few": too_few(count, largest)}
            for name, count in rows
        ],
        "said": labels.warning(found) or uneven(found),
    }


def too_few(count: int, largest: int) -> bool:
    """Whether a label is far too small beside the largest, or at all."""
    return count < labels.FEW_OF_LABEL or count * UNEVEN < largest


UNEVEN = 10
"""Times that the largest label may be larger than another, before that is said."""


def uneven(found: dict[str, int]) -> str:
    """Which label is far smaller than the largest, in a sentence; "" where none is."""
    least, most = min(found, key=found.get), max(found, key=found.get)
    if found[least] * UNEVEN >= found[most]:
        return ""
    times = found[most] // max(1, found[least])
    return say("doctor.uneven", least=least[:40], most=most[:40], times=times)


def origin(folder: Path) -> dict | None:
    """The set that this one is a part of, {"id", "dropped"}, if it is still there."""
    before = datasets.read_manifest(folder).get("made_from")
    if not isinstance(before, dict) or not SET_ID.fullmatch(str(before.get("id"))):
        return None
    there = (folder.parent / before["id"] / "manifest.json").is_file()
    return before if there and type(before.get("dropped")) is int else None
