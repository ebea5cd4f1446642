"""Labels through a real browser: asked for under Train, carried from a grid to Play, picked, walked, sent by link."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import playground
import playing
import pytest
from playwright.sync_api import Page, expect

from gan_play import files
from gan_play.latent import sample
from gan_play.pictures import images
from gan_play.runs import worker
from gan_play.share import artwork as artworks

pytestmark = pytest.mark.slow

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with one run that learnt three labels, and its grid."""
    home = tmp_path_factory.mktemp("labelled")
    playground.run_in(home, num_labels=3)
    folder = home / playground.RUN
    worker.write_seeds(folder, playing.SIZE_PX, 3)
    worker.write_grid(folder, sample.load(home, playground.RUN).generator, 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "SHIPPED", tmp_path_factory.mktemp("shipped"))
        yield home


@pytest.fixture(scope="module")
def there(serve, house: Path) -> str:
    return serve(house).rstrip("/")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two folders of pictures in it, five and twelve."""
    folder = tmp_path_factory.mktemp("pictures") / "two kinds"
    for label, count in (("ink", 5), ("oil", 12)):
        (folder / label).mkdir(parents=True)
        for i in range(count):
            pixels = np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8)
            (folder / label / f"{i}.png").write_bytes(images.encode(pixels, "png"))
    return folder


def title(page: Page):
    return page.locator("#stage figcaption")


def shown(page: Page) -> artworks.Artwork:
    """What the stage shows, once the address says so too."""
    page.wait_for_function(
        """() => { const code = document.querySelector('#stage [data-do=share]')?.dataset.code;
        return code && new URL(location).searchParams.get('art') === code; }"""
    )
    return artworks.decode(page.locator("#stage [data-do=share]").get_attribute("data-code"))


def test_a_tile_takes_its_label_to_play_where_another_is_picked_walked_and_sent(visit, there: str):
    page = visit(f"{there}/?run={playground.RUN}")
    tile = page.locator(".live-tiles button").nth(35)
    expect(tile).to_have_attribute("title", "Seed 35, pastel")
    tile.click()
    expect(title(page)).to_contain_text("Seed 35, pastel, Toy")
    assert (shown(page).seeds, shown(page).label) == ((35,), 2)

    page.locator("#play-label input").click()
    page.get_by_role("option", name="oil").click()
    expect(title(page)).to_contain_text("Seed 35, oil, Toy")
    page.locator('#seeds .tile[data-seed="4"]').click()
    expect(page.locator('#tray .tile[data-seed="4"][data-label="1"]')).to_be_visible()
    assert json.loads(page.input_value("#state-tray textarea")) == [[35, 2], [4, 1]]

    page.get_by_label("Walk", exact=True).check()
    expect(title(page)).to_contain_text("through 35 (pastel), 4 (oil), Toy")
    assert (shown(page).operation, shown(page).labels) == ("label_walk", (2, 1))
    link = page.url
    page.locator("#play-every-label").click()
    expect(title(page)).to_contain_text("4 (etching), 4 (oil), 4 (pastel)")

    page.get_by_label("Label by seed", exact=True).check()
    expect(page.locator("#stage .table .kind")).to_have_text(["etching", "oil", "pastel"])
    page.locator("#play-kinds textarea, #play-kinds input").fill("pastel, 0")
    page.locator("#play-kinds textarea, #play-kinds input").blur()
    expect(page.locator("#stage .table .kind")).to_have_text(["pastel", "etching"])
    assert shown(page).labels == (2, 0)
    grid = page.url

    page.goto(link)
    expect(title(page)).to_contain_text("through 35 (pastel), 4 (oil), Toy")
    assert shown(page).labels == (2, 1)
    page.goto(grid)
    expect(page.locator("#stage .table .kind")).to_have_text(["pastel", "etching"])
    assert shown(page).labels == (2, 0)


def test_train_offers_the_folders_of_a_set_where_the_recipe_can_learn_them(visit, there: str, folders: Path):
    page = visit(there)
    page.get_by_role("tab", name="Gather", exact=True).click()
    page.set_input_files("#drop input[name=folder]", folders)
    page.wait_for_selector("#report .contact img")
    page.click("#gather-choose")
    expect(page.locator("#learn-labels")).to_be_visible()
    expect(page.locator("#labels-note")).to_contain_text(
        re.compile(r"ink \(5\), oil \(12\).*Few pictures: ink")
    )
    page.click("#recipes details:has([data-pick=cgan]) summary")
    page.click("[data-pick=cgan]")
    expect(page.locator("#labels-note")).to_contain_text("learns 2 folders apart")
    expect(page.locator("#learn-labels")).to_be_hidden()
    page.click("#recipes details:has([data-pick=gan]) summary")
    page.click("[data-pick=gan]")
    expect(page.locator("#labels-note")).to_be_empty()
    expect(page.get_by_label("28 px")).to_be_visible()
    expect(page.get_by_label("128 px")).to_have_count(0)
