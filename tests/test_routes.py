"""Our own addresses and the door before all of them, without a browser."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gan_play import files
from gan_play.pictures import datasets, examples, images
from gan_play.runs import store
from gan_play.ui import routes, server

RUN = "little-abc234"
SECRET = b"nobody's business"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a set, a run with one grid, and a file beside them that no address may reach."""
    home = tmp_path_factory.mktemp("home")
    (home / RUN / "samples").mkdir(parents=True)
    files.write_json(home / RUN / "run.json", {})
    (home / RUN / "samples" / "step-000012.webp").write_bytes(b"the grid")
    (home / "step-000001.webp").write_bytes(SECRET)
    (home / RUN / "owner.json").write_bytes(SECRET)
    taken = examples.take_in_example("fields", home, count=8)
    datasets.make_block(taken.folder, home / RUN / "set", 32)
    return home


@pytest.fixture(scope="module")
def client(home: Path):
    application = FastAPI(routes=routes.routes(home))
    with TestClient(application, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def set_id(home: Path) -> str:
    return next((home / "sets").iterdir()).name


def test_a_grid_is_served_and_kept_for_ever(client: TestClient):
    answer = client.get(f"/gradio_api/run/{RUN}/grid/12.webp")
    assert (answer.status_code, answer.content) == (200, b"the grid")
    assert "immutable" in answer.headers["cache-control"]


def test_small_pictures_of_a_set_are_served(client: TestClient, set_id: str):
    answer = client.get(f"/gradio_api/set/{set_id}/0-96.webp")
    assert answer.status_code == 200 and answer.content[8:12] == b"WEBP"


def test_the_pictures_that_a_run_learns_from_are_served(client: TestClient):
    answer = client.get(f"/gradio_api/run/{RUN}/picture/7.webp")
    assert answer.status_code == 200 and images.read_kept(answer.content).shape == (32, 32, 3)
    assert "immutable" in answer.headers["cache-control"]


def test_in_public_the_pictures_that_a_run_learns_from_are_its_owner_s_alone(home: Path):
    store.own(home / RUN, "a key of the browser")
    with TestClient(FastAPI(routes=routes.routes(home, public=True))) as client:
        address = f"/gradio_api/run/{RUN}/picture/7.webp"
        for asked in ("", "?key=", "?key=a key of the browser", "?key=%00", "?key=%ff", "?key=" + 32 * "0"):
            assert client.get(address + asked).status_code == 404
        answer = client.get(f"{address}?key={store.picture_key(home / RUN)}")
        assert answer.status_code == 200 and "private" in answer.headers["cache-control"]


def test_the_card_of_a_model_is_saved_as_a_file_by_the_name_of_its_run():
    with TestClient(FastAPI(routes=routes.routes(files.SHIPPED)), base_url="http://127.0.0.1") as client:
        answer = client.get("/gradio_api/run/starter-64/card.md")
    assert answer.status_code == 200 and "# Old masters" in answer.text
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="model-card-starter-64.md"'


@pytest.mark.parametrize("how", ["crop", "border", "several"])
def test_each_way_to_make_a_picture_square_is_shown(client: TestClient, set_id: str, how: str):
    answer = client.get(f"/gradio_api/set/{set_id}/square/0-{how}-ff8800.webp")
    assert answer.status_code == 200 and answer.content[8:12] == b"WEBP"


def test_every_example_set_has_a_picture(client: TestClient):
    for name in examples.EXAMPLES:
        assert client.get(f"/gradio_api/example/{name}.webp").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "run/{run}/card.md",  # of a damaged run
        "run/nobody-abc234/card.md",
        "run/..%2f{run}/card.md",
        "run/{run}/grid/13.webp",
        "run/{run}/grid/-1.webp",
        "run/{run}/grid/12.webp.webp",
        "run/{run}/grid/..%2f..%2fstep-000001.webp",
        "run/{run}/grid/99999999999999999999.webp",
        "run/../grid/1.webp",
        "run/..%2f{run}/grid/12.webp",
        "run/%2e%2e/grid/12.webp",
        "run/.%00/grid/12.webp",
        "run/sets/grid/12.webp",
        "run/nobody-abc234/grid/12.webp",
        "run/LITTLE-ABC234/grid/12.webp",
        "run/{run}%2fsamples/grid/12.webp",
        "run/{run}/picture/8.webp",
        "run/{run}/picture/-1.webp",
        "run/{run}/picture/99999999999999999999.webp",
        "run/{run}/picture/0.webp%2f..%2fmanifest.json",
        "run/nobody-abc234/picture/0.webp",
        "run/sets/picture/0.webp",
        "set/{set}/0-95.webp",
        "set/{set}/8-96.webp",
        "set/{set}/-1-96.webp",
        "set/../0-96.webp",
        "set/{set}%2f../0-96.webp",
        "set/ffffffffffffffff/0-96.webp",
        "set/{set}/square/0-stretch-ffffff.webp",
        "set/{set}/square/0-crop-red.webp",
        "set/{set}/square/999999-crop-ffffff.webp",
        "set/{set}/square/0-crop-ffffff%2f..%2f..%2fmanifest.json",
        "example/nothing.webp",
        "example/..%2frun.webp",
    ],
)
def test_what_is_missing_misspelt_or_elsewhere_answers_alike(client: TestClient, set_id: str, path: str):
    answer = client.get("/gradio_api/" + path.format(run=RUN, set=set_id))
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_only_reading_is_allowed(client: TestClient):
    assert client.post(f"/gradio_api/run/{RUN}/grid/12.webp").status_code == 405
    assert client.head(f"/gradio_api/run/{RUN}/grid/12.webp").status_code == 200


# The door


def knock(names: frozenset = frozenset(), addresses: bool = False, **headers: str) -> int:
    """The status of a request with these headers."""
    application = FastAPI()
    application.add_middleware(routes.Door, names=names, addresses=addresses)
    application.add_api_route("/", lambda: "in", methods=["GET", "POST"])
    with TestClient(application, base_url="http://127.0.0.1:7860") as client:
        return client.post("/", headers=headers).status_code


OWN = ["127.0.0.1:7860", "localhost:7860", "localhost", "LOCALHOST:1", "[::1]:7860"]
FOREIGN = [
    "evil.example",
    "evil.example:7860",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example#127.0.0.1",
    "127.0.0.1@evil.example",
    "evil.example\\127.0.0.1",
    "evil.example/127.0.0.1",
    "0x7f000001",
    "2130706433",
    "192.168.1.4",
    "[::2]",
    "[::1",
    "localhost:7860:1",
    "",
    " ",
    "null",
    "*",
]


@pytest.mark.parametrize("host", OWN)
def test_our_own_names_are_let_in(host: str):
    assert knock(host=host) == 200
    assert knock(host=host, origin=f"http://{host.lower()}") == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_host_is_shut_out(host: str):
    assert knock(host=host) == 403


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "https://evil.example:7860",
        "http://localhost:3000",
        "http://127.0.0.1:7861",
        "file://",
        "http://127.0.0.1:7860.evil.example",
        "http://127.0.0.1:7860@evil.example",
        "http://evil.example/127.0.0.1:7860",
        "chrome-extension://127.0.0.1:7860",
        "127.0.0.1:7860",
    ],
)
def test_a_foreign_origin_is_shut_out(origin: str):
    assert knock(origin=origin) == 403


def test_the_public_name_of_a_space_is_let_in_and_its_neighbours_are_not():
    names = frozenset({"me-ganplay.hf.space"})
    assert knock(names, host="me-ganplay.hf.space", origin="https://me-ganplay.hf.space") == 200
    assert knock(names, host="you-ganplay.hf.space") == 403
    assert knock(names, host="me-ganplay.hf.space", origin="https://you-ganplay.hf.space") == 403


def test_a_tunnel_gives_names_of_one_family():
    names = frozenset({"*.gradio.live"})
    assert knock(names, host="0a1b2c.gradio.live", origin="https://0a1b2c.gradio.live") == 200
    assert knock(names, host="gradio.live.evil.example") == 403
    assert knock(names, host="evilgradio.live") == 403


def test_plain_addresses_are_let_in_only_where_the_server_listens_beyond_this_machine():
    assert knock(addresses=True, host="192.168.1.4:7860") == 200
    assert knock(addresses=True, host="evil.example") == 403
    assert knock(addresses=False, host="192.168.1.4:7860") == 403


def test_the_names_come_from_the_flags_and_the_surroundings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPACE_HOST", "Me-GanPlay.hf.space")
    monkeypatch.setenv("GAN_PLAY_HOSTS", "gan.example, other.example")
    assert server.names(None, share=False) == {"me-ganplay.hf.space", "gan.example", "other.example"}
    monkeypatch.delenv("SPACE_HOST")
    monkeypatch.delenv("GAN_PLAY_HOSTS")
    assert server.names(None, share=False) == frozenset()
    assert server.names("10.0.0.7", share=True) == {"10.0.0.7", "*.gradio.live"}


def test_a_port_that_is_taken_is_a_sentence(capsys: pytest.CaptureFixture, tmp_path: Path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert server.main(["--port", str(port), "--home", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err == f"Port {port} is taken or not allowed: choose another one with --port.\n"
    )
