"""Train's section on what a model doesn't represent: those pictures, the map of the set, the nearest seeds of each.

Worked out on demand in a child process (`latent.coverage`), kept in the run's folder; a seed leads to Play.
"""

from pathlib import Path

import gradio as gr

from gan_play.latent import coverage
from gan_play.measure import atlas
from gan_play.refusals import Refused, refuse
from gan_play.runs import store
from gan_play.share import artwork
from gan_play.ui import look, stopping, tiles, work
from gan_play.ui.line import Line
from gan_play.ui.shared import QUIET, Shared, is_run, may_steer, told
from gan_play.ui.words import say

LINE = Line("model")

MOST_MISSING = 120  # pictures that are shown

FRAME = """<details class="folded cover" hidden><summary></summary><p class="cover-said"></p>
<div class="cover-ask"><button type="button" class="gp" data-look></button> <span class="subdued"></span></div>
<div class="cover-missing doctor-sheet"></div>
<div class="doctor-where"><div class="cover-map map"></div>
<div class="doctor-large cover-large" hidden><img alt=""><span></span>
<div class="cover-near"></div></div></div></details>"""


def build(shared: Shared) -> None:
    """Make the section's components and wire them."""
    view = gr.HTML(
        {},
        html_template=FRAME,
        js_on_load=look.asset("map.js") + look.asset("coverage.js"),
        elem_id="coverage",
        apply_default_css=False,
    )
    progress = gr.HTML("", elem_id="coverage-progress")
    stop = gr.Button(say("gather.cancel"), visible=False, size="sm", elem_id="coverage-cancel")

    def show(run: str, key: str):
        there = is_run(shared.home, run)
        return gr.update(value=shown(shared.home, run, may_steer(shared, run, key)) if there else {})

    def cover(request: gr.Request, when: str, event: gr.EventData, key: str):
        """Find what the newest checkpoint doesn't represent."""
        with told():
            if not is_run(shared.home, event.run):
                raise Refused(refuse("no-run", str(event.run)))
            if not may_steer(shared, event.run, key):
                raise Refused(refuse("not-owner"))
            over = stopping.asker(request, "cover", when)
            said = say("cover.looking")
            yield from work.watched(LINE, said, over, coverage.covering, shared.home, event.run)

    def pick(event: gr.EventData):
        """A seed was clicked: take the very picture to Play, from the model that was looked at."""
        seed = str(event._data.get("seed", ""))
        found = (
            coverage.read(store.find_run(shared.home, event.run)) if is_run(shared.home, event.run) else None
        )
        if not found or not seed.isdecimal() or int(seed) >= found["sampled"]:
            return gr.skip(), gr.skip()
        code = code_of(found["model"], int(seed), found["labels"])
        return gr.update(value=code), gr.Tabs(selected="play")

    shared.run.change(show, [shared.run, shared.key], view, api_name="ui_coverage", **QUIET)
    made = (show, [shared.run, shared.key], view)
    work.wire(view.look, cover, [shared.key], [progress, stop], made, "cover")
    view.pick(pick, None, [shared.art, shared.tabs], api_name="ui_pick_near", **QUIET)


def shown(home: Path, run: str, mine: bool) -> dict:
    """All that `coverage.js` shows of a run, as plain data; {} where there is no set to compare with, or no model."""
    folder = store.find_run(home, run)
    found = coverage.read(folder)
    if not (folder / "set" / "manifest.json").is_file() or not mine:  # training pictures: not for strangers
        return {}
    names = ("title", "do", "again", "near", "seed", "yours", "covered", "unseen")
    value = {
        "run": run,
        "picture_key": store.picture_key(folder),
        "mine": mine,
        "words": {name: say(f"cover.{name}") for name in names}
        | {name: say(f"map.{name}") for name in ("smaller", "larger")},
        "said": say("cover.what"),
        "made": None,
    }
    if not found:
        return value
    order = sorted(range(len(found["share"])), key=lambda at: -found["share"][at])
    missing = [found["looked_at"][at] for at in order if found["share"][at] > 1]
    near = {str(place): seeds for place, seeds in zip(found["looked_at"], found["near"])}
    whole = coverage.same_set(home, folder)
    drawn = atlas.read(whole[0]) if whole else None
    on_map = [whole[1][at] for at in drawn["shown"]] if drawn else []
    wanted = {str(place) for place in {*missing[:MOST_MISSING], *on_map}}
    seeds = {seed for place in wanted & set(near) for seed in near[place]}
    kinds = found["labels"]
    return value | {
        "said": sentence(len(missing), len(order), found["sampled"], found["pictures"]),
        "made": {
            "key": f"{run} {found['model']}",
            "when": say("cover.when", step=f"{found['step']:,}"),
            "missing": missing[:MOST_MISSING],
            "gone": missing,
            "near": {place: near[place] for place in wanted & set(near)},
            "pictures": {str(seed): tiles.address(code_of(found["model"], seed, kinds)) for seed in seeds},
            "map": drawn
            and {
                **{key: drawn[key] for key in ("x", "y", "columns", "cell_px")},
                "shown": on_map,
                "sheet": f"gradio_api/set/{whole[0].name}/map-{atlas.FORMAT}.webp",
            },
        },
    }


def code_of(digest: str, seed: int, kinds: list[int] | None) -> str:
    """The share code of a seed as it was looked at."""
    return artwork.encode(artwork.Artwork("sample", digest, (seed,), 1.0, kinds[seed] if kinds else None))


def sentence(missing: int, looked_at: int, sampled: int, pictures: int) -> str:
    """How many pictures aren't represented, in words, and of how many."""
    count = f"{looked_at:,}"
    if not missing:
        said = say("cover.all", count=count, sampled=sampled)
    elif missing * 2 > looked_at:
        said = say("cover.most", left=f"{looked_at - missing:,}", count=count, sampled=sampled)
    else:
        key = "cover.one" if missing == 1 else "cover.some"
        said = say(key, missing=f"{missing:,}", count=count, sampled=sampled)
    if missing > MOST_MISSING:
        said += say("cover.more", count=MOST_MISSING)
    return said + (say("cover.part", pictures=f"{pictures:,}", count=count) if looked_at < pictures else "")
