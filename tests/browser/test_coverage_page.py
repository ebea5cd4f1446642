"""What a model doesn't paint, in a real browser: those pictures, the nearest seeds, and the way to Play."""

import playground
import pytest

from gan_play import files
from gan_play.latent import coverage, sample
from gan_play.pictures import datasets, examples, images
from gan_play.ui import coverage_view


@pytest.fixture(scope="module")
def covered(tmp_path_factory):
    """A home with a run that was compared with its set: sixteen of its own paintings, and four rosettes."""
    home = tmp_path_factory.mktemp("covered")
    playground.run_in(home)
    own = sample.sample(sample.load(home, playground.RUN), range(16), 1.0)
    with datasets.NewSet(home) as new:
        for i, pixels in enumerate([*own, *(examples.draw("rosettes", i, 32) for i in range(4))]):
            new.add(f"{i}.png", datasets.keep(images.Decoded(pixels, 32, 32, False)))
        set_id, folder = new.finish([], images.WHITE)
    run = home / playground.RUN
    datasets.make_block(folder, run / "set", 32)
    files.write_json(
        run / "run.json", files.read_json(run / "run.json") | {"set": {"id": set_id, "labels": []}}
    )
    (run / "samples").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coverage, "LEAST_SAMPLED", 20)
        datasets.run_to_end(coverage.covering(home, playground.RUN))
    found = files.read_json(run / "samples" / coverage.FOUND_FILE)
    found["share"][18] = 2.0  # for certain
    files.write_json(run / "samples" / coverage.FOUND_FILE, found)
    return home


@pytest.fixture(scope="module")
def covered_address(serve, covered) -> str:
    return serve(covered)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_a_picture_that_is_missing_leads_to_the_nearest_seed_in_play(
    covered_address: str, covered, visit, width: int
):
    page = visit(f"{covered_address}?run={playground.RUN}", width)
    page.get_by_role("tab", name="Train", exact=True).click()
    page.click(".cover summary")
    assert "not represented" in page.inner_text(".cover-said")
    assert page.locator(".cover-map .map-board button").count() == 20
    page.click(".cover-missing [data-of='18']")
    near = files.read_json(covered / playground.RUN / "samples" / coverage.FOUND_FILE)["near"]
    page.wait_for_selector(".cover-seed")
    assert page.locator(".cover-seed span").all_inner_texts() == [str(seed) for seed in near[18]]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".cover-map [data-at='3']").dispatch_event("click")
    assert page.inner_text(".cover-large > span").startswith("It is represented.")
    page.click(".cover-seed")
    digest = sample.load(covered, playground.RUN).digest
    page.wait_for_function(  # the very picture that was clicked, untruncated
        "(code) => document.querySelector('#stage [data-do=share]')?.dataset.code === code",
        arg=coverage_view.code_of(digest, near[3][0], None),
    )
