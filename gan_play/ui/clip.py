"""A video through a translator: what it is and how long it will take, then the film, with progress and a Stop button.

FFmpeg reads files of strangers in a child process, and the film is made in one: Stop ends it at once, and keeps
nothing.
"""

import contextlib
import shutil
import time
from html import escape
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from gan_play import files, limits
from gan_play.refusals import Refused, refuse
from gan_play.share import translating
from gan_play.steps import Ended
from gan_play.translate import translator, video
from gan_play.ui import child, look, stopping, tiles, transform
from gan_play.ui.gather import given_list, uploaded
from gan_play.ui.line import TOGETHER, Line
from gan_play.ui.shared import PRIVATE, QUIET, Shared, is_run
from gan_play.ui.words import say

LINE = Line("clip")
TOLD_EVERY_S = 0.5


def turned_of(home: Path, run_id: str, strength: float, times: int, back: bool) -> dict[str, object]:
    """Dials as this translator has them, of what stands on the page. Refused for a run that can't take many."""
    if not run_id:
        raise Refused(refuse("no-translator"))
    if not is_run(home, run_id):
        raise Refused(refuse("no-run", str(run_id)))
    model = translator.load(home, run_id)
    if translator.preset_of(model) == "repair":
        raise Refused(refuse("repair-many"))
    larger = times if translator.preset_of(model) == "enlarge" else None
    return {"strength": strength, "times": larger, "back": bool(back) and translator.both_ways(model)}


def check_public(shared: Shared, clip: video.Clip) -> None:
    """Where strangers may come, a video has to be short: refused for another."""
    most = limits.MOST_VIDEO_SECONDS_PUBLIC
    if shared.public and not 0 < clip.seconds <= most:
        raise Refused(refuse("video-public", clip.path.name, seconds=round(clip.seconds), most=most))


# What is shown


def empty_html() -> str:
    """A place to drop a video."""
    return transform.choose("clip", 1, kind="video")


def seen_html(seen: translating.Seen, looked_s: float) -> str:
    """The first frame before and after, what the video is, and how long its film will take here.

    `looked_s`: how long the child took that looked at it; the one that makes the film has as much to load.
    """
    before, after = (transform.file(png, "frame.png") for png in (seen.before, seen.after))
    clip, (width, height) = seen.clip, seen.clip.size
    said = say("clip.size", width=width, height=height, fps=clip.fps)
    if clip.count:
        took = look.time_words(max(1.0, looked_s + seen.seconds * clip.count))
        said = (
            say("clip.length", time=look.time_words(max(1.0, clip.seconds)), count=f"{clip.count:,}")
            + " "
            + said
        )
        said += " " + say("clip.takes", time=took)
    another = escape(say("clip.another"))
    return (
        f'<p class="piece-title">{escape(say("clip.first"))}</p>{transform.compared(before, after)}'
        f"{tiles.note(said)}"
        f'<div class="own-row"><button type="button" class="quiet" data-act="another">{another}</button></div>'
    )


def film_html(path: str, report: video.Report) -> str:
    """A film that is done, playing, with its file and what was measured on it."""
    src, title = escape(transform.address(path)), escape(say("clip.film"))
    save = escape(say("transform.save"))
    less = max(0.0, report.by_itself - report.steadied)
    said = say("clip.done", count=f"{report.frames:,}")
    if report.by_itself > 0:
        said += " " + say("clip.flicker", less=f"{less:.1f}", now=f"{report.steadied:.1f}",
                          alone=f"{report.by_itself:.1f}")  # fmt: skip
    return (
        f'<figure class="stage film"><video src="{src}" controls loop autoplay muted playsinline aria-label="{title}">'
        f'</video><div class="actions"><a class="action" href="{src}" download="film.mp4">{save}</a></div></figure>'
        f"{tiles.note(said)}{tiles.note(say('clip.no_link'))}"
    )


# The part


def build(shared: Shared, chosen: gr.Dropdown, turned: list) -> None:
    """Make the folded part for a video, and wire it. `turned`: strength, size, times and the other way."""
    home = shared.home

    def piece(name: str, value: str = "", **options) -> gr.HTML:
        return gr.HTML(
            value, elem_id=f"clip-{name}", elem_classes="piece", apply_default_css=False, **options
        )

    def hidden(name: str) -> gr.Textbox:
        return gr.Textbox("", visible="hidden", elem_id=f"clip-{name}", label=name)

    with gr.Accordion(say("clip.title"), open=False, elem_id="translate-clip"):
        gr.HTML(look.sentence(say("clip.sentence", most=limits.MOST_VIDEO_SECONDS // 60)))
        script = look.asset("files.js") + look.asset("compare.js") + look.asset("clip.js")
        zone = piece("zone", empty_html(), js_on_load=script)
        go = gr.Button(say("clip.go"), variant="primary", visible=False, elem_id="clip-go")
        progress = piece("progress")
        stop = gr.Button(say("clip.stop"), visible=False, elem_id="clip-stop")
        result = piece("result")
    lying, moment = hidden("lying"), hidden("moment")

    def waiting(said: str) -> dict:
        return {progress: gr.update(value=tiles.waiting(said, 0.0))}

    def wrong(refused: Refused) -> dict:
        return {progress: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}

    def ready(path: object, run_id: str, strength: float, side: float, times: int, back: bool) -> tuple:
        """(path, side, dials), checked."""
        here = uploaded(path)
        video.kind_of(here)  # what is no video at all needs no process
        return here, translating.check_side(side), turned_of(home, run_id, strength, times, back)

    def seeing(path: object, run_id: str, *dials: object):
        """Looks at a video: what it is, its first frame painted, and the time."""
        try:
            here, side, given = ready(path, run_id, *dials)
            yield {progress: gr.update(value=tiles.waiting(say("clip.looking"), 0))}
            begun = time.monotonic()
            steps = child.following(
                translating.seen, home, run_id, here, side, given, limit_s=limits.VIDEO_LOOK_SECONDS
            )
            with contextlib.closing(steps):
                seen = next(steps)
            looked_s = time.monotonic() - begun
            check_public(shared, seen.clip)
        except Refused as refused:
            yield wrong(refused)
            return
        except (RuntimeError, StopIteration):  # FFmpeg died or hung, or memory is short
            yield wrong(Refused(refuse("video-damaged", Path(str(path)).name)))
            return
        yield {
            zone: gr.update(value=seen_html(seen, looked_s)),
            lying: gr.update(value=str(here)),
            progress: gr.update(value=""),
            result: gr.update(value=""),
            go: gr.update(visible=True),
        }

    def drop(event: gr.EventData, run_id: str, *dials: object):
        """A video was dropped."""
        data = event._data if isinstance(event._data, dict) else {}
        try:
            path = given_list(data.get("paths"))[0]
        except Refused as refused:
            yield wrong(refused)
            return
        yield from seeing(path, run_id, *dials)

    def again(path: str, run_id: str, *dials: object):
        """The same video by other settings; nothing where none lies here."""
        if path:
            yield from seeing(path, run_id, *dials)
        else:
            yield {progress: gr.skip()}

    def gone():
        """Place for another one."""
        return {
            zone: gr.update(value=empty_html()),
            lying: gr.update(value=""),
            progress: gr.update(value=""),
            go: gr.update(visible=False),
        }

    looking_out = [zone, lying, progress, result, go]
    looking = {"concurrency_limit": 1, "concurrency_id": "clip-look", "show_progress": "hidden", **PRIVATE}
    zone.dropped(drop, [chosen, *turned], looking_out, api_name="ui_clip_drop", **looking)
    zone.act(gone, None, [zone, lying, progress, go], api_name="ui_clip_another", **QUIET)
    strength, side, times, back = turned
    for name, event in (
        ("model", chosen.change),
        ("strength", strength.release),
        ("size", side.release),
        ("times", times.input),
        ("back", back.input),
    ):
        event(
            again,
            [lying, chosen, *turned],
            looking_out,
            trigger_mode="always_last",
            api_name=f"ui_clip_{name}",
            **looking,
        )

    def make(request: gr.Request, when: str, path: str, run_id: str, *dials: object):
        """The film, with progress. Nothing half is kept."""
        over = stopping.asker(request, "clip", when)
        target = Path(get_upload_folder()) / files.new_id("film") / "film.mp4"
        try:
            here, side_px, given = ready(path, run_id, *dials)
            target.parent.mkdir(parents=True)
            yield {
                go: gr.update(visible=False),
                stop: gr.update(visible=True, value=say("clip.stop")),
                progress: gr.update(value=tiles.waiting(say("clip.begin"), 0)),
                result: gr.update(value=""),
            }
            steps = following(run_id, here, target, side_px, given, over)
            report = yield from LINE.served(steps, over, waiting)
            kept = save_file_to_cache(target, get_upload_folder())  # Gradio removes it in time
            yield {progress: gr.update(value=""), result: gr.update(value=film_html(kept, report))}
        except Refused as refused:
            yield wrong(refused)
        except Ended:
            yield {progress: gr.update(value=tiles.note(say("clip.stopped")))}
        except RuntimeError:  # a child that is gone was most often killed for want of memory
            yield {progress: gr.update(value=tiles.note(say("work.broke"), "bad"))}
        finally:
            shutil.rmtree(target.parent, ignore_errors=True)

    def following(run_id: str, here: Path, target: Path, side_px: int, given: dict, over):
        steps = child.following(translating.filming, home, run_id, here, target, side_px, given, over=over)
        begun = told_at = None
        with contextlib.closing(steps):
            while True:
                try:
                    done, total = next(steps)
                except StopIteration as end:
                    return end.value
                now = time.monotonic()
                if begun is None:  # what goes before the first frame isn't painting
                    begun = told_at = now
                elif now - told_at > TOLD_EVERY_S:
                    told_at, said = now, say("clip.step", done=f"{done:,}", total=f"{total or 0:,}")
                    if total and total > done:
                        LINE.left_s = (now - begun) / (done - 1) * (total - done)
                        said += f", {say('bar.left', time=look.time_words(LINE.left_s))}"
                    share = done / total if total else 0.0
                    yield {progress: gr.update(value=tiles.waiting(said, share))}

    making = go.click(
        make,
        [moment, lying, chosen, *turned],
        [go, stop, progress, result],
        js=stopping.NOW,
        api_name="ui_clip_film",
        show_progress="hidden",
        **PRIVATE | TOGETHER,
    )

    def idle():
        """Not before it is over, or a press could go unheard."""
        return gr.update(visible=True), gr.update(visible=False)

    for after in ("then", "failure"):
        getattr(making, after)(idle, None, [go, stop], api_name=f"ui_clip_{after}", **QUIET)
    stop.click(
        stopping.stopper("clip", say("clip.stopping")),
        moment,
        stop,
        js=stopping.NOW,
        api_name="ui_clip_stop",
        **QUIET,
    )
