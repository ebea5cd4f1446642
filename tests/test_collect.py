"""What the pieces ask the server: links are written down as sent and can be withdrawn, pictures are liked."""

import json
from pathlib import Path
from types import SimpleNamespace

import playground
import pytest

from gan_play import cli, limits
from gan_play.latent import sample
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import gallery
from gan_play.share.artwork import Artwork
from gan_play.ui import collect
from gan_play.ui import gallery as view

ANNA, BERT = "anna's secret", "bert's secret"


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("home")
    playground.run_in(home)
    return home


@pytest.fixture
def home(house):
    yield house
    for path in house.glob("gallery.sqlite3*"):
        path.unlink()


def ask(home, name: str, *asked, public: bool = True):
    functions = {one.__name__: one for one in collect.functions(SimpleNamespace(home=home, public=public))}
    return functions[name](list(asked))


def code(home, seed: int, operation: str = "sample", **more) -> str:
    return artworks.encode(Artwork(operation, sample.load(home, playground.RUN).digest, (seed,), **more))


def test_a_link_is_sealed_written_down_and_withdrawn_by_who_made_it(home):
    sealed = ask(home, "sealed", code(home, 7), ANNA)["code"]
    assert artworks.decode(sealed).seal
    (sent,) = gallery.sent(home, gallery.owner_of(ANNA))
    assert sent.code == sealed and sent.title.startswith("Seed 7, Toy")
    assert "made here" in ask(home, "withdrawn", sealed, BERT)["sentence"]
    assert "no longer" in ask(home, "withdrawn", sealed, ANNA)["done"]
    with pytest.raises(Refused, match="withdrawn"):
        gallery.check_alive(home, sealed)
    for asked in (sealed, code(home, 7)):
        assert "was withdrawn" in ask(home, "sealed", asked, BERT)["sentence"]
    assert ask(home, "sealed", sealed, ANNA)["code"] == sealed
    gallery.check_alive(home, sealed)  # shared again


def test_a_walk_without_a_film_can_be_sent_and_withdrawn_too(home):
    walk = dict(seconds=1, fps=4, how="w", easing="smooth", loop=True)
    plain = artworks.encode(Artwork("walk", sample.load(home, playground.RUN).digest, (1, 2), **walk))
    assert ask(home, "sealed", plain, ANNA)["code"] == plain
    assert "done" in ask(home, "withdrawn", plain, ANNA)


def test_a_link_needs_no_database(home):
    (home / gallery.FILE).write_bytes(b"damaged" * 1000)
    assert "code" in ask(home, "sealed", code(home, 7), ANNA)
    assert "damaged" in ask(home, "withdrawn", code(home, 7), ANNA)["sentence"]


def test_pictures_are_liked_and_no_longer_by_each_for_themselves(home):
    seeds = [code(home, seed) for seed in range(4)]
    assert ask(home, "liking", seeds[1], ANNA, "yes", seeds) == {"liked": True, "count": 1}
    assert ask(home, "liked", ANNA, *seeds) == {"liked": [seeds[1]]}
    assert ask(home, "liked", BERT, *seeds) == {"liked": []}
    assert len(gallery.likes(home, gallery.owner_of(ANNA))[1]) == 3
    assert ask(home, "liking", seeds[1], ANNA, "")["count"] == 0
    ask(home, "liking", seeds[2], "a browser at home", "yes", public=False)
    assert ask(home, "liked", "another one", seeds[2], public=False) == {"liked": [seeds[2]]}


def test_visitors_can_t_fill_the_disk_with_likes_and_taking_one_back_is_never_refused(home, monkeypatch):
    one, other = code(home, 1), code(home, 2)
    assert ask(home, "liking", one, ANNA, "yes", [])["count"] == 1
    foreign = artworks.encode(Artwork("sample", "f" * 16, (1,)))
    assert "ffff" in ask(home, "liking", foreign, ANNA, "yes", [])["sentence"]
    monkeypatch.setattr(limits, "MOST_LIKES_PUBLIC", 1)
    monkeypatch.setattr(limits, "MOST_LIKES", 0)
    for where in (True, False):
        assert "as can be remembered" in ask(home, "liking", other, BERT, "yes", [], public=where)["sentence"]
    assert ask(home, "liking", one, ANNA, "")["count"] == 0
    assert gallery.likes(home, None) == ([], [])


def test_figures_and_films_can_t_be_liked(home):
    figure = code(home, 1, "mix_grid", columns=(2, 3), band="coarse")
    assert "single" in ask(home, "liking", figure, ANNA, "yes", [])["sentence"]


@pytest.mark.parametrize(
    "asked", [[], None, "x", [None] * 5, [{"a": 1}], ["<b>", ANNA], [[[]], ANNA, "yes", [7, None]]]
)
def test_nonsense_of_a_browser_s_is_a_sentence(home, asked):
    for function in collect.functions(SimpleNamespace(home=home, public=True)):
        answer = function(asked)
        assert "sentence" in answer or answer == {"liked": []}
    assert not (home / gallery.FILE).exists()


def test_the_command_line_shares_withdraws_and_lists(home, capsys):
    def run(*words: str) -> tuple[int, str]:
        status = cli.main([*words, "--home", str(home)])
        return status, capsys.readouterr().out.strip()

    assert run("share", playground.RUN, "--seed", "3")[0] == 0
    (sent,) = gallery.sent(home, None)
    assert run("share", "--withdraw", f"https://a.b/?art={sent.code}") == (0, sent.code)
    assert gallery.sent(home, None)[0].withdrawn
    assert run("share", "--withdraw", code(home, 5))[0] == run("share")[0] == 2
    view.keep(SimpleNamespace(home=home, public=False), code(home, 5))
    status, out = run("gallery", "seed 5", "--json")
    assert status == 0 and [work["title"] for work in json.loads(out)] == ["Seed 5, Toy, 32 px"]
    assert "Seed 5" in run("gallery")[1] and run("gallery", "nowhere")[1] == ""
    assert run("gallery", "--order", "size")[0] == 2
