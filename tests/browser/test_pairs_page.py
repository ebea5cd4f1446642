"""Pairs through a real browser: side by side they are parted, and a preset is seen on one's own pictures first."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from gan_play.runs import store, worker

pytestmark = pytest.mark.slow

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[list]:
    """Workers are noted, not started."""
    started = []
    monkeypatch.setattr(worker, "start_worker", lambda home, run_id: started.append(run_id))
    yield started


def test_pairs_are_parted_chosen_previewed_and_started(visit, address, home, pairs, quiet):
    page = visit(address)
    page.get_by_role("tab", name="Gather", exact=True).click()
    page.set_input_files("#drop input[name=folder]", pairs)
    page.wait_for_selector("#report .contact img")
    page.locator("#gather-split").click()
    expect(page.locator("#report")).to_contain_text("left (12), right (12)")
    page.locator("#gather-choose").click()
    page.click("#recipes details:has([data-pick=pix2pix]) summary")
    page.click("[data-pick=pix2pix]")
    preview = page.locator("#preset-preview img")
    expect(preview).to_have_count(9)  # three pictures with two sketches each
    before = preview.first.get_attribute("src")
    page.locator("#preset input").click()
    page.get_by_role("option", name="My own pairs").click()
    expect(preview).to_have_count(6)
    expect(page.locator("#labels-note")).to_contain_text("turn pictures of left into pictures of right")
    page.locator("#preset input").click()
    page.get_by_role("option", name="Enlarge").click()
    expect(preview).to_have_count(9)
    assert preview.first.get_attribute("src") != before
    page.locator("#begin").click()
    expect(page.locator(".live-facts")).to_contain_text("Enlarge")
    (run,) = [run for run in store.list_runs(home) if not run.shipped]
    assert (run.recipe, run.preset, run.task) == ("pix2pix", "enlarge", "translate")
