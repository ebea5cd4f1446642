"""A saved picture dropped on the page, in a browser that has never been there: it is where it was made; or changed."""

import playground
import pytest
from playwright.sync_api import expect

from gan_play.pictures import images

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def home(tmp_path):
    playground.run_in(tmp_path)
    return tmp_path


@pytest.mark.slow  # five visits
@pytest.mark.timeout(600)
def test_a_saved_picture_leads_back_and_a_changed_one_is_said_to_be(serve, home, visit, tmp_path):
    there = serve(home).rstrip("/")
    page = visit(there)
    for seed in (4, 9):
        page.locator(f'#seeds .tile[data-seed="{seed}"]').click()
        expect(page.locator("#stage figcaption")).to_contain_text(f"Seed {seed},")
    page.locator("#stage [data-do=to-mix]").click()
    expect(page.locator("#stage figcaption")).to_contain_text("mixed with")
    title = page.locator("#stage figcaption").inner_text()
    with page.expect_download() as download:
        page.locator("#stage a.action").first.click()
    saved = tmp_path / "saved.png"
    download.value.save_as(saved)
    for tab in ("play", "gallery"):
        fresh = visit(there)
        expect(fresh.locator("#seeds .tile")).to_have_count(36)
        fresh.get_by_role("tab", name=tab.title()).click()
        fresh.locator(f"#{tab}-check input[type=file]").set_input_files(saved)
        expect(fresh.locator("#stage figcaption")).to_have_text(title)
        expect(fresh.locator("#tray .tile")).to_have_count(2)
        expect(fresh.locator(f"#{tab}-verdict")).to_contain_text("Identical")
    pixels = images.decode(saved.read_bytes()).copy()
    pixels[:4, :4] = 0
    changed, plain = tmp_path / "changed.png", tmp_path / "plain.png"
    changed.write_bytes(images.encode(pixels, "png", text=images.read_text(saved.read_bytes())))
    plain.write_bytes(images.encode(pixels[:1, :1], "png"))
    for file, said in ((changed, "Changed since it was saved"), (plain, "no card of GAN Play")):
        fresh = visit(there)
        fresh.locator("#play-check input[type=file]").set_input_files(file)
        expect(fresh.locator("#play-verdict")).to_contain_text(said)
