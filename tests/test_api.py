"""The endpoints for programs, through `gradio_client` as a program uses them."""

import os
import socket
import time
from pathlib import Path

import numpy as np
import pytest

from gan_play.pictures import images

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


@pytest.fixture(scope="module")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def client_of(address: str):
    from gradio_client import Client

    return Client(
        address, verbose=False, analytics_enabled=False, httpx_kwargs={"timeout": 120}
    )  # a busy machine is no failure


@pytest.fixture(scope="module")
def open_page(tmp_path_factory: pytest.TempPathFactory):
    """Serves a home; all servers are closed in the end."""
    from gan_play.ui import server

    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("uploads"))
    opened = []

    def serve(home: Path, public: bool = False) -> str:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        blocks, address = server.launch(str(home), port=port, public=public, wait=False)
        opened.append(blocks)
        return address

    yield serve
    for blocks in opened:
        blocks.close()


@pytest.fixture(scope="module")
def client(open_page, server_home: Path):
    return client_of(open_page(server_home))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(9):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        (folder / f"{i}.png").write_bytes(images.encode(pixels, "png"))
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def set_id(client, pictures: list[Path]) -> str:
    from gradio_client import handle_file

    found, report = client.predict([handle_file(path) for path in pictures], api_name="/create_set")
    assert report["accepted"] == 9 and report["set_id"] == found
    return found


def wait_for(client, run: str, *states: str) -> dict:
    """The status of a run once it is in one of the states; whatever else happens is a failure."""
    until = time.monotonic() + 400  # a busy machine is no failure
    while time.monotonic() < until:
        status = client.predict(run, api_name="/run_status")
        if status["state"] in states:
            return status
        assert status["state"] in ("queued", "preparing", "training"), status
        time.sleep(0.2)
    raise AssertionError(f"the run never became {states}: {status}")


def refusal(call) -> str:
    """The sentence with which a call is refused."""
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as error:
        call()
    assert "Traceback" not in str(error.value)
    return str(error.value)


def test_the_promised_names_are_there(client):
    promised = {
        "create_set",
        "start_run",
        "run_status",
        "pause_run",
        "resume_run",
        "sample",
        "mix",
        "walk",
        "render",
    }
    names = {name.strip("/") for name in client.view_api(return_format="dict")["named_endpoints"]}
    assert promised <= names
    assert not {name for name in names if name.startswith("ui_")}


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_is_started_paused_resumed_and_stopped(client, set_id: str):
    run = client.predict(set_id, "dcgan", 32, 5, 0, api_name="/start_run")
    status = wait_for(client, run, "training")
    assert {"step", "images_per_second", "seconds_left", "last_grid", "score"} <= set(status)
    client.predict(run, api_name="/pause_run")
    paused = wait_for(client, run, "paused")
    client.predict(run, api_name="/resume_run")
    assert wait_for(client, run, "training")["step"] >= paused["step"]
    client.predict(run, api_name="/stop_run")
    assert wait_for(client, run, "stopped")["last_grid"] is not None
    assert run in {one["id"] for one in client.predict(api_name="/list_runs")}


@pytest.mark.parametrize("run", ["", "nobody-abc234", "../..", "<b>", "a" * 5000, "sets", "${alert(1)}"])
def test_an_unknown_run_is_a_sentence(client, run: str):
    for name in ("/run_status", "/pause_run", "/resume_run", "/stop_run"):
        assert "run" in refusal(lambda name=name: client.predict(run, api_name=name)).lower()


@pytest.mark.parametrize(
    "wish",
    [
        {"set_id": "0" * 16},
        {"set_id": "../../etc"},
        {"recipe": "stylegan9"},
        {"size": 65},
        {"size": -64},
        {"minutes": 0},
        {"minutes": 1e300},
        {"seed": -1},
        {"seed": 2**64},
        {"start": "nobody-abc234"},
        {"how": "stretch"},
        {"name": "x" * 500},
    ],
    ids=str,
)
def test_an_impossible_wish_is_a_sentence_and_leaves_nothing(
    client, server_home: Path, set_id: str, wish: dict
):
    before = set(server_home.iterdir())
    asked = {"set_id": set_id, "recipe": "dcgan", "size": 32, "minutes": 1, "seed": 0} | wish
    assert len(refusal(lambda: client.predict(**asked, api_name="/start_run"))) <= 160
    assert set(server_home.iterdir()) == before


def test_a_file_that_was_not_uploaded_is_not_read(client, pictures: list[Path]):
    sneaked = [{"path": str(pictures[0])}]
    assert "didn't come through this page" in refusal(lambda: client.predict(sneaked, api_name="/create_set"))


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_where_strangers_come_a_run_needs_its_key(open_page, tmp_path: Path, pictures: list[Path]):
    from gradio_client import handle_file

    from gan_play.runs import store

    client = client_of(open_page(tmp_path, public=True))
    set_id, _ = client.predict([handle_file(path) for path in pictures], api_name="/create_set")
    wish = {"set_id": set_id, "recipe": "dcgan", "size": 32, "minutes": 5, "api_name": "/start_run"}
    assert "key" in refusal(lambda: client.predict(**wish))
    run = client.predict(**wish, key="correct horse")
    for key in ("", "wrong horse"):
        assert "started" in refusal(lambda key=key: client.predict(run, key=key, api_name="/stop_run"))
    assert store.wish_of(tmp_path / run) == "train"
    assert run not in {one["id"] for one in client.predict(api_name="/list_runs")}
    assert run in {one["id"] for one in client.predict("correct horse", api_name="/list_runs")}
    assert "One training at a time" in refusal(lambda: client.predict(**wish, key="correct horse"))
    client.predict(run, key="correct horse", api_name="/stop_run")
    assert store.wish_of(tmp_path / run) == "stop"
    wait_for(client, run, "stopped")


def path_in(answer: object) -> Path:
    """Where the client put a file that was returned."""
    return Path(answer["path"] if isinstance(answer, dict) else answer)


def test_pictures_mixes_walks_and_codes_go_through_the_endpoints(client, tmp_path, monkeypatch):
    import test_music
    from gradio_client import handle_file

    from gan_play.latent import palette, project
    from gan_play.pictures import images
    from gan_play.share import artwork as artworks
    from gan_play.share import family
    from gan_play.translate import style
    from gan_play.ui import child

    monkeypatch.setattr(project, "STARTS", 4)
    monkeypatch.setattr(palette, "STEPS", 25)
    run = "starter-64"
    pictures = client.predict(run, "1, 5", 0.7, api_name="/sample")
    data = [path_in(picture).read_bytes() for picture in pictures]
    assert [images.decode(one).shape for one in data] == [(64, 64, 3)] * 2
    code = artworks.encode(artworks.read_card(data[1]))
    brought, sha256, sentence = client.predict(code, api_name="/render")
    assert path_in(brought).read_bytes() == data[1]
    assert len(sha256) == 64 and sentence
    figure, code = client.predict(run, "1,2", "3,4,5", "fine", 0.7, api_name="/mix")
    assert images.decode(path_in(figure).read_bytes()).shape[1] > 4 * 64
    assert path_in(client.predict(code, api_name="/render")[0]).read_bytes() == path_in(figure).read_bytes()
    children, codes = client.predict(run, "7", "", 0.4, "coarse", "1-3", api_name="/breed")
    assert [path_in(child).read_bytes()[:4] for child in children] == [b"\x89PNG"] * 3 and len(
        set(codes)
    ) == 3
    row, codes = client.predict(run, codes[0], codes[1], 0.4, "", "1-4", api_name="/breed")
    assert family.plain(artworks.encode(artworks.read_card(path_in(row[2]).read_bytes()))) == codes[2]
    lighter, code = client.predict(run, "7", "light=1.5, warmth=-1", api_name="/steer")
    assert artworks.decode(code).steps == (("light", 1.5), ("warmth", -1.0))
    alone = client.predict(run, "7", 0.7, api_name="/sample")[0]
    means = [images.decode(path_in(one).read_bytes()).mean() for one in (lighter, alone)]
    assert means[0] > means[1] + 10
    first, second = client.predict(run, 2, "sefa1@fine=Evening", api_name="/directions")
    assert (first["direction"], first["name"], first["kept"]) == ("sefa1@fine", "Evening", True)
    assert second["name"] == second["proposed"] and len(second["changes"]) == 9
    assert not client.predict(run, 1, "", "sefa1", api_name="/directions")[0]["kept"]
    _, code = client.predict(run, "7", "sefa1@fine=-1, light=1", api_name="/steer")
    assert artworks.decode(code).steps == (("light", 1.0), ("sefa1@fine", -1.0))
    golden, code, point = client.predict(run, "7", "#d4a017, #3b2a1a", api_name="/palette")
    assert [str(seed) for seed in artworks.decode(code).seeds] == [point]
    found, code, distance, point = client.predict(
        run, handle_file(path_in(golden)), None, 25, api_name="/project"
    )
    assert 0 < distance < 1
    assert path_in(client.predict(run, point, 0.7, api_name="/sample")[0]).stat().st_size > 1000
    film, code = client.predict(run, "1,5", 1, True, "mp4", api_name="/walk")
    assert path_in(film).read_bytes()[4:8] == b"ftyp"
    assert artworks.decode(code).seeds == (1, 5)
    film, code = client.predict(run, "1:0.5s,5:0.5s:hold=0.2", "breathe", api_name="/film")
    assert path_in(film).read_bytes()[4:8] == b"ftyp"
    assert artworks.decode(code).timeline.keys[1].hold == 0.2
    sound = test_music.write_wav(tmp_path / "beat.wav", test_music.clicks(1.2, 0.5)[0])
    film, code = client.predict(run, "1,5", sound=handle_file(str(sound)), fps=8, api_name="/film")
    assert b"mp4a" in path_in(film).read_bytes() and artworks.decode(code).timeline.seconds == 1.2
    monkeypatch.setattr(style, "STEPS", (1, 2))
    monkeypatch.setattr(child, "following", lambda work, *given: work(*given))
    painted, far, moved = client.predict(
        handle_file(path_in(golden)), [handle_file(path_in(lighter))], size=64, api_name="/style"
    )
    assert images.png_size(path_in(painted).read_bytes()) == (64, 64)
    assert far > 0 and 0 < moved < 1
    painted = client.predict(
        handle_file(path_in(golden)), [handle_file(path_in(lighter))], size=80, api_name="/style_at_once"
    )
    assert images.png_size(path_in(painted).read_bytes()) == (80, 80)
    with pytest.raises(Exception, match="no style to paint in"):
        client.predict(handle_file(path_in(golden)), size=64, api_name="/style")
    shared = client.predict(run, 7, 0.7, api_name="/share")
    assert "dentical" in client.predict(shared, api_name="/render")[2]


@pytest.mark.parametrize(
    "call",
    [
        ("/sample", "starter-64", "one", 0.7),
        ("/sample", "starter-64", "0-999999", 0.7),
        ("/sample", "starter-64", "1", 99),
        ("/sample", "../x", "1", 0.7),
        ("/mix", "starter-64", "1", "", "fine", 0.7),
        ("/mix", "starter-64", "1", "2", "finest", 0.7),
        ("/walk", "starter-64", "1", 4, True, "mp4"),
        ("/walk", "starter-64", "1,2", 1e9, True, "mp4"),
        ("/walk", "starter-64", "1,2", 4, True, "exe"),
        ("/film", "starter-64", "1:2s:sideways,2"),
        ("/film", "starter-64", "1"),
        ("/film", "starter-64", "1,2", "jump"),
        ("/breed", "starter-64", "one", "", 0.3),
        ("/breed", "starter-64", "1", "", 1.3),
        ("/breed", "starter-64", "1", "", 0.3, "coarse, middle, fine"),
        ("/steer", "starter-64", "1", "joy=1"),
        ("/steer", "starter-64", "1", "light=99"),
        ("/steer", "starter-64", "1", "sefa65=1"),
        ("/directions", "starter-64", 41),
        ("/directions", "starter-64", 1, "sefa1="),
        ("/directions", "starter-64", 1, "", "sefa1@sky"),
        ("/palette", "starter-64", "1", "red"),
        ("/palette", "starter-64", "one", "#000000"),
        ("/render", "<script>alert(1)</script>"),
        ("/render", ""),
    ],
    ids=str,
)
def test_impossible_playing_is_a_sentence(client, call):
    name, *asked = call
    assert len(refusal(lambda: client.predict(*asked, api_name=name))) <= 160


def test_works_are_kept_found_liked_and_removed(open_page, tmp_path: Path):
    from playground import run_in

    from gan_play.latent import sample
    from gan_play.share import artwork as artworks
    from gan_play.share import gallery

    run_in(tmp_path)
    client = client_of(open_page(tmp_path, public=True))
    digest = sample.load(tmp_path, "toy-000000").digest
    code, other = (artworks.encode(artworks.Artwork("sample", digest, (seed,))) for seed in (7, 8))
    mine = {"key": "a secret of mine"}
    kept = client.predict(code, name="Dusk", notes="for Ada", api_name="/keep", **mine)
    assert kept["name"] == "Dusk" and kept["labels"] == [] and kept["model_name"] == "Toy"
    assert client.predict(code, True, [other], api_name="/like", **mine) == 1
    found = client.predict(text="ada", order="liked", api_name="/gallery", **mine)
    assert found["count"] == 1 and found["works"][0]["liked"] and found["works"][0]["id"] == kept["id"]
    assert client.predict(api_name="/gallery", key="somebody else's")["count"] == 0
    with pytest.raises(Exception, match="key of 8"):
        client.predict(api_name="/gallery")
    assert client.predict(kept["id"], name="Dawn", api_name="/describe", **mine)["name"] == "Dawn"
    assert client.predict([kept["id"]], api_name="/remove", **mine) == 1
    assert client.predict(api_name="/bring_back", **mine) == 1
    with pytest.raises(Exception, match="no link that you made"):
        client.predict(code, api_name="/withdraw", **mine)
    gallery.send(tmp_path, "anna", code)
    assert client.predict(code, api_name="/render")[1]
    gallery.withdraw(tmp_path, "anna", code)
    with pytest.raises(Exception, match="was withdrawn"):
        client.predict(code, api_name="/render")


def test_two_models_are_blended_by_a_program(client, server_home):
    import playground

    from gan_play import files

    playground.run_in(server_home, run_id="toy-aaaaaa")
    playground.run_in(server_home, run_id="toy-bbbbbb", seed=1)
    path = server_home / "toy-bbbbbb" / "run.json"
    files.write_json(path, files.read_json(path) | {"started_from": {"run": "toy-aaaaaa"}})
    run = client.predict("toy-aaaaaa", "toy-bbbbbb", 0.25, fine="1", name="Between", api_name="/blend")
    weights = files.read_json(server_home / run / "run.json")["blend"]["weights"]
    assert weights == {"coarse": 0.25, "middle": 0.25, "fine": 1.0, "mapping": 0.25}
    assert len(client.predict(run, "1,2", api_name="/sample")) == 2
    with pytest.raises(Exception, match="is the same model"):
        client.predict("toy-aaaaaa", "toy-aaaaaa", api_name="/blend")
    with pytest.raises(Exception, match="is a blend"):
        client.predict(run, api_name="/resume_run")


def test_a_picture_is_translated_and_its_code_renders_it(open_page, tmp_path):
    import playground
    from gradio_client import handle_file

    playground.translator_in(tmp_path)
    client = client_of(open_page(tmp_path))
    pixels = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    (tmp_path / "own.png").write_bytes(images.encode(pixels, "png"))
    sent = handle_file(str(tmp_path / "own.png"))
    made, code = client.predict(playground.TRANSLATOR, sent, 0.8, api_name="/translate")
    again, _, sentence = client.predict(code, api_name="/render")
    assert path_in(made).read_bytes() == path_in(again).read_bytes() and "recipe" in sentence
    with pytest.raises(Exception, match="how strong"):
        client.predict(playground.TRANSLATOR, sent, 5, api_name="/translate")
