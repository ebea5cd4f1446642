"""Make the starter that ships with GAN Play from a run that was trained for it.

    python -m benchmarks.starter --run HOME/starter-2at364 --out checkpoints/starter-64

Ships the averaged generator and the discriminator in half precision, the last grid of fixed seeds, and a card.
None of the pictures it learnt from.
"""

import argparse
import shutil
from pathlib import Path

from gan_play import files
from gan_play.runs import checkpoints, store


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of the run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the starter")
    parser.add_argument("--name", default="Old masters", help="what the page calls it")
    parser.add_argument("--best", action="store_true", help="the best scored state, not the newest")
    given = parser.parse_args()
    run = store.read_run(given.run)
    path = checkpoints.best(given.run) if given.best else checkpoints.newest(given.run)
    state = checkpoints.load(path)
    samples = given.out / "samples"
    samples.mkdir(parents=True, exist_ok=True)
    written = checkpoints.save_starter(given.out, state.tensors, state.header)
    for old in samples.glob("step-*"):
        old.unlink()
    grid = max((step for step in store.grids(given.run) if step <= state.step), default=state.step)
    shutil.copyfile(store.grid_path(given.run, grid), store.grid_path(given.out, state.step))
    shutil.copyfile(given.run / "samples" / "seeds.json", samples / "seeds.json")
    shipped = {key: value for key, value in run.items() if key not in ("owner", "worker", "queued_text")}
    shipped |= {
        "id": given.out.name,
        "name": given.name,
        "state": "finished",
        "sentence": "",
        "step": state.step,
    }
    files.write_json(given.out / "run.json", shipped)
    print(f"step {state.step:,}, {written.stat().st_size / 1e6:.1f} MB: {given.out}")


if __name__ == "__main__":
    main()
