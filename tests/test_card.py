"""The card in a saved file: what it says, whether the file still is that, and cards that can't be used."""

import dataclasses
import io

import numpy as np
import playground
import pytest
from PIL import Image, PngImagePlugin

from gan_play import __version__, cli, files, limits
from gan_play.latent import sample
from gan_play.pictures import images, metadata
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import card
from gan_play.share.artwork import Artwork

FORMS = ("mp4", "gif", "webp")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    playground.run_in(folder)
    path = folder / playground.RUN / "run.json"
    about = files.read_json(path)
    about |= {"rights": 'Photos by <Ada> & "Bo", CC BY 4.0', "set": {"digest": "ab" * 32, "labels": []}}
    files.write_json(path, about)
    return folder


@pytest.fixture(scope="module")
def model(home):
    return sample.load(home, playground.RUN)


@pytest.fixture(scope="module")
def png(home, model) -> bytes:
    return artworks.render(home, Artwork("sample", model.digest, (7,))).png


@pytest.fixture(scope="module")
def films(home, model) -> dict[str, bytes]:
    walk = Artwork("walk", model.digest, (1, 2), seconds=1, fps=4, how="w", easing="smooth", loop=True)
    return {form: artworks.render(home, walk, form).film.read_bytes() for form in FORMS}


def with_text(png: bytes, **changes) -> bytes:
    """The picture with another card."""
    text = images.read_text(png) | changes
    return images.encode(images.decode(png), "png", text={key: value for key, value in text.items() if value})


def test_every_kind_of_file_says_code_model_set_rights_versions_and_how_it_was_made(png, films, model):
    for form, data in {"png": png, **films}.items():
        found = card.read(data)
        assert (found.form, found.model, found.dataset) == (form, model.digest, "ab" * 32)
        assert found.rights == 'Photos by <Ada> & "Bo", CC BY 4.0'
        assert found.program == f"GAN Play {__version__}" and found.torch.startswith("2.")
        assert found.artwork.seal, "so that who opens it can see whether it is the same"
        assert b"Made with a generative model" in data and b"trainedAlgorithmicMedia" in data
    assert images.read_text(png)["Copyright"] == 'Photos by <Ada> & "Bo", CC BY 4.0'


def test_what_was_saved_is_what_its_card_says(home, png, films):
    for data in (png, *films.values()):
        assert card.compare(home, data, card.read(data)).same is True


def test_a_changed_picture_and_a_changed_film_are_said_to_be_changed(home, png, films):
    pixels = images.decode(png).copy()
    pixels[3, 3, 0] ^= 1
    changed = images.encode(pixels, "png", text=images.read_text(png))
    found = card.compare(home, changed, card.read(changed))
    assert found.same is False and found.sentence.startswith("Changed since it was saved. Differs in 0.1%")
    smaller = images.encode(pixels[:16, :16], "png", text=images.read_text(png))
    assert "Another picture: 16 x 16" in card.compare(home, smaller, card.read(smaller)).sentence
    for form, data in films.items():
        place = {"gif": 900, "webp": 300}.get(form, data.rfind(b"mdat") + 100)
        other = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert card.compare(home, other, card.read(other)).same is False, form


def test_a_picture_that_was_made_transparent_is_said_to_be_changed(home, png):
    faint = Image.open(io.BytesIO(png)).convert("RGBA")
    text = PngImagePlugin.PngInfo()
    text.add_text("Code", images.read_text(png)["Code"])
    for alpha, same in ((255, True), (1, False)):
        faint.putalpha(alpha)
        file = io.BytesIO()
        faint.save(file, "PNG", pnginfo=text)
        assert card.compare(home, file.getvalue(), card.read(file.getvalue())).same is same


def test_a_card_on_another_picture_is_found_out(home, png, films):
    foreign = images.encode(np.zeros((32, 32, 3), np.uint8), "png", text=images.read_text(png))
    assert card.compare(home, foreign, card.read(foreign)).same is False
    stolen = films["gif"].replace(metadata.read(films["gif"]).encode(), metadata.read(png).encode())
    assert card.compare(home, stolen, card.read(stolen)).same is False


def test_an_mp4_that_lost_its_packet_is_known_by_its_comment(home, films):
    data = films["mp4"][: films["mp4"].rfind(b"uuid") - 4]
    found = card.read(data)
    assert found.artwork.operation == "walk" and card.compare(home, data, found).same is None


def test_pictures_from_before_there_were_packets_still_open(home, png):
    old = with_text(png, **{metadata.PNG_KEY: ""})
    assert card.compare(home, old, card.read(old)).same is True


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"Code": "A" * 40}, "damaged"),
        ({"Code": "A" * 5_000}, "damaged"),
        ({"Code": "<script>alert(1)</script>"}, "damaged"),
        ({"Code": ""}, "no card"),
        ({"Code": "B" * 100_000}, "no card"),  # too long to be read at all
        ({"Card": "2"}, "newer GAN Play"),
        ({"Card": "9" * 50}, "newer GAN Play"),
        ({"Card": "one"}, "newer GAN Play"),
    ],
)
def test_a_forged_huge_empty_or_newer_card_is_a_sentence(png, changes, says):
    if "Card" in changes:
        packet = metadata.read(png).replace('gp:Card="1"', f'gp:Card="{changes["Card"]}"')
        bad = with_text(png, **{metadata.PNG_KEY: packet})
    else:
        bad = with_text(png, **{metadata.PNG_KEY: ""}, **changes)
    with pytest.raises(Refused, match=says):
        card.read(bad, "a.png")


def test_a_code_of_a_newer_version_is_one_sentence(png, model):
    import base64

    data = bytearray(base64.urlsafe_b64decode(artworks.encode(Artwork("sample", model.digest, (7,))) + "=="))[
        :-4
    ]
    data[0] = 99
    code = base64.urlsafe_b64encode(bytes(data) + artworks._check_sum(bytes(data))).decode().rstrip("=")
    with pytest.raises(Refused, match="newer GAN Play"):
        card.read(with_text(png, **{metadata.PNG_KEY: ""}, Code=code))


def test_a_film_s_strip_and_a_large_figure_are_what_their_cards_say(home, model):
    walk = Artwork("walk", model.digest, (1, 2), seconds=1, fps=4, how="w", easing="smooth", loop=True)
    figure = Artwork("mix_grid", model.digest, (1,), columns=tuple(range(2, 14)), band="coarse")
    for artwork in (walk, figure):  # longer than any picture to learn from may be
        data = artworks.render(home, artwork).png
        assert card.compare(home, data, card.read(data)).same is True


def test_a_truncated_a_tiny_and_a_huge_picture_are_sentences(home, png, monkeypatch):
    for cut in (20, 60, len(png) // 2, len(png) * 9 // 10):
        with pytest.raises(Refused):
            card.compare(home, png[:cut], card.read(png[:cut]))
    text = images.read_text(png)
    dot = images.encode(np.zeros((1, 1, 3), np.uint8), "png", text=text)
    assert "Another picture: 1 x 1" in card.compare(home, dot, card.read(dot)).sentence
    large = images.encode(np.zeros((200, 200, 3), np.uint8), "png", text=text)
    monkeypatch.setattr(
        images.Image, "open", None
    )  # a bomb of 100 megapixels costs as little: its head is enough
    assert "Another picture: 200 x 200" in card.compare(home, large, card.read(large)).sentence


def test_files_of_other_kinds_are_a_sentence(tmp_path, monkeypatch):
    for data in (b"", b"hello", images.encode(np.zeros((32, 32, 3), np.uint8), "jpeg")):
        with pytest.raises(Refused, match="no PNG, GIF, WebP or MP4"):
            card.read(data, "x.jpg")
    with pytest.raises(Refused, match="isn't there"):
        card.read_file(tmp_path / "none.png")
    (tmp_path / "a.png").write_bytes(b"12345")
    monkeypatch.setattr(limits, "MOST_CARD_FILE_BYTES", 4)
    with pytest.raises(Refused, match="larger than"):
        card.read_file(tmp_path / "a.png")


def test_a_card_whose_model_is_gone_can_be_read_and_says_so(home, png):
    foreign = artworks.encode(dataclasses.replace(card.read(png).artwork, model="f" * 16))
    other = with_text(png, **{metadata.PNG_KEY: ""}, Code=foreign)
    with pytest.raises(Refused, match="ffff"):
        card.compare(home, other, card.read(other))


def test_the_command_line_reads_a_file_s_card_and_a_model_s(home, png, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(png)
    assert cli.main(["card", str(tmp_path / "a.png"), "--home", str(home)]) == 0
    said = capsys.readouterr().out
    assert '"same": true' in said and '"operation": "sample"' in said and "Photos by" in said
    (tmp_path / "b.png").write_bytes(b"hello")
    assert cli.main(["card", str(tmp_path / "b.png"), "--home", str(home)]) == 2
    assert cli.main(["card", playground.RUN, "--home", str(home)]) == 0
    assert "Photos by" in capsys.readouterr().out
