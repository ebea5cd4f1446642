"""The page's endpoints for programs: their names and first parameters stay (`gradio_client`, curl, MCP).

Each is a plain typed function; its docstring is its public description. Files come from Gradio's upload folder only.
A refusal is an error with one sentence. Where strangers may come, `key` is any secret of 8 characters or more that
the caller thinks up at `start_run`; who has it may steer the run, and only its hash is stored.
"""

import gradio as gr

from gan_play.pictures import datasets, intake
from gan_play.refusals import Refused, refuse
from gan_play.runs import labels as run_labels
from gan_play.runs import store, worker
from gan_play.ui import gallery_api, play_api, train
from gan_play.ui.look import grid_address
from gan_play.ui.share_routes import picture
from gan_play.ui.shared import Shared, told, visible_runs


def register(shared: Shared) -> None:
    """Add the endpoints to the Blocks that is being built."""
    home = shared.home

    def create_set(files: list[gr.FileData]) -> tuple[str, dict]:
        """Take in pictures and ZIPs of pictures; returns the set's id and the report on it.

        Parameters:
            files: uploaded pictures, or ZIPs of them
        """
        with told():
            if not files:
                raise Refused(refuse("not-uploaded"))
            taken = intake.run_to_end(intake.take_in(list(map(play_api.sent, files)), home))
        return taken.set_id, taken.report

    def start_run(
        set_id: str,
        recipe: str = "projected",
        size: int = 64,
        minutes: float = 20,
        seed: int = 0,
        start: str = "",
        name: str = "",
        how: str = "crop",
        key: str = "",
        labels: bool = False,
        preset: str = "",
    ) -> str:
        """Start to train on a set; returns the run's id. One run trains at a time, others wait.

        Parameters:
            set_id: what create_set returned
            recipe: name of a recipe, as `python -m gan_play recipes` lists them
            size: 32, 64, 128, 256 or 512 pixels; for some recipes 28
            minutes: how long to train
            seed: the same seed and settings give the same training
            start: id of a run to start from, "none" for from scratch, or nothing for the starter of this size
            name: of the run
            how: to make pictures square: "crop", "border" or "several"
            key: a secret, to steer the run where strangers may come
            labels: whether to learn the set's folders apart; some recipes always do
            preset: for pix2pix, how to make pairs of the pictures: sketch, colour, repair, enlarge or flat
        """
        with told():
            folder = datasets.find_set(home, set_id)
            choice = {"set": set_id, "how": how, "background": None, "name": ""}
            labelled = run_labels.decide(recipe, folder, labels, preset)
            count = len(run_labels.of_set(folder)) if labelled else 0
            begin = store.starting_run(home, start or None, recipe, size, count, preset)
            return train.create(
                shared, choice, recipe, size, minutes, begin, "auto", name, seed, key, {}, labelled, preset
            )

    def run_status(run: str) -> dict:
        """What a run is doing: state, step, images_per_second, seconds_left, last_grid, score, best_score and more.

        Parameters:
            run: id of the run
        """
        with told():
            status = store.status(home, run)
        grid = status["last_grid"]
        return {**status, "grid": None if grid is None else grid_address(run, grid)}

    def pause_run(run: str, key: str = "") -> dict:
        """Pause a run; it saves first. Returns its status.

        Parameters:
            run: id of the run
            key: what it was started with
        """
        return steered(run, key, "pause")

    def resume_run(run: str, minutes: float = 0, key: str = "") -> dict:
        """Let a run go on where it stopped. Returns its status.

        Parameters:
            run: id of the run
            minutes: to train beyond what is left
            key: what it was started with
        """
        return steered(run, key, "train", minutes)

    def stop_run(run: str, key: str = "") -> dict:
        """Stop a run; it saves first. Returns its status.

        Parameters:
            run: id of the run
            key: what it was started with
        """
        return steered(run, key, "stop")

    def state_rights(run: str, text: str, key: str = "") -> str:
        """State the rights in the pictures that a run learns from; they stand on every card from now on.

        Parameters:
            run: id of the run
            text: of at most 300 characters; nothing takes the statement back
            key: what it was started with
        """
        with told():
            train.check_steer(shared, run, key)
            said = store.state_rights(home, run, text)
        picture.cache_clear()
        return said

    def list_runs(key: str = "") -> list[dict]:
        """The runs here, newest first; where strangers may come, those that were started with the key.

        Parameters:
            key: what they were started with
        """
        return [vars(run) for run in visible_runs(shared, key)]

    def steered(run: str, key: str, wish: str, minutes: float = 0) -> dict:
        with told():
            train.check_steer(shared, run, key)
            store.ask(home, run, wish, minutes)
            if wish == "train":
                worker.start_worker(home, run)
        return run_status(run)

    for endpoint in (
        create_set,
        start_run,
        run_status,
        pause_run,
        resume_run,
        stop_run,
        state_rights,
        list_runs,
    ):
        gr.api(endpoint, concurrency_limit=4)
    play_api.register(shared)
    gallery_api.register(shared)
