"""From one desk to the next: what Play's events have in common."""

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import gradio as gr

from gan_play.latent import sample
from gan_play.latent.sample import Model
from gan_play.refusals import Refused
from gan_play.runs import store
from gan_play.ui import tiles, timeline, verdict
from gan_play.ui.desk import LABEL_TOOLS, TOOLS, Desk, fitting
from gan_play.ui.shared import QUIET, Shared, visible_runs
from gan_play.ui.showing import proof, shown
from gan_play.ui.words import say


def prover(home: Path):
    """The event that writes the line under the stage, once the picture is there."""

    def prove(code: str, form: str):
        try:
            return gr.update(value=proof(home, code, form))
        except Refused as refused:
            return gr.update(value=tiles.note(refused.refusal.sentence, "bad"))

    return prove


def paints(run: store.RunSummary) -> bool:
    """Whether a run has a model that paints from seeds."""
    return run.task == "paint" and bool(run.step or run.shipped)


def playable(shared: Shared, key: str) -> list[tuple[str, str]]:
    """The runs whose model can be played with, as choices: name and size, id. None that needs a picture."""
    runs = [run for run in visible_runs(shared, key) if run.state != "damaged" and paints(run)]
    return [(say("play.choice", name=run.name, size=run.size_px), run.id) for run in runs]


class Wires:
    """How Play's events go from one desk to the next: what they take from the page, and send back to it."""

    def __init__(self, shared: Shared, room: SimpleNamespace) -> None:
        self.shared, self.home, self.room = shared, shared.home, room
        self.desk_in, self.desk_out = room.desk_in, room.desk_out

    def offered(self, in_hand: Model, key: str) -> object:
        """The list of models, with the one in hand chosen."""
        choices = playable(self.shared, key)
        if in_hand.run_id not in {value for _, value in choices}:
            choices.append(
                (say("play.choice", name=in_hand.name, size=in_hand.generator.size_px), in_hand.run_id)
            )
        return gr.update(choices=choices, value=in_hand.run_id)

    def answer(self, old: Desk, new: Desk, mark: str = "") -> dict:
        """The updates of the page from one desk to the next; `mark` is the timeline's."""
        room, model = self.room, sample.load_digest(self.home, new.digest)
        new = fitting(new, model)
        parts = room.fields | room.pieces
        said = {
            parts[name]: gr.update(value=value) for name, value in shown(self.home, old, new, mark).items()
        }
        said |= {group: gr.update(visible=new.tool == name) for name, group in room.groups.items()}
        if bool(new.plan) != bool(old.plan):
            said[room.planning] = gr.update(value=say("film.close" if new.plan else "film.open"))
            said[room.simple] = gr.update(visible=not new.plan)
        picker = {"value": new.label or None, "visible": bool(model.labels)}
        if new.digest != old.digest:  # there may be a thousand names: they are sent once
            picker["choices"] = [(name, str(number)) for number, name in enumerate(model.labels)]
            offered = LABEL_TOOLS if model.labels else TOOLS
            said[room.tool] = gr.update(
                choices=[(say(f"play.tool.{name}"), name) for name in offered], value=new.tool
            )
            said[room.every] = gr.update(visible=bool(model.labels))
            folder = store.find_run(self.home, model.run_id)
            said[room.standing] = gr.update(value=verdict.standing(folder, model.step))
            said[room.near_it] = gr.update(
                visible=(folder / "set").exists()
            )  # else there is nothing to compare with
        said[room.kind] = gr.update(**picker)
        return said | {room.hint: gr.update(value=tiles.note(say(f"play.hint.{new.tool}")))}

    def refusal_of(self, old: Desk, refused: Refused, mark: str = "") -> dict:
        """The sentence, and the row of keyframes as it is: it was changed by hand before it was sent."""
        room = self.room
        said = {room.message: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}
        with contextlib.suppress(Refused):
            if old.plan:
                model, mark = sample.load_digest(self.home, old.digest), mark or secrets.token_hex(4)
                said[room.keyframes] = gr.update(value=timeline.html(old, model, self.home, mark))
        return said

    def ask(self, old: Desk, change: Callable[[], Desk], mark: str = "") -> dict:
        """The page after a change; where that is refused, the sentence that says why, and the page as it was."""
        try:
            return self.answer(old, change(), mark) | {self.room.message: gr.update(value="")}
        except Refused as refused:
            return self.refusal_of(old, refused, mark)

    def on(self, event, change, *more_in, **options) -> object:
        """Wire an event to a function from the desk (and `more_in`) to a new desk."""
        name = f"ui_play_{change.__name__}"

        def run(*values):
            desk, extra = Desk.sent(values[: len(self.desk_in)]), values[len(self.desk_in) :]
            if not desk.digest:
                return gr.skip()
            return self.ask(desk, lambda: change(desk, *extra))

        return event(run, [*self.desk_in, *more_in], self.desk_out, api_name=name, **(QUIET | options))

    def on_piece(self, event, change, name: str) -> object:
        """Wire an event of our own pieces, which carries data, to a function from desk and data to a new desk."""

        def run(event: gr.EventData, *values):
            desk = Desk.sent(values)
            if not desk.digest:
                return gr.skip()
            return self.ask(desk, lambda: change(desk, event._data if isinstance(event._data, dict) else {}))

        return event(run, self.desk_in, self.desk_out, api_name=f"ui_play_{name}", **QUIET)
