"""The Gallery's tab: what is kept by whom, what its wall says, and a file that is checked."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import playground
import pytest

from gan_play import limits
from gan_play.latent import sample
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import card, family
from gan_play.share import gallery as store
from gan_play.share.artwork import Artwork
from gan_play.share.gallery import Query
from gan_play.ui import cards, collect, gallery


@pytest.fixture
def home(tmp_path: Path) -> Path:
    playground.run_in(tmp_path)
    return tmp_path


def page(home: Path, public: bool = False) -> SimpleNamespace:
    return SimpleNamespace(home=home, public=public)


def code(home: Path, seed: int, operation: str = "sample") -> str:
    digest = sample.load(home, playground.RUN).digest
    return artworks.encode(Artwork(operation, digest, (seed,)))


def works(home: Path, owner: str | None = None) -> list:
    return store.find(home, owner)[0]


def test_what_is_kept_is_a_picture_with_its_recipe_and_its_facts(home):
    kept = gallery.keep(page(home), code(home, 5))
    (work,) = works(home)
    assert (
        work == kept and work.how == "kept" and work.title.startswith("Seed 5,") and work.model_name == "Toy"
    )
    png = store.picture_path(home, work.id).read_bytes()
    assert artworks.read_card(png).seeds == (5,)
    assert card.compare(home, png, card.read(png)).same


def test_keeping_twice_keeps_once_and_a_link_that_was_opened_can_be_kept(home):
    for how in ("opened", "opened", "kept", "kept", "opened"):
        gallery.keep(page(home), code(home, 5), how=how)
    assert [work.how for work in works(home)] == ["kept"]


def test_at_home_a_work_hangs_once_whichever_browser_kept_it(home):
    for key in ("a browser", "another one"):
        gallery.keep(page(home), code(home, 5), key)
    assert len(works(home)) == 1


def test_in_public_each_browser_sees_only_its_own(home):
    gallery.keep(page(home, public=True), code(home, 1), key="mine")
    asked = {key: collect.owner_to_ask(page(home, public=True), key) for key in ("mine", "yours", "")}
    assert [len(works(home, owner)) for owner in asked.values()] == [1, 0, 0]
    assert store.remove(home, asked["yours"], [works(home)[0].id]) == 0
    assert b"mine" not in b"".join(path.read_bytes() for path in home.glob("gallery.sqlite3*"))
    assert len(works(home, collect.owner_to_ask(page(home), "yours"))) == 1  # at home all is everybody's


def test_visitors_can_t_fill_the_disk(home, monkeypatch):
    monkeypatch.setattr(limits, "MOST_WORKS_PUBLIC", 2)
    for seed in (1, 2):
        gallery.keep(page(home, public=True), code(home, seed), "a visitor")
    with pytest.raises(Refused, match="as many as it can"):
        gallery.keep(page(home, public=True), code(home, 3), "another one")
    gallery.keep(page(home), code(home, 3))


def test_the_wall_says_what_a_work_is_and_nobody_s_text_is_markup(home):
    work = gallery.keep(page(home), code(home, 5))
    store.describe(home, None, work.id, "<b>Dusk</b>", "for <i>Ada</i> & all")
    html, anything = gallery.wall_html(home, None, Query(), 0)
    assert anything and "&lt;b&gt;Dusk" in html and "for &lt;i&gt;Ada" in html and "<b>" not in html
    assert f"gradio_api/kept/{work.id}.png" in html and "One work" in html
    html, anything = gallery.wall_html(home, None, Query("nowhere"), 0)
    assert anything and "Nothing that you kept fits" in html


def test_what_was_removed_can_be_brought_back_whenever_the_wall_is_hung(home):
    kept = [gallery.keep(page(home), code(home, seed)).id for seed in range(3)]
    assert 'data-wall="undo"' not in gallery.wall_html(home, None, Query(), 0)[0]
    store.remove(home, None, kept[:1])
    store.remove(home, None, kept[1:])
    for said in ("2 works removed", "One work removed"):
        for _ in range(2):  # as often as the page looks
            html, _anything = gallery.wall_html(home, None, Query(), 0)
            assert said in html and 'data-wall="undo"' in html
        store.bring_back(home, None)
    assert 'data-wall="undo"' not in gallery.wall_html(home, None, Query(), 0)[0]


def test_the_wall_says_what_is_in_the_family_tree_and_needs_no_whole_one(home):
    gallery.keep(page(home), code(home, 5))
    assert "family tree" not in gallery.wall_html(home, None, Query(), 0)[0]
    family.keep(home, "", code(home, 5))
    assert "in your family tree" in gallery.wall_html(home, None, Query(), 0)[0]
    (home / family.FILE).write_bytes(b"damaged" * 1000)
    assert "family tree" not in gallery.wall_html(home, None, Query(), 0)[0]


def test_the_wall_turns_its_pages_and_never_shows_an_empty_one(home, monkeypatch):
    monkeypatch.setattr(gallery, "SHOWN", 2)
    for seed in range(5):
        gallery.keep(page(home), code(home, seed))
    assert "3 to 4 of 5 works" in gallery.wall_html(home, None, Query(), 2)[0]
    assert "5 to 5 of 5 works" in gallery.wall_html(home, None, Query(), 6)[0]
    assert [gallery.place_of(text) for text in ("48", None, "-1", "9" * 30, "x", "²")] == [48, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("text", ["", "hello", "<script>", "../../etc/passwd"])
def test_a_bad_code_is_not_kept(home, text):
    with pytest.raises(Refused):
        gallery.keep(page(home), text)


def saved(folder: Path, data: bytes) -> str:
    path = folder / "saved.png"
    path.write_bytes(data)
    return str(path)


def test_a_saved_file_opens_after_its_link_was_withdrawn_and_where_its_pixels_cant_be_read(home, tmp_path):
    made = artworks.share(home, artworks.decode(code(home, 5)))
    path = saved(tmp_path, made.png)
    assert cards.looked_at(page(home), path)[0] == made.code
    store.send(home, "anna", made.code)
    store.withdraw(home, "anna", made.code)
    opened, _sentence, same, _html = cards.looked_at(page(home), path)
    assert same is True and opened == code(home, 5)
    store.check_alive(home, opened)
    opened, sentence, same, _html = cards.looked_at(page(home), saved(tmp_path, made.png[:-40]))
    assert same is None and opened == code(home, 5) and "saved.png" in sentence


def test_a_saved_file_whose_model_is_gone_opens_nothing(home, tmp_path):
    path = saved(tmp_path, artworks.render(home, artworks.decode(code(home, 5))).png)
    shutil.rmtree(home / playground.RUN)
    with pytest.raises(Refused, match="isn't here|model"):
        cards.looked_at(page(home), path)
