"""Play's Steer, wired: the sliders put back, and the list of the model's own directions."""

import contextlib
import dataclasses
from types import SimpleNamespace

import gradio as gr

from gan_play.latent import sample
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.refusals import Refused
from gan_play.ui import directions, tiles
from gan_play.ui.desk import Desk, artwork_of
from gan_play.ui.shared import QUIET, Shared, whose
from gan_play.ui.wires import Wires


def wire(shared: Shared, room: SimpleNamespace, wires: Wires) -> None:
    """Wires the tool."""
    home, ask, on = shared.home, wires.ask, wires.on
    asked, base, desk_in, desk_out = room.asked, room.base, room.desk_in, room.desk_out
    digest, found, label, measured = room.digest, room.found, room.label, room.measured
    message, plan, reset, seed = room.message, room.plan, room.reset, room.seed
    tool, truncation, ways = room.tool, room.truncation, room.ways

    def steer_back(desk: Desk) -> Desk:
        rest = dict.fromkeys(ATTRIBUTES, 0.0)
        return dataclasses.replace(desk, found=directions.at_rest(desk.found), **rest)

    on(reset.click, steer_back)

    # The model's own directions: the list is written when the picture changes, and again when they have names

    def directed(desk: Desk, data: dict) -> Desk:
        return directions.changed(desk, sample.load_digest(home, desk.digest), data)

    def listed(key: str, desk: Desk) -> str:
        in_hand, rest = sample.load_digest(home, desk.digest), dict.fromkeys(ATTRIBUTES, 0.0)
        origin = artwork_of(dataclasses.replace(desk, found="", **rest), in_hand)
        return directions.list_html(home, whose(shared, key), desk, in_hand, origin)

    def list_ways(key: str, *values):
        """The list of directions; nothing while another tool is open."""
        desk = Desk.sent(values)
        if desk.tool != "steer" or not desk.digest:
            return gr.update(value="")
        try:
            return gr.update(value=listed(key, desk))
        except Refused as refused:
            return gr.update(value=tiles.note(refused.refusal.sentence, "bad"))

    def name_ways(key: str, *values):
        """Tries out directions that have no names yet: for the list, which is then written anew, and for films."""
        desk = Desk.sent(values)
        if desk.digest and (desk.tool == "steer" or (desk.tool == "walk" and desk.plan)):
            with contextlib.suppress(Refused):
                in_hand = sample.load_digest(home, desk.digest)
                if stamp := directions.measure(home, whose(shared, key), desk, in_hand):
                    return gr.update(value=stamp)
        return gr.skip()

    def rename_way(event: gr.EventData, key: str, *values):
        """A direction gets a name, or with none goes by its proposed one again."""
        desk, data = Desk.sent(values), event._data if isinstance(event._data, dict) else {}
        try:
            directions.rename(home, whose(shared, key), sample.load_digest(home, desk.digest), data)
            return gr.update(value=listed(key, desk)), gr.update(value="")
        except Refused as refused:
            return gr.skip(), gr.update(value=tiles.note(refused.refusal.sentence, "bad"))

    def direct(asked: str, *values):
        """What is done in the list of directions."""
        desk, data = Desk.sent(values), directions.asked(asked)
        return ask(desk, lambda: directed(desk, data)) if desk.digest else gr.skip()

    gr.on(
        [found.change, tool.change, seed.change, label.change, base.change, digest.change, measured.change]
        + [truncation.release, plan.change],
        list_ways,
        [shared.key, *desk_in],
        ways,
        api_name="ui_play_directions",
        trigger_mode="always_last",
        **QUIET,
    ).then(name_ways, [shared.key, *desk_in], measured, api_name="ui_play_directions_named", **QUIET)
    asked.change(
        direct,
        [asked, *desk_in],
        desk_out,
        api_name="ui_play_act_directions",
        trigger_mode="always_last",
        **QUIET,
    )
    ways.rename(rename_way, [shared.key, *desk_in], [ways, message], api_name="ui_play_rename", **QUIET)
