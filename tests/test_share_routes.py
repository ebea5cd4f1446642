"""The addresses of artworks: the same bytes each time, a card for chat programs, 404 with a sentence for the rest."""

import html
import re
import time
from concurrent.futures import ThreadPoolExecutor

import playground
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gan_play.latent import sample
from gan_play.pictures import images
from gan_play.share import artwork as artworks
from gan_play.share import gallery
from gan_play.share.artwork import Artwork
from gan_play.ui import share_routes


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    playground.run_in(folder)
    return folder


@pytest.fixture(scope="module")
def web(home) -> TestClient:
    return TestClient(FastAPI(routes=share_routes.routes(home)))


def digest(home) -> str:
    return sample.load(home, playground.RUN).digest


def test_a_picture_has_an_address_and_its_bytes_never_change(web, home):
    artwork = Artwork("sample", digest(home), (7,))
    code = artworks.encode(artwork)
    answer = web.get(f"/gradio_api/art/{code}.png")
    assert answer.headers["content-type"] == "image/png"
    share_routes.picture.cache_clear()
    assert web.get(f"/gradio_api/art/{code}.png").content == answer.content
    assert (images.decode(answer.content) == artworks.render(home, artwork).pixels).all()
    assert artworks.read_card(answer.content).seeds == (7,)


def test_a_download_is_named_and_its_model_is_kept(web, home):
    code = artworks.encode(Artwork("sample", digest(home), (7,)))
    answer = web.get(f"/gradio_api/art/{code}.png?download=1")
    assert answer.headers["content-disposition"] == 'attachment; filename="gan-play-sample-7.png"'


def test_a_walk_shows_its_strip_before_it_has_a_film(web, home):
    walk = Artwork("walk", digest(home), (1, 2), seconds=1, fps=4, how="w", easing="smooth", loop=True)
    code = artworks.encode(walk)
    header = web.get(f"/gradio_api/art/{code}.png").content[16:24]
    assert (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")) == (12 * 32 + 11 * 2, 32)
    assert web.get(f"/gradio_api/art/{code}.mp4").status_code == 404
    artworks.render(home, walk)
    assert web.get(f"/gradio_api/art/{code}.mp4").headers["content-type"] == "video/mp4"
    part = web.get(f"/gradio_api/art/{code}.mp4", headers={"Range": "bytes=0-9"})
    assert part.status_code == 206 and len(part.content) == 10  # or browsers can't seek


def test_chat_programs_find_title_and_picture_and_people_are_led_on(web, home):
    code = artworks.encode(Artwork("sample", digest(home), (7,)))
    page = web.get(f"/gradio_api/art/{code}").text
    picture = html.unescape(re.search(r'property="og:image" content="([^"]*)"', page)[1])
    assert web.get(picture).status_code == 200
    assert f"?art={code}" in page and "og:title" in page


def test_the_card_page_believes_no_odd_host(home):
    page = share_routes.card_page("CODE", '"><script>', 'http://"><script>alert(1)</script>/')
    assert "<script>" not in page


@pytest.mark.parametrize(
    "path",
    ["hello.png", "hello", "hello.mp4", "%3Cscript%3E.png", "..%2f..%2fetc%2fpasswd.png", "A" * 700 + ".png"],
)
def test_a_bad_code_answers_404_with_a_sentence(web, path):
    answer = web.get(f"/gradio_api/art/{path}")
    assert answer.status_code == 404
    assert "<" not in answer.text.replace("<script>", "") or answer.headers["content-type"].startswith(
        "text/plain"
    )
    assert "Traceback" not in answer.text


def test_a_foreign_code_says_which_model_it_needs(web):
    answer = web.get(f"/gradio_api/art/{artworks.encode(Artwork('sample', 'f' * 16, (7,)))}.png")
    assert answer.status_code == 404 and "ffff" in answer.text


def test_a_sealed_link_names_the_same_picture_and_keeps_its_model(web, home):
    plain = artworks.encode(Artwork("sample", digest(home), (7,)))
    sealed = artworks.share(home, artworks.decode(plain)).code
    assert artworks.decode(sealed).seal
    assert web.get(f"/gradio_api/art/{sealed}.png").content == web.get(f"/gradio_api/art/{plain}.png").content
    assert share_routes.picture(home, sealed).sentence.startswith("Identical")


def test_a_withdrawn_link_answers_with_a_sentence_and_the_page_s_own_tiles_go_on(web, home):
    plain = artworks.encode(Artwork("sample", digest(home), (8,)))
    sealed = artworks.share(home, artworks.decode(plain)).code
    gallery.send(home, "anna", sealed)
    assert web.get(f"/gradio_api/art/{sealed}.png").status_code == 200
    gallery.withdraw(home, "anna", sealed)
    for address in (f"{sealed}.png", sealed, f"{sealed}.png?download=1"):
        answer = web.get(f"/gradio_api/art/{address}")
        assert answer.status_code == 404 and "withdrawn" in answer.text, address
    assert web.get(f"/gradio_api/art/{plain}.png").status_code == 200
    gallery.send(home, "anna", sealed)
    assert web.get(f"/gradio_api/art/{sealed}").status_code == 200


@pytest.mark.parametrize("work", ["0" * 24, "x", "..%2f..%2frun", "A" * 24])
def test_a_work_that_is_not_kept_answers_404(web, work):
    assert web.get(f"/gradio_api/kept/{work}.png").status_code == 404


def test_who_asks_for_a_picture_while_it_is_made_gets_the_same_one(home, monkeypatch):
    share_routes.picture.cache_clear()
    code, made, render = artworks.encode(Artwork("sample", digest(home), (77,))), [], artworks.render

    def counted(*given: object, **more: object) -> object:
        made.append(given)
        time.sleep(0.05)
        return render(*given, **more)

    monkeypatch.setattr(artworks, "render", counted)
    with ThreadPoolExecutor(8) as visitors:
        pictures = list(visitors.map(lambda _: share_routes.picture(home, code), range(8)))
    assert len(made) == 1 and len({id(one) for one in pictures}) == 1
