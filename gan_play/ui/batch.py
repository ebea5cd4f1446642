"""Many pictures through one translator: files in, progress, one ZIP out. The work runs in a child process."""

import shutil
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from gan_play import files, limits
from gan_play.refusals import Refused, refuse
from gan_play.share import translating
from gan_play.steps import Ended
from gan_play.ui import child, clip, look, stopping, tiles
from gan_play.ui.gather import given_list, uploaded
from gan_play.ui.line import TOGETHER, Line
from gan_play.ui.shared import PRIVATE, QUIET, Shared
from gan_play.ui.words import say

LINE = Line("batch")


def build(shared: Shared, chosen: gr.Dropdown, turned: list) -> None:
    """Make the folded part for many pictures, and wire it."""
    home = shared.home
    with gr.Accordion(say("batch.title"), open=False, elem_id="translate-many"):
        gr.HTML(look.sentence(say("batch.sentence", most=limits.MOST_BATCH)))
        choose = gr.UploadButton(
            say("batch.choose"),
            file_count="multiple",
            file_types=["image"],
            size="md",
            elem_id="batch-choose",
        )
        progress = gr.HTML("", elem_id="batch-progress", elem_classes="piece", apply_default_css=False)
        stop = gr.Button(say("batch.stop"), visible=False, elem_id="batch-stop")
        packed = gr.File(label=say("batch.packed"), visible=False, elem_id="batch-zip", height=80)

    moment = gr.Textbox("", visible="hidden", elem_id="batch-moment", label="moment")

    def waiting(said: str) -> dict:
        return {progress: gr.update(value=tiles.waiting(said, 0.0))}

    def wrong(refused: Refused) -> dict:
        return {progress: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}

    def run(
        when: str,
        paths: list[str],
        run_id: str,
        strength: float,
        side: float,
        times: int,
        back: bool,
        request: gr.Request,
    ):
        """Translate the files one by one; the ZIP holds those that could be."""
        over = stopping.asker(request, "batch", when)
        target = Path(get_upload_folder()) / files.new_id("zip") / "translated.zip"
        yield {
            packed: gr.update(visible=False),
            progress: gr.update(value=tiles.waiting(say("batch.begin"), 0)),
        }
        try:
            here = [uploaded(path) for path in given_list(paths)]
            if len(here) > limits.MOST_BATCH:
                raise Refused(refuse("batch-count", str(len(here)), most=limits.MOST_BATCH))
            given = clip.turned_of(home, run_id, strength, times, back)
            given |= {"side_px": translating.check_side(side), "for_good": not shared.public}
            target.parent.mkdir(parents=True)
            yield {stop: gr.update(visible=True, value=say("batch.stop"))}
            steps = following(run_id, here, target, given, over)
            names, refusals = yield from LINE.served(steps, over, waiting)
            said = say("batch.done.one" if len(names) == 1 else "batch.done", count=len(names))
            html = tiles.note(said, "good") + "".join(tiles.note(one.sentence, "bad") for one in refusals[:8])
            # Gradio removes it in time.
            kept = save_file_to_cache(target, get_upload_folder()) if names else None
            yield {progress: gr.update(value=html), packed: gr.update(value=kept, visible=bool(names))}
        except Refused as refused:
            yield wrong(refused)
        except Ended:
            yield {progress: gr.update(value=tiles.note(say("batch.stopped")))}
        except RuntimeError:  # a child that is gone was most often killed for want of memory
            yield {progress: gr.update(value=tiles.note(say("work.broke"), "bad"))}
        finally:
            shutil.rmtree(target.parent, ignore_errors=True)

    def following(run_id: str, here: list[Path], target: Path, given: dict, over):
        steps = child.following(translating.zipping, home, run_id, here, target, given, over=over)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            said = say("batch.step", done=step.done, total=step.total)
            LINE.left_s = step.seconds_left
            if step.seconds_left:
                said += f", {say('bar.left', time=look.time_words(step.seconds_left))}"
            yield {progress: gr.update(value=tiles.waiting(said, step.done / max(1, step.total)))}

    begun = choose.upload(
        run,
        [moment, choose, chosen, *turned],
        [progress, stop, packed],
        js=stopping.NOW,
        api_name="ui_translate_many",
        show_progress="hidden",
        **PRIVATE | TOGETHER,
    )
    for after in ("then", "failure"):
        getattr(begun, after)(
            lambda: gr.update(visible=False), None, stop, api_name=f"ui_translate_many_{after}", **QUIET
        )
    stop.click(
        stopping.stopper("batch", say("batch.stopping")),
        moment,
        stop,
        js=stopping.NOW,
        api_name="ui_translate_many_stop",
        **QUIET,
    )
