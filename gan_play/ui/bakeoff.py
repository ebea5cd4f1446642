"""Bake-off, a folded part of Train: choose recipes, see them side by side after equal seconds, vote blind, save a page.

    GET /gradio_api/bakeoff/ID.json            all that is shown of it, in words
    GET /gradio_api/bakeoff/ID/PAIR-SIDE.webp  what stands left or right in a blind vote; says nothing of the recipe
    GET /gradio_api/bakeoff/ID.html            the whole as one file to save

`assets/bakeoff.js` asks for the first of these while the part is in sight; events only start, steer and vote.
"""

import time
from collections.abc import Callable
from html import escape
from pathlib import Path

import gradio as gr
from fastapi import HTTPException
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.routing import APIRoute

from gan_play.refusals import Refusal, Refused, refuse
from gan_play.runs import bakeoff, labels, store
from gan_play.share.bakeoff import html
from gan_play.trainers.recipes import RECIPES
from gan_play.ui import forecast, look, verdict
from gan_play.ui.gather import read_choice
from gan_play.ui.routes import route
from gan_play.ui.shared import PRIVATE, QUIET, Shared, check_public
from gan_play.ui.words import say

MINUTES = 10
MOST_MINUTES = 480
SIZES = (28, 32, 64, 128, 256, 512)
SIZE = 64
FIRST = ("projected", "fastgan", "dcgan")  # ticked at first
WORDS = (
    *("no_set", "not_size", "not_labels", "few", "range", "gone", "none", "kid"),
    *("vote.wait", "vote.all", "forget.sure"),
)


# Addresses


def routes(home: Path) -> list[APIRoute]:
    """The routes over one home, for `launch(app_kwargs={"routes": ...})`."""

    def facts(bakeoff_id: str) -> Response:
        told = answer(lambda: told_of(home, bakeoff_id))
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    def side(bakeoff_id: str, number: int, which: str) -> Response:
        picture = answer(lambda: bakeoff.side(home, bakeoff_id, number, which))
        return Response(picture, media_type="image/webp", headers={"Cache-Control": "no-store"})

    def page(bakeoff_id: str) -> Response:
        headers = {
            "Content-Disposition": f'attachment; filename="bake-off-{bakeoff_id}.html"',
            "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox",
            "Cache-Control": "no-store",
        }
        return HTMLResponse(answer(lambda: html(home, bakeoff_id)), headers=headers)

    return [
        route("/gradio_api/bakeoff/{bakeoff_id}.json", facts),
        route("/gradio_api/bakeoff/{bakeoff_id}.html", page),
        route("/gradio_api/bakeoff/{bakeoff_id}/{number:int}-{which}.webp", side),
    ]


def answer(ask: Callable) -> object:
    """What was asked for, or 404."""
    try:
        return ask()
    except Refused:
        raise HTTPException(404) from None


def told_of(home: Path, bakeoff_id: str) -> dict:
    """All that the page shows of a bake-off, in words; the next pair to vote on, without its names."""
    told = bakeoff.status(home, bakeoff_id)
    rows = told["rows"]
    cast = bakeoff.votes(bakeoff.find(home, bakeoff_id), len(rows))
    tally, following = bakeoff.tally(told, cast), bakeoff.next_pair(told, cast)
    left = told["seconds_left"]
    return {
        "id": told["id"],
        "name": told["name"],
        "code": told["state"],
        "state": say(f"bakeoff.{told['state']}"),
        "left": say("bakeoff.left", time=look.time_words(left)) if left is not None else "",
        "seconds": told["seconds"],
        "sentence": told["sentence"],
        "sharp": told["size_px"] < 64,
        "rows": [
            {
                "title": row["title"],
                "run": row["run"],
                "grids": bakeoff.thinned(row["grids"]),
                "seconds": row["seconds"],
                "over": row["over"],
                "speed": speed_words(row["images_per_second"]),
                "state": "" if row["over"] else state_words(row["state"]),
                "lines": lines_of(row, tally.wins[i], tally.of[i]),
            }
            for i, row in enumerate(rows)
        ],
        "can_go_on": told["state"] != "going" and any(row["can_go_on"] for row in rows),
        "votes": {
            "count": tally.count,
            "sentence": tally.sentence if tally.count else "",
            "next": following.number if following else None,
            "all": tally.count >= bakeoff.pairs_of(len(rows)),
            "after": say("bakeoff.when", time=look.time_words(following.share * told["seconds"]))
            if following
            else "",
        },
    }


def state_words(state: str) -> str:
    """The state of a run, in a word."""
    return "deleted" if state == "deleted" else say(f"state.{state}")


def lines_of(row: dict, wins: float, of: int) -> list[str]:
    """What stands under a recipe's grid at every moment: what went wrong, scores with their meaning, votes."""
    lines = [row["sentence"]] if row["sentence"] else []
    if row["kid"] is not None:
        numbers = {key: f"{row[f'kid_{key}']:.3f}" for key in ("low", "high")}
        lines.append(
            say("bakeoff.row.kid", kid=f"{row['kid']:.3f}", meaning=verdict.meaning(row["kid"]), **numbers)
        )
    elif row["over"] and row["state"] not in bakeoff.GOING:
        lines.append(say("bakeoff.row.unscored"))
    if row["copy_rate"] is not None:
        lines.append(say("bakeoff.row.copies", rate=f"{row['copy_rate']:.0%}"))
    if of:
        lines.append(say("bakeoff.row.votes", wins=f"{wins:g}", of=of))
    return lines


# The part of the page


def build(shared: Shared) -> None:
    """Make the folded part and wire it."""
    with gr.Accordion(say("bakeoff.title"), open=False, elem_id="bakeoff-fold"):
        gr.HTML(look.sentence(say("bakeoff.sentence")))
        board = gr.HTML(
            {},
            html_template=frame(),
            js_on_load=look.asset("bakeoff.js"),
            elem_id="bakeoff",
            apply_default_css=False,
        )

    def look_again(chosen: str, key: str):
        """What there is to choose from: the pictures in hand, and the bake-offs so far."""
        return gr.update(value=value_of(shared, chosen, key))

    inputs = [shared.chosen, shared.key]
    board.open(look_again, inputs, board, api_name="ui_bakeoffs", **QUIET)
    shared.chosen.change(look_again, inputs, board, api_name="ui_bakeoff_set", **QUIET)

    def begin(chosen: str, key: str, event: gr.EventData):
        """Make the runs and start their workers."""
        asked = event._data if isinstance(event._data, dict) else {}
        try:
            started = create(shared, chosen, key, asked)
        except Refused as refused:
            return gr.update(value=value_of(shared, chosen, key, note=refused.refusal.sentence))
        return gr.update(value=value_of(shared, chosen, key, current=started))

    board.begin(
        begin,
        inputs,
        board,
        concurrency_limit=2,
        show_progress="hidden",
        api_name="ui_bakeoff_begin",
        **PRIVATE,
    )

    def act(chosen: str, key: str, event: gr.EventData):
        """Pause, go on, forget, or vote: what the button says."""
        asked = event._data if isinstance(event._data, dict) else {}
        try:
            current, voted = done(shared, key, asked)
        except Refused as refused:
            return gr.update(value=value_of(shared, chosen, key, note=refused.refusal.sentence))
        return gr.update(value=value_of(shared, chosen, key, current=current, voted=voted))

    board.act(act, inputs, board, api_name="ui_bakeoff_act", **QUIET)


def create(shared: Shared, chosen: str, key: str, asked: dict) -> str:
    """Make a bake-off of what the page asked for and start it; its id. Refused where anything is impossible."""
    choice = read_choice(shared, chosen)
    if not choice:
        raise Refused(refuse("no-chosen"))
    if shared.public:
        check_public(shared, key)
    recipes, minutes, size_px = (asked.get(name) for name in ("recipes", "minutes", "size"))
    recipes = [str(name) for name in recipes] if isinstance(recipes, list) else []
    bakeoff.check(recipes, minutes, size_px)
    made = bakeoff.create(
        shared.home,
        set_folder=shared.home / "sets" / choice["set"],
        recipes=recipes,
        minutes=minutes,
        size_px=size_px,
        name=choice["name"],
        how=choice["how"],
        background=tuple(choice["background"]),
        owner_key=key if isinstance(key, str) and key else None,
    )
    forecast.give_way()
    bakeoff.start(shared.home, made)
    return made


def done(shared: Shared, key: str, asked: dict) -> tuple[str, dict | None]:
    """Do what was asked with a bake-off: its id, "" once it is forgotten, and what a vote revealed."""
    wish, bakeoff_id = asked.get("do"), asked.get("id")
    folder = bakeoff.find(shared.home, bakeoff_id)
    if shared.public and not (isinstance(key, str) and key and store.owns(folder, key)):
        raise Refused(Refusal("not-owner", str(bakeoff_id), say("bakeoff.not_owner")))
    if wish == "vote":
        told = bakeoff.status(shared.home, bakeoff_id)
        pair = bakeoff.vote(shared.home, bakeoff_id, asked.get("pair"), asked.get("choice"))
        left, right = (told["rows"][place]["title"] for place in (pair.left, pair.right))
        sentence = say("bakeoff.vote.told", left=left, right=right)
        return bakeoff_id, {"pair": pair.number, "left": left, "right": right, "sentence": sentence}
    {"pause": bakeoff.pause, "resume": bakeoff.start, "forget": bakeoff.delete}.get(wish, bakeoff.status)(
        shared.home, bakeoff_id
    )
    return ("" if wish == "forget" else bakeoff_id), None


def value_of(
    shared: Shared, chosen: str, key: str, *, current: str = "", note: str = "", voted: dict | None = None
) -> dict:
    """What `bakeoff.js` needs beside the facts of the one in sight: plain data, which it sets as text."""
    known = [
        {
            "id": one["id"],
            "title": say(
                "bakeoff.entry",
                name=one["name"],
                minutes=f"{one['minutes']:g}",
                date=time.strftime("%d %b, %H:%M", time.localtime(one["created"])),
            ),
        }
        for one in bakeoff.list_all(shared.home)
        if not shared.public or (key and store.owns(shared.home / "bakeoffs" / one["id"], key))
    ]
    return {
        "at": time.time(),
        "subject": subject_of(shared, chosen),
        "recipes": [
            {
                "name": row.name,
                "title": row.title,
                "sentence": row.sentence,
                "sizes": list(row.sizes),
                "needs_labels": row.labels == "needed",
                "first": row.name in FIRST,
            }
            for row in RECIPES.values()
            if row.task == "paint"
        ],
        "list": known,
        "current": current,
        "note": note,
        "voted": voted,
        "extra_seconds": bakeoff.EXTRA_SECONDS,
        "words": {key: say(f"bakeoff.{key}") for key in WORDS}
        | {"preparing": say("train.preparing")}
        | {"seen": say("bakeoff.row.seen", count="%")}
        | {"when": say("bakeoff.when", time="%"), "sofar": say("bakeoff.sofar", time="%")}
        | {"total": say("bakeoff.total", count="%1", minutes="%2", time="%3")},
    }


def subject_of(shared: Shared, chosen: str) -> dict | None:
    """The pictures in hand: what to say of them, and how many labels they have; None without any."""
    choice = read_choice(shared, chosen)
    if not choice:
        return None
    try:
        found = labels.of_set(shared.home / "sets" / choice["set"])
        count = bakeoff.pictures_in(shared.home / "sets" / choice["set"])
    except Refused:
        return None
    name = choice["name"] or say("gather.your_set")
    return {"text": say("bakeoff.subject", name=name, count=f"{count:,}"), "labels": len(found)}


def speed_words(images_per_second: float | None) -> str:
    """Pictures a second, with a decimal where they are few; "" where nothing is known."""
    if not images_per_second:
        return ""
    return say("bakeoff.row.speed", count=f"{images_per_second:,.{0 if images_per_second >= 10 else 1}f}")


def frame() -> str:
    """The unchanging frame that `bakeoff.js` fills."""
    names = "new recipes size minutes begin which pause resume forget slider save kid".split()
    names += "vote vote.what vote.left vote.right vote.same vote.next".split()
    word = {name: escape(say(f"bakeoff.{name}")) for name in names}
    sizes = "".join(f"<option{' selected' if px == SIZE else ''} value={px}>{px} px</option>" for px in SIZES)
    return f"""<section class="bake"><p class="bake-said note bad" role="alert" hidden></p>
<div class="bake-result" hidden><div class="bake-line">
<label>{word["which"]} <select class="bake-which"></select></label>
<span class="chip bake-state"></span><span class="bake-left subdued"></span></div>
<p class="bake-sentence note verdict"></p>
<div class="bake-board"><input class="bake-slider" type="range" min="0" max="100" step="1" value="100"
 aria-label="{word["slider"]}"><p class="bake-when subdued"></p><div class="bake-grids"></div>
<p class="bake-kid subdued">{word["kid"]}</p></div>
<details class="bake-vote"><summary>{word["vote"]}</summary><p class="subdued">{word["vote.what"]}</p>
<p class="bake-after"></p><div class="bake-pair" hidden>
<figure><button type="button" data-choice="left" aria-label="{word["vote.left"]}"><img alt=""></button>
<figcaption></figcaption></figure>
<figure><button type="button" data-choice="right" aria-label="{word["vote.right"]}"><img alt=""></button>
<figcaption></figcaption></figure></div>
<div class="bake-line bake-choose" hidden>
<button type="button" class="gp" data-choice="left">{word["vote.left"]}</button>
<button type="button" class="gp" data-choice="same">{word["vote.same"]}</button>
<button type="button" class="gp" data-choice="right">{word["vote.right"]}</button></div>
<p class="bake-told" role="status"></p>
<button type="button" class="gp bake-next" hidden>{word["vote.next"]}</button>
<p class="bake-tally subdued"></p></details>
<div class="bake-line"><a class="gp bake-save" download>{word["save"]}</a>
<button type="button" class="gp" data-do="pause">{word["pause"]}</button>
<button type="button" class="gp" data-do="resume">{word["resume"]}</button>
<button type="button" class="gp" data-do="forget">{word["forget"]}</button></div></div>
<details class="bake-setup"><summary>{word["new"]}</summary><div class="bake-form"><p class="bake-subject"></p>
<fieldset class="bake-recipes"><legend>{word["recipes"]}</legend><div class="bake-choices"></div></fieldset>
<div class="bake-line"><label>{word["size"]} <select class="bake-size">{sizes}</select></label>
<label>{word["minutes"]} <input class="bake-minutes" type="number" min="1" max="{MOST_MINUTES}" step="1"
 value="{MINUTES}"></label></div><p class="bake-total" role="status"></p>
<button type="button" class="gp primary bake-begin" disabled>{word["begin"]}</button>
<p class="bake-note note bad" role="alert" hidden></p></div></details></section>"""
