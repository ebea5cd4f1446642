"""Many pictures through one translator: files in, progress, one ZIP out. The work runs in a child process."""

import shutil
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from gan_play import files, limits
from gan_play.refusals import Refused, refuse
from gan_play.share import translating
from gan_play.translate import translator
from gan_play.ui import child, look, tiles
from gan_play.ui.gather import given_list, uploaded
from gan_play.ui.shared import PRIVATE, QUIET, Shared, is_run
from gan_play.ui.words import say


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

    def run(paths: list[str], run_id: str, strength: float, side: float, times: int, back: bool):
        """Translate the files one by one; the ZIP holds those that could be."""
        try:
            here = [uploaded(path) for path in given_list(paths)]
            if len(here) > limits.MOST_BATCH:
                raise Refused(refuse("batch-count", str(len(here)), most=limits.MOST_BATCH))
            if not is_run(home, run_id):
                raise Refused(refuse("no-run", str(run_id)))
            model = translator.load(home, run_id)
            larger = times if translator.preset_of(model) == "enlarge" else None
            given = {"side_px": translating.check_side(side), "strength": strength, "times": larger}
            given |= {"back": bool(back) and translator.both_ways(model), "for_good": not shared.public}
            if translator.preset_of(model) == "repair":
                raise Refused(refuse("repair-none"))
        except Refused as refused:
            yield (
                gr.update(value=tiles.note(refused.refusal.sentence, "bad")),
                gr.skip(),
                gr.update(visible=False),
            )
            return
        target = Path(get_upload_folder()) / files.new_id("zip") / "translated.zip"
        target.parent.mkdir(parents=True)
        try:
            yield from told_of(run_id, here, target, given)
        finally:  # also where it was stopped
            shutil.rmtree(target.parent, ignore_errors=True)

    def told_of(run_id: str, here: list[Path], target: Path, given: dict):
        """A batch on the page: how far it is, and in the end the ZIP and what was refused."""
        yield (
            gr.update(value=tiles.waiting(say("batch.begin"), 0)),
            gr.update(visible=True),
            gr.update(visible=False),
        )
        try:
            names, refusals = yield from following(home, run_id, here, target, given)
        except Refused as refused:
            yield (
                gr.update(value=tiles.note(refused.refusal.sentence, "bad")),
                gr.update(visible=False),
                gr.skip(),
            )
            return
        except RuntimeError:  # a child that is gone was most often killed for want of memory
            yield gr.update(value=tiles.note(say("work.broke"), "bad")), gr.update(visible=False), gr.skip()
            return
        said = say("batch.done.one" if len(names) == 1 else "batch.done", count=len(names))
        html = tiles.note(said, "good") + "".join(tiles.note(one.sentence, "bad") for one in refusals[:8])
        kept = save_file_to_cache(target, get_upload_folder()) if names else None  # Gradio removes it in time
        yield gr.update(value=html), gr.update(visible=False), gr.update(value=kept, visible=bool(names))

    def following(home: Path, run_id: str, here: list[Path], target: Path, given: dict):
        steps = child.following(zipping, home, run_id, here, target, given)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            said = say("batch.step", done=step.done, total=step.total)
            if step.seconds_left:
                said += f", {say('bar.left', time=look.time_words(step.seconds_left))}"
            yield gr.update(value=tiles.waiting(said, step.done / max(1, step.total))), gr.skip(), gr.skip()

    begun = choose.upload(
        run,
        [choose, chosen, *turned],
        [progress, stop, packed],
        api_name="ui_translate_many",
        concurrency_limit=1,
        show_progress="hidden",
        **PRIVATE,
    )
    stop.click(
        lambda: (gr.update(value=tiles.note(say("batch.stopped"))), gr.update(visible=False)),
        None,
        [progress, stop],
        cancels=[begun],
        api_name="ui_translate_many_stop",
        **QUIET,
    )


def zipping(home: Path, run_id: str, paths: list[Path], target: Path, given: dict):
    """The work of the child."""
    return (yield from translating.zipped(home, run_id, paths, target, **given))
