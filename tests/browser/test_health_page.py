"""A collapsed run on the page: what is wrong in words, tiles beside their nearest, and buttons that do something."""

import json
import os

import numpy as np
import pytest

from gan_play import files
from gan_play.runs import checkpoints, store, worker
from tests import toys

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def collapsed(tmp_path, monkeypatch):
    """A home with a run that was trained to a step, then found collapsed, with a copy among its tiles."""
    run_id = toys.a_run(tmp_path, steps=4)
    folder = tmp_path / run_id
    assert worker.work(folder) == 0
    best = checkpoints.states(folder)[1]
    checkpoints.mark_best(folder, best, 0.2)
    numbers = np.random.default_rng(0)
    tiles = [
        {
            "seed": seed,
            "nearest": numbers.choice(12, 3, replace=False).tolist(),
            "distances": sorted(numbers.uniform(0.7, 1.2, 3).round(3).tolist()),
            "how": ["whole"] * 3,
            "copied": seed == 7,
        }
        for seed in range(36)
    ]
    noted = {"step": 4, "sentence": "1 of 36 paintings comes very close.", "threshold": 0.6, "tiles": tiles}
    files.write_json(folder / "samples" / "nearest.json", noted)
    with store.changing(folder) as run:
        run["health"] = {
            "code": "collapsed",
            "sentence": "It paints nearly the same picture again and again.",
            "remedies": ["augment", "best", "recipe"],
            "copy": "1 of 96 paintings looked at comes very close to one of your pictures.",
            "has_best": True,
            "best_seconds": 1.0,
        }
    return tmp_path, run_id


def test_a_collapsed_run_is_shown_with_its_copies_and_can_be_helped(serve, visit, collapsed, monkeypatch):
    home, run_id = collapsed
    started = []
    monkeypatch.setattr(worker, "start_worker", lambda *about: started.append(about))
    page = visit(f"{serve(home)}?run={run_id}")
    page.wait_for_selector(".live-verdict:has-text('again and again')")
    page.click(".live-copy summary")
    page.wait_for_function(
        "[...document.querySelectorAll('.live-pairs img')].filter(i => i.complete && i.naturalWidth).length >= 12"
    )
    figures = page.locator(".live-pairs figure")
    assert figures.count() == 36 and "Seed 7" in figures.first.inner_text()
    assert "copied" in figures.first.get_attribute("class")
    painted = page.evaluate(
        "() => { const c = document.querySelector('.live-pairs canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some((v, i) => i % 4 < 3 && v); }"
    )
    assert painted
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{out}/health.png", full_page=True)

    page.click("[data-remedy=recipe]")
    page.wait_for_function(
        "document.querySelector('#recipes [aria-checked=true]').dataset.pick === 'projected'"
    )
    page.wait_for_function(
        "JSON.parse(document.querySelector('#state-chosen textarea').value || '{}').how === 'crop'"
    )

    page.click("[data-remedy=best]")
    page.wait_for_function("document.querySelector('.live-state').dataset.state === 'queued'")
    assert started and store.read_run(home / run_id)["remedy"] == "best"
    assert json.loads((home / run_id / "wanted.json").read_text())["wish"] == "train"
    worker.take_remedy(home / run_id)
    assert checkpoints.states(home / run_id)[0].name == checkpoints.best(home / run_id).name
