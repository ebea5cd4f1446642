"""The command line keeps its contracts: what is printed last, exit statuses, help, runs that are saved."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from gan_play import cli, files
from gan_play.latent import palette, project
from gan_play.pictures import datasets, examples, images, metadata
from gan_play.refusals import Refused
from gan_play.runs import store, worker
from gan_play.share import artwork, card
from tests import test_music, toys

ROOT = Path(__file__).resolve().parent.parent


def run(capsys: pytest.CaptureFixture, *words: object) -> str:
    """The last line that a verb prints, which must succeed."""
    assert cli.main([str(word) for word in words]) == 0
    return capsys.readouterr().out.splitlines()[-1]


def start(*words: object) -> subprocess.Popen:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "gan_play", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def workers(home: Path) -> list[psutil.Process]:
    """The live workers of all runs in a home."""
    found = (store.worker_of(path.parent) for path in home.glob("*/worker.json"))
    return [process for process in found if process is not None]


@pytest.fixture
def training(tmp_path: Path) -> Iterator[subprocess.Popen]:
    """`train` in a process of its own, for long enough, in the home `tmp_path`; nothing of it outlives the test."""
    options = ["--recipe", "dcgan", "--size", "32", "--steps", "100000", "--device", "cpu"]
    process = start("train", "example:fields", *options, "--home", tmp_path)
    yield process
    process.kill()
    process.communicate()
    for left in workers(tmp_path):
        left.kill()


def wait_for(there: Callable[[], object], process: subprocess.Popen) -> None:
    """Returns once `there()` is true; fails where the process ends before. pytest's timeout ends what hangs."""
    while not there():
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


# Help


@pytest.mark.parametrize("verb", cli.verbs())
def test_each_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture) -> None:
    assert cli.main([verb, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"example: python -m gan_play {verb} " in said
    assert "--home" in said


def test_the_examples_in_the_help_can_be_typed() -> None:
    for verb in cli.verbs():
        with pytest.raises(SystemExit):
            cli.parser().parse_args([verb, "--help"])
    actions = next(action for action in cli.parser()._actions if action.dest == "verb")
    for name, made in actions.choices.items():
        words = made.epilog.removeprefix(f"example: python -m gan_play {name} ").split()
        assert cli.parser().parse_args([name, *words]).does.__name__ == name


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'gradio', 'PIL', 'av', 'psutil'} & set(sys.modules)"
    code = f"import sys; from gan_play import cli; cli.main(['train', '--help']); print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def test_the_help_of_train_names_every_example_set(capsys: pytest.CaptureFixture) -> None:
    from gan_play.pictures.examples import EXAMPLES

    cli.main(["train", "--help"])
    named = re.findall(r"example:(\w+)", capsys.readouterr().out)
    assert named == list(EXAMPLES)


def test_the_version_is_said(capsys: pytest.CaptureFixture) -> None:
    assert run(capsys, "--version").startswith("GAN Play 0.")


# Tables


def test_recipes_are_listed_as_a_table_and_as_json(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["recipes", "--json"]) == 0
    names = [recipe["name"] for recipe in json.loads(capsys.readouterr().out)]
    assert {"projected", "dcgan"} <= set(names)
    assert cli.main(["recipes"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table] == ["name", *names]


def test_runs_are_listed_as_a_table_and_as_json(
    trained: tuple[Path, str], capsys: pytest.CaptureFixture
) -> None:
    home, run_id = trained
    assert cli.main(["runs", "--json", "--home", str(home)]) == 0
    (row,) = (row for row in json.loads(capsys.readouterr().out) if row["id"] == run_id)
    told = {name: row[name] for name in ("name", "recipe", "state", "step")}
    assert told == {"name": "Little sunsets", "recipe": "dcgan", "state": "finished", "step": 2}
    assert cli.main(["runs", "--home", str(home)]) == 0
    assert run_id in capsys.readouterr().out


def test_a_damaged_run_is_listed_and_costs_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "broken-abc123").mkdir()
    (tmp_path / "broken-abc123" / "run.json").write_text("{")
    assert cli.main(["runs", "--json", "--home", str(tmp_path)]) == 0
    (row,) = (row for row in json.loads(capsys.readouterr().out) if row["id"] == "broken-abc123")
    assert row["state"] == "damaged"


def test_a_run_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture) -> None:
    said = cli.table([{"name": "\x1b[31mred\x07\n" + "x" * 500}], ["name"])
    assert said.replace("\n", "").isprintable()
    assert len(said) < 200


# Playing


def test_sample_writes_a_grid(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "new" / "grid.png"
    printed = run(capsys, "sample", trained[1], "--seeds", "0-4", "--out", out, "--home", trained[0])
    assert printed == str(out)
    assert images.decode(out.read_bytes()).shape == (2 * 32 + 2, 3 * 32 + 4, 3)
    check_grid(capsys, out, trained, "a grid of pictures", ["0", "1", "2", "3", "4"])


def check_grid(capsys, out: Path, trained: tuple[Path, str], what: str, seeds: list[str]) -> None:
    """That a grid says all but a code, and that `card` says what it is."""
    text = images.read_text(out.read_bytes())
    assert "Code" not in text and "trainedAlgorithmicMedia" in text[metadata.PNG_KEY]
    assert text["Software"].startswith("GAN Play") and text["Copyright"] and text["Description"]
    assert cli.main(["card", str(out), "--home", str(trained[0])]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["grid"], said["seeds"]) == (what, seeds) and len(said["model"]) == 64
    assert f"is {what}, which no one code paints again" in said["compared"]
    with pytest.raises(Refused, match="no one code"):
        card.read(out.read_bytes(), out.name)


def test_sample_writes_one_png_a_seed_that_render_brings_back(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    home, run_id = trained
    run(capsys, "sample", run_id, "--seeds", "7,123456", "--out", tmp_path / "new", "--home", home)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["seed00007.png", "seed123456.png"]
    png = (tmp_path / "new" / "seed00007.png").read_bytes()
    code = images.read_text(png)["Code"]
    digest = run(capsys, "render", code, "--out", tmp_path / "again.png", "--home", home)
    assert (tmp_path / "again.png").read_bytes() == png
    assert digest == hashlib.sha256(images.decode(png).tobytes()).hexdigest()


def test_mix_writes_a_figure(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, options = tmp_path / "mix.png", ["--rows", "1,2", "--cols", "3-5", "--band", "middle"]
    assert run(capsys, "mix", trained[1], *options, "--out", out, "--home", trained[0]) == str(out)
    assert images.decode(out.read_bytes()).shape == (3 * 34 - 2, 4 * 34 - 2, 3)


def test_breed_writes_children_and_the_row_between_two(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    home, run_id = trained
    out, options = tmp_path / "children", ["--parent", "7", "--hold", "coarse", "--seeds", "1-3"]
    assert run(capsys, "breed", run_id, *options, "--out", out, "--home", home) == str(out)
    pictures = sorted(out.iterdir())
    assert [path.name for path in pictures] == ["child01.png", "child02.png", "child03.png"]
    code = artwork.encode(artwork.read_card(pictures[1].read_bytes()))
    again = tmp_path / "again.png"
    run(capsys, "render", code, "--out", again, "--home", home)
    assert again.read_bytes() == pictures[1].read_bytes()
    out, options = tmp_path / "row.png", ["--parent", code, "--cross", "9", "--seeds", "1-4"]
    assert run(capsys, "breed", run_id, *options, "--out", out, "--home", home) == str(out)
    assert images.decode(out.read_bytes()).shape == (2 * 34 - 2, 2 * 34 - 2, 3)
    check_grid(capsys, out, trained, "a grid of children", [])


def test_directions_are_listed_shown_renamed_and_steer(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    home, run_id = Path(shutil.copytree(trained[0], tmp_path / "home")), trained[1]
    strips, listing = tmp_path / "strips.png", ["directions", run_id, "--count", "3", "--home", str(home)]

    def listed(*more: str) -> list[dict]:
        assert cli.main([*listing, *more, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert run(capsys, *listing, "--picture", "7", "--out", strips) == str(strips)
    assert images.decode(strips.read_bytes()).shape == (3 * 34 - 2, 5 * 34 - 2, 3)
    check_grid(capsys, strips, trained, "a figure of directions", [])
    found = listed("--rename", "sefa2@fine=Dusk, at sea")
    assert [one["direction"] for one in found] == ["sefa1", "sefa2@fine", "sefa3"]
    assert found[1]["name"] == "Dusk, at sea" and found[1]["kept"] and not found[0]["kept"]
    assert not listed("--reset", "sefa2")[1]["kept"]
    out, steps = tmp_path / "steered.png", "light=1,sefa2@coarse=1.5"
    run(capsys, "steer", run_id, "--picture", "7", "--by", steps, "--out", out, "--home", home)
    assert artwork.read_card(out.read_bytes()).steps == (("light", 1.0), ("sefa2@coarse", 1.5))


def test_a_picture_of_one_s_own_is_found_and_painted_towards_colours(
    trained: tuple[Path, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(project, "STARTS", 4)
    monkeypatch.setattr(palette, "STEPS", 25)
    home, run_id = trained
    own, mask, out = tmp_path / "own.png", tmp_path / "mask.png", tmp_path / "found.png"
    run(capsys, "sample", run_id, "--seeds", "7", "--out", own, "--home", home)
    hidden = np.zeros((32, 32, 3), np.uint8)
    hidden[:20] = 255
    mask.write_bytes(images.encode(hidden, "png"))
    options = ["--mask", mask, "--steps", "5", "--out", out, "--home", home]
    assert cli.main(list(map(str, ["project", run_id, own, *options]))) == 0
    said = capsys.readouterr()
    *_, sentence, point, code = said.err.splitlines()
    assert said.out.splitlines()[-1] == str(out) and "away" in sentence
    assert str(artwork.decode(code).seeds[0]) == point
    again = tmp_path / "again.png"
    run(capsys, "render", code, "--out", again, "--home", home)
    assert again.read_bytes() == out.read_bytes()
    towards = ["--picture", code, "--towards", own, "--out", tmp_path / "gold.png", "--home", home]
    assert run(capsys, "palette", run_id, *towards) == str(tmp_path / "gold.png")
    figure = ["--rows", point, "--cols", "3", "--out", tmp_path / "mix.png", "--home", home]
    assert run(capsys, "mix", run_id, *figure) == str(tmp_path / "mix.png")


@pytest.mark.parametrize("ending", ["mp4", "gif", "webp"])
def test_walk_writes_a_film(
    ending: str, trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, options = tmp_path / f"walk.{ending}", ["--seeds", "1,5", "--seconds", "1", "--fps", "8", "--loop"]
    assert run(capsys, "walk", trained[1], *options, "--out", out, "--home", trained[0]) == str(out)
    begins = {"mp4": out.read_bytes()[4:8] == b"ftyp", "gif": out.read_bytes()[:4] == b"GIF8"}
    assert begins.get(ending, out.read_bytes()[8:12] == b"WEBP")


def test_film_writes_a_film_of_keyframes_whose_code_makes_it_again(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    home, run_id = trained
    out, options = tmp_path / "film.mp4", ["--keys", "1:0.5s,5:0.5s:hold=0.5:gentle,9:0.2", "--fps", "8"]
    swept = ["--kind", "spherical", "--sweep", "truncation=0.2..1.2,light=-1..2", "--moves", "middle,fine"]
    assert cli.main([*map(str, ["film", run_id, *options, *swept, "--out", out, "--home", home])]) == 0
    code = capsys.readouterr().err.split()[-1]
    found = artwork.decode(code)
    assert (
        found.truncation == 0.2
        and found.timeline.until == 1.2
        and found.timeline.moving == ("middle", "fine")
    )
    assert [(key.seconds, key.hold, key.easing) for key in found.timeline.keys][1] == (0.5, 0.5, "gentle")
    again = tmp_path / "again.mp4"
    run(capsys, "render", code, "--out", again, "--home", home)
    assert again.read_bytes() == out.read_bytes()


def test_film_moves_to_music_carries_it_and_its_code_needs_the_sound(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    home, run_id = trained
    sound = test_music.write_wav(tmp_path / "beat.wav", test_music.clicks(1.5, 0.5)[0])
    out, options = tmp_path / "film.mp4", ["--keys", "1:1s,5:1s", "--fps", "8", "--loop", "--music", sound]
    react = ["--react", "speed=onset:0.8,truncation=loudness:0.3"]
    assert cli.main([*map(str, ["film", run_id, *options, *react, "--out", out, "--home", home])]) == 0
    code = capsys.readouterr().err.split()[-1]
    found = artwork.decode(code).timeline
    assert found.seconds == 1.5 and [one.amount for one in found.music.reactions] == [0.8, 0.3]
    with av.open(str(out)) as container:
        assert container.streams.video[0].frames == 12
        assert abs(container.duration / av.time_base - 1.5) < 0.03 and container.streams.audio
    for kept in (home / "sounds").iterdir():
        kept.unlink()
    assert cli.main(["render", code, "--home", str(home)]) == 0  # the film itself is still there
    shutil.rmtree(home / "films")
    capsys.readouterr()
    assert cli.main(["render", code, "--home", str(home)]) == 2
    assert "link holds no sound" in capsys.readouterr().err


@pytest.mark.slow
def test_a_shared_code_renders_to_the_same_digest_in_another_process(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    home, run_id = trained
    code = run(capsys, "share", run_id, "--seed", "7", "--home", home)
    assert re.fullmatch(r"[A-Za-z0-9_-]{16,600}", code)
    here = run(capsys, "render", f"https://example.org/?art={code}", "--home", home)
    assert re.fullmatch(r"[0-9a-f]{64}", here)
    elsewhere = start("render", code, "--out", tmp_path / "x.png", "--home", home)
    said, told = elsewhere.communicate(timeout=100)
    assert said.splitlines()[-1] == here
    assert "Identical" in told


def test_an_example_set_is_drawn_on_the_way_with_progress(tmp_path: Path) -> None:
    steps = cli.taking_in("example:sunsets", tmp_path)
    first = next(steps)
    assert first.sentence.startswith("Drawing: sunsets") and first.total == 400
    steps.close()
    assert not list(tmp_path.glob("sets/*"))  # broken off, nothing is kept


def test_evaluate_prints_scores_as_json(trained: tuple[Path, str], capsys: pytest.CaptureFixture) -> None:
    home, run_id = trained
    assert cli.main(["evaluate", run_id, "--pictures", "16", "--home", str(home)]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["kid_low"] < scores["kid"] < scores["kid_high"]
    assert (scores["run"], scores["step"], scores["real_pictures"]) == (run_id, 2, 16)
    assert (scores["features"], scores["fake_pictures"]) == ("lite2", 16)
    assert "lite2" in scores["note"]
    assert scores["fid"] > 0 and scores["inception_score"] >= 1 and scores["density"] >= 0
    assert all(0 <= scores[name] <= 1 for name in ("precision", "recall", "coverage"))


def test_evaluate_compares_with_what_was_held_back_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HELD_BACK_FROM", 12), ("HELD_BACK_SHARE", 2), ("LEAST_COMPARED", 6)):
        monkeypatch.setattr(datasets, name, value)
    run_id = toys.a_run(tmp_path, steps=1)
    assert worker.work(tmp_path / run_id) == 0
    found = []
    for least, beside, reals in ((6, "held back", 6), (7, "all", 12)):
        monkeypatch.setattr(datasets, "LEAST_COMPARED", least)
        assert cli.main(["evaluate", run_id, "--pictures", "16", "--home", str(tmp_path)]) == 0
        found.append(scores := json.loads(capsys.readouterr().out))
        assert (scores["beside"], scores["real_pictures"], scores["held_back_pictures"]) == (beside, reals, 6)
        assert ("held back from training" in scores["note"]) == (beside == "held back")
    one, other = found
    assert one["kid_beside_held_back"] == other["kid_beside_held_back"]
    assert one["kid_beside_held_back"]["kid"] == pytest.approx(one["kid"])
    assert one["kid_beside_learnt"]["low"] < one["kid_beside_learnt"]["kid"] != one["kid"]


def test_evaluate_through_a_network_that_is_not_there_says_how_to_get_it(
    trained: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    home, run_id = trained
    options = ["--features", "inception", "--weights", str(tmp_path / "none.pth"), "--home", str(home)]
    assert cli.main(["evaluate", run_id, *options]) == 2
    assert "lite2, which works offline" in capsys.readouterr().err


# The report on a set


def test_doctor_reports_in_words_and_in_json_and_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("GAN_PLAY_HOME", str(tmp_path / "home"))
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(images.encode(examples.draw("fields", seed, 64), "png"))
    (tmp_path / "bad.jpg").write_bytes(b"")
    assert cli.main(["doctor", str(tmp_path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["accepted"] == 3
    assert [refusal["reason"] for refusal in report["refused"]] == ["empty"]
    assert cli.main(["doctor", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert report["verdict"] in said.splitlines()
    assert "bad.jpg is empty" in said
    assert not (tmp_path / "home").exists()


def test_train_can_leave_duplicates_out_and_doctor_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(cli, "watch", lambda home, run_id: print(run_id) or 0)  # the run need not train
    pictures, home = tmp_path / "pictures", tmp_path / "home"
    pictures.mkdir()
    for i in range(12):
        (pictures / f"{i:02d}.png").write_bytes(images.encode(examples.draw("fields", i % 10, 64), "png"))
    assert cli.main(["doctor", str(pictures)]) == 0
    assert "The same: 00.png can stay; can be spared: 10.png" in capsys.readouterr().out.splitlines()
    options = ["--recipe", "dcgan", "--size", "32", "--steps", "1", "--device", "cpu", "--home", str(home)]
    assert cli.main(["train", str(pictures), "--drop", "duplicates", *options]) == 0
    run = capsys.readouterr()
    assert "2 pictures were dropped (duplicates)." in run.err
    about = json.loads((home / run.out.strip() / "run.json").read_text())
    assert len(datasets.read_manifest(home / "sets" / about["set"]["id"])["pictures"]) == 10


# Training


def test_a_run_folder_keeps_its_contract(trained: tuple[Path, str]) -> None:
    home, run_id = trained
    folder = home / run_id
    line = files.read_lines_json(folder / "stats.jsonl")[-1]
    contract = {"step", "images_seen", "seconds", "images_per_second", "loss_g", "loss_d"}
    assert contract <= set(line)
    latest = files.read_json(folder / "latest.json")
    assert latest["step"] == 2
    assert files.sha256(folder / latest["file"]) == latest["sha256"]
    assert (folder / "samples" / "step-000002.webp").exists() or list(
        (folder / "samples").glob("step-*.webp")
    )
    assert files.read_json(folder / "samples" / "seeds.json")["seeds"] == list(range(36))


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_saves_the_run_and_resume_goes_on(
    training: subprocess.Popen, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    wait_for(lambda: any(row.step for row in store.list_runs(tmp_path) if not row.shipped), training)
    training.send_signal(signal.SIGINT)
    said, told = training.communicate()
    assert training.returncode == 130, told
    assert "Traceback" not in told
    run_id = said.splitlines()[-1]
    stopped = store.status(tmp_path, run_id)
    assert stopped["state"] == "stopped"
    assert workers(tmp_path) == []
    saved = files.read_json(tmp_path / run_id / "latest.json")["step"]
    assert saved == stopped["step"] > 0
    assert run(capsys, "resume", run_id, "--steps", saved + 1, "--home", tmp_path) == run_id
    assert store.status(tmp_path, run_id)["step"] == saved + 1


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_stop_ends_a_run_that_another_terminal_watches(
    training: subprocess.Popen, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    wait_for(lambda: workers(tmp_path), training)
    (run_id,) = (path.parent.name for path in tmp_path.glob("*/run.json"))
    assert run(capsys, "stop", run_id, "--home", tmp_path) == run_id
    said, _ = training.communicate()
    assert (training.returncode, said) == (0, run_id + "\n")
    assert store.status(tmp_path, run_id)["state"] == "stopped"
    assert workers(tmp_path) == []


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_that_dies_is_told_and_nothing_hangs(training: subprocess.Popen, tmp_path: Path) -> None:
    wait_for(lambda: workers(tmp_path), training)
    workers(tmp_path)[0].kill()
    said, told = training.communicate()
    assert training.returncode == 1, told
    assert f"resume {said.splitlines()[-1]}" in told
    assert "Traceback" not in told


def test_a_run_is_named_after_its_pictures() -> None:
    assert cli.default_name("example:sunsets") == "sunsets"
    assert cli.default_name("/home/me/Van Gogh/") == "Van Gogh"
    assert cli.default_name("my.paintings.zip") == "my.paintings"
    assert cli.default_name("x" * 300) == "x" * 40


def test_the_clock_is_read_like_a_clock() -> None:
    assert [cli.clock(seconds) for seconds in (7, 59.6, 750, 3723)] == ["0:07", "1:00", "12:30", "1:02:03"]


def test_doctor_names_pictures_that_are_far_from_all_others(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for i in range(30):
        kind = "rosettes" if i in (3, 17) else "mountains"
        (tmp_path / f"{i:02d}.png").write_bytes(images.encode(examples.draw(kind, i, 64), "png"))
    assert cli.main(["doctor", str(tmp_path), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["outliers"]) == {"03.png", "17.png"}
