"""Play's Breed, wired: what is on the stage is bred from, kept, or crossed with the parent; and the family tree."""

import dataclasses
from types import SimpleNamespace

import gradio as gr

from gan_play.latent import sample
from gan_play.latent.sample import Model
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.ui import breed, tiles
from gan_play.ui.desk import Desk, artwork_of
from gan_play.ui.shared import QUIET, Shared, whose
from gan_play.ui.wires import Wires


def wire(shared: Shared, room: SimpleNamespace, wires: Wires) -> None:
    """Wires the tool and the tree."""
    home, offered, on, on_piece = shared.home, wires.offered, wires.on, wires.on_piece
    breed_again, breed_back, breed_cross = room.breed_again, room.breed_back, room.breed_cross
    breed_keep, breed_on, desk_in = room.breed_keep, room.breed_on, room.desk_in
    digest, model, parents, seed = room.digest, room.model, room.parents, room.seed
    tool, tree = room.tool, room.tree

    def on_stage(desk: Desk) -> tuple[Model, Artwork]:
        in_hand = sample.load_digest(home, desk.digest)
        return in_hand, artwork_of(dataclasses.replace(desk, tool="breed"), in_hand)

    def breed_from(desk: Desk, key: str) -> Desk:
        in_hand, artwork = on_stage(desk)
        breed.keep_in_tree(home, whose(shared, key), desk, in_hand, artwork)
        return breed.begin(desk, artworks.encode(artwork))

    def breed_keeps(desk: Desk, key: str) -> Desk:
        in_hand, artwork = on_stage(desk)
        breed.keep_in_tree(home, whose(shared, key), desk, in_hand, artwork)
        return desk

    def breed_crosses(desk: Desk, key: str) -> Desk:
        in_hand, artwork = on_stage(desk)
        if desk.came:  # else where this child came from would be forgotten
            breed.keep_in_tree(home, whose(shared, key), desk, in_hand, artwork)
        return breed.cross_with(desk, in_hand, artworks.encode(artwork))

    def breed_anew(desk: Desk) -> Desk:
        return dataclasses.replace(desk, roll=breed.new_roll(), chosen="", came="")

    def breed_goes_back(desk: Desk, key: str) -> Desk:
        return breed.step_back(home, whose(shared, key), desk, sample.load_digest(home, desk.digest))

    def branch(desk: Desk, data: dict) -> Desk:
        return breed.begin(desk, artworks.find_code(str(data.get("code"))))

    def grow(key: str, *values):
        """The family tree of who is bred now."""
        desk = Desk.sent(values)
        if desk.tool != "breed" or not desk.digest:
            return gr.update(visible=False)
        try:
            html = breed.tree_html(home, whose(shared, key), desk, sample.load_digest(home, desk.digest))
        except Refused as refused:
            html = tiles.note(refused.refusal.sentence, "bad")
        return gr.update(value=html, visible=True)

    def named(key: str, in_hand: str):
        """The list of models, where a click in the tree has led to another one."""
        return offered(sample.load_digest(home, in_hand), key) if in_hand else gr.skip()

    growing = {"fn": grow, "inputs": [shared.key, *desk_in], "outputs": [tree]}
    for event, change, *more in (
        (breed_on.click, breed_from, shared.key),
        (breed_keep.click, breed_keeps, shared.key),
        (breed_cross.click, breed_crosses, shared.key),
        (breed_back.click, breed_goes_back, shared.key),
    ):
        done = on(event, change, *more).then(**growing, api_name=f"ui_play_tree_{change.__name__}", **QUIET)
        if change is breed_goes_back:
            done.then(named, [shared.key, digest], model, api_name="ui_play_back_named", **QUIET)
    on(breed_again.click, breed_anew)

    on_piece(tree.pick, branch, "pick_family").then(
        named, [shared.key, digest], model, api_name="ui_play_family_named", **QUIET
    )
    gr.on([parents.change, tool.change, seed.change], **growing, api_name="ui_play_tree", **QUIET)
