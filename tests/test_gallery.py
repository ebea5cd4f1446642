"""The gallery on disk: kept, found, described, removed, brought back; and what happens to its file."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
import time
import zipfile

import pytest

from gan_play import limits
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import database, gallery
from gan_play.share.artwork import Artwork
from gan_play.share.gallery import Query, Work

MODEL, PNG = "0123456789abcdef", b"\x89PNG\r\n\x1a\n and so on"
ANNA, BERT = gallery.owner_of("anna's key"), gallery.owner_of("bert's key")


def code(seed: int, model: str = MODEL) -> str:
    return artworks.encode(Artwork("sample", model, (seed,)))


def work(seed: int, owner: str = ANNA, **more) -> Work:
    about = {"model_name": "Sunsets", "labels": (), "title": f"Seed {seed}, Sunsets, 64 px", "size_px": 64}
    about |= {"sha256": "", "how": "kept", "at": 1000.0 + seed} | more
    recipe = code(seed)
    return Work(gallery.id_of(owner, recipe), owner, recipe, recipe, "sample", MODEL, **about)


def keep(home, seed: int, owner: str = ANNA, **more) -> Work:
    return gallery.keep(home, work(seed, owner, **more), PNG)


def seeds(home, owner=ANNA, **asked) -> list[int]:
    return [artworks.decode(one.code).seeds[0] for one in gallery.find(home, owner, Query(**asked))[0]]


def test_works_are_found_by_name_notes_and_title_by_model_and_label_and_in_four_orders(tmp_path):
    keep(tmp_path, 1, labels=("dusk", "sea, north"))
    keep(tmp_path, 2, model_name="Faces", title="Seed 2, Faces, 64 px")
    keep(tmp_path, 3, labels=("dusk and more",))
    gallery.describe(tmp_path, ANNA, work(3).id, "  Ångström\n at 100%_ ", "for\r\nAda")
    gallery.like(tmp_path, ANNA, code(2))
    assert seeds(tmp_path) == [3, 2, 1] and seeds(tmp_path, order="oldest") == [1, 2, 3]
    assert seeds(tmp_path, order="liked") == [2, 3, 1] and seeds(tmp_path, order="name") == [1, 2, 3]
    assert seeds(tmp_path, text="ÅNGSTRÖM ada") == [3] and seeds(tmp_path, text="seed 2") == [2]
    assert (
        seeds(tmp_path, text="100%_") == [3]
        and seeds(tmp_path, text="%") == [3]
        and seeds(tmp_path, text="'") == []
    )
    assert seeds(tmp_path, model="Faces") == [2] and seeds(tmp_path, label="dusk") == [1]
    assert gallery.choices(tmp_path, ANNA) == (["Faces", "Sunsets"], ["dusk", "dusk and more", "sea, north"])
    (found,) = gallery.by_ids(tmp_path, ANNA, [work(3).id])
    assert (found.name, found.notes, found.labels) == ("Ångström at 100%_", "for\nAda", ("dusk and more",))
    with pytest.raises(Refused, match="no order"):
        Query(order="id; DROP TABLE works")


def test_pages_follow_each_other_and_count_all(tmp_path):
    for seed in range(7):
        keep(tmp_path, seed)
    pages = [gallery.find(tmp_path, ANNA, first=first, most=3) for first in (0, 3, 6, 9)]
    assert [len(found) for found, _ in pages] == [3, 3, 1, 0] and {count for _, count in pages} == {7}


def test_each_owner_has_works_likes_and_links_of_their_own_and_at_home_all_are_one(tmp_path):
    for owner in (ANNA, BERT):
        keep(tmp_path, 1, owner)
    keep(tmp_path, 2, BERT)
    gallery.like(tmp_path, BERT, code(1))
    gallery.send(tmp_path, BERT, code(1))
    assert seeds(tmp_path) == [1] and seeds(tmp_path, BERT) == [2, 1] and len(seeds(tmp_path, None)) == 3
    assert not gallery.is_liked(tmp_path, ANNA, code(1)) and gallery.is_liked(tmp_path, None, code(1))
    asked = (gallery.by_code(tmp_path, ANNA, code(1)), *gallery.by_ids(tmp_path, ANNA, [work(1).id]))
    assert not any(one.liked for one in asked) and gallery.by_code(tmp_path, BERT, code(1)).liked
    assert not gallery.find(tmp_path, ANNA)[0][0].liked and gallery.sent(tmp_path, ANNA) == []
    mine = work(1, BERT).id
    with pytest.raises(Refused, match="any more"):
        gallery.describe(tmp_path, ANNA, mine, "stolen", "")
    with pytest.raises(Refused, match="no link that you made"):
        gallery.withdraw(tmp_path, ANNA, code(1))
    assert gallery.remove(tmp_path, ANNA, [mine]) == 0 and gallery.by_ids(tmp_path, ANNA, [mine]) == []


def test_what_was_removed_comes_back_with_its_name_for_a_day(tmp_path, monkeypatch):
    for seed in (1, 2, 3):
        keep(tmp_path, seed)
    gallery.describe(tmp_path, ANNA, work(1).id, "Dusk", "")
    assert gallery.remove(tmp_path, ANNA, [work(1).id, work(2).id, "nonsense"]) == 2
    assert (
        seeds(tmp_path) == [3] and gallery.bring_back(tmp_path, BERT) == gallery.removed(tmp_path, BERT) == 0
    )
    assert gallery.removed(tmp_path, ANNA) == gallery.removed(tmp_path, None) == 2
    assert gallery.bring_back(tmp_path, ANNA) == 2 and seeds(tmp_path, text="dusk") == [1]
    gallery.remove(tmp_path, ANNA, [work(1).id])
    assert keep(tmp_path, 1) and seeds(tmp_path, text="dusk") == [1]  # kept again
    gallery.remove(tmp_path, ANNA, [work(1).id])
    later = time.time() + gallery.UNDO_S + 1
    monkeypatch.setattr(gallery.time, "time", lambda: later)
    assert gallery.removed(tmp_path, ANNA) == 0
    keep(tmp_path, 4)
    assert gallery.bring_back(tmp_path, ANNA) == 0 and not gallery.picture_path(tmp_path, work(1).id).exists()
    assert gallery.picture_path(tmp_path, work(2).id).read_bytes() == PNG


def test_a_full_gallery_and_a_full_disk_are_sentences(tmp_path, monkeypatch):
    for seed in (1, 2):
        gallery.keep(tmp_path, work(seed), PNG, most=2)
    with pytest.raises(Refused, match="holds 2 works"):
        gallery.keep(tmp_path, work(3), PNG, most=2)
    gallery.keep(tmp_path, work(2), PNG, most=2)  # it is there
    gallery.remove(tmp_path, ANNA, [work(1).id])
    gallery.keep(tmp_path, work(3), PNG, most=2)  # what was removed makes room
    assert seeds(tmp_path) == [3, 2] and gallery.removed(tmp_path, ANNA) == 0
    assert not gallery.picture_path(tmp_path, work(1).id).exists()
    gallery.remove(tmp_path, ANNA, [work(2).id])
    gallery.keep(tmp_path, work(2), PNG, most=2)
    assert seeds(tmp_path) == [3, 2] and gallery.picture_path(tmp_path, work(2).id).exists()
    monkeypatch.setattr(gallery.files, "free_bytes", lambda path: 0)
    with pytest.raises(Refused, match="disk is full"):
        keep(tmp_path, 4)


def test_a_zip_holds_the_pictures_and_a_table_of_their_codes(tmp_path):
    for seed in (1, 2, 3):
        keep(tmp_path, seed, title=f"=HYPERLINK({seed})")
    gallery.describe(tmp_path, ANNA, work(2).id, "../../Größe", 'with "quotes",\nlines')
    gallery.picture_path(tmp_path, work(3).id).unlink()  # somebody removed it by hand
    gallery.pack(tmp_path, gallery.find(tmp_path, ANNA)[0], tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = archive.namelist()
        table = list(csv.DictReader(io.StringIO(archive.read("works.csv").decode("utf-8-sig"))))
        assert archive.read("0003-hyperlink-1.png") == PNG
    assert names == ["works.csv", "0002-gr-sse.png", "0003-hyperlink-1.png"]
    assert [row["code"] for row in table] == [code(3), code(2), code(1)]
    assert table[1]["notes"] == 'with "quotes",\nlines' and table[0]["title"].startswith("'=")


# Works of before


def old_work(home, seed: int, **changes) -> str:
    """A work as it was kept before there was a database."""
    name = f"{seed:024x}"
    about = {"code": code(seed), "operation": "sample", "title": f"Seed {seed}, Old, 64 px", "size_px": 64}
    about |= {"sha256": "ab", "how": "kept", "time": 500 + seed, "owner": ANNA} | changes
    (home / "gallery").mkdir(exist_ok=True)
    (home / "gallery" / f"{name}.png").write_bytes(PNG)
    (home / "gallery" / f"{name}.json").write_text(json.dumps(about))
    return name


def test_works_of_before_move_over_once_and_damaged_ones_stay_where_they_are(tmp_path):
    names = [old_work(tmp_path, seed) for seed in (1, 2)]
    for name, text in {
        "a": "",
        "b": "{",
        "c": "[]",
        "d": '{"code": 5}',
        "e": '{"code": "AAAA", "how": "kept"}',
    }.items():
        (tmp_path / "gallery" / f"{name}.json").write_text(text)
    assert seeds(tmp_path) == [2, 1] and seeds(tmp_path, text="old") == [2, 1]
    assert [one.id for one in gallery.find(tmp_path, ANNA)[0]] == names[::-1]
    assert sorted(path.stem for path in (tmp_path / "gallery").glob("*.json")) == list("abcde")
    assert gallery.picture_path(tmp_path, names[0]).read_bytes() == PNG
    keep(tmp_path, 1)  # known by its recipe, though its id was made in another way
    assert seeds(tmp_path) == [2, 1]


def test_a_move_that_was_killed_half_way_goes_on(tmp_path):
    for seed in (1, 2, 3):
        old_work(tmp_path, seed)
    before = {path: path.read_bytes() for path in (tmp_path / "gallery").glob("*.json")}
    assert len(seeds(tmp_path)) == 3
    for path, data in before.items():  # killed after the rows were written, before the files were removed
        path.write_bytes(data)
    gallery._moved.clear()
    assert seeds(tmp_path) == [3, 2, 1] and not list((tmp_path / "gallery").glob("*.json"))


MOVING = """
import sys
from pathlib import Path
from gan_play.share import gallery
print("ready", flush=True)
gallery.find(Path(sys.argv[1]), None)
"""


@pytest.mark.slow  # each process loads torch
@pytest.mark.timeout(600)
def test_a_kill_at_any_moment_of_the_move_loses_nothing(tmp_path):
    for seed in range(300):
        old_work(tmp_path, seed)
    for after_s in (0.0, 0.005, 0.02, 0.05, 0.1, 0.2):
        child = subprocess.Popen([sys.executable, "-c", MOVING, str(tmp_path)], stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(after_s)
        child.kill()
        child.wait()
        child.stdout.close()
    assert len(gallery.find(tmp_path, None, most=999)[0]) == 300


# Its file


def every_ask(home):
    yield lambda: gallery.find(home, ANNA)
    yield lambda: gallery.choices(home, ANNA)
    yield lambda: keep(home, 1)
    yield lambda: gallery.like(home, ANNA, code(1))
    yield lambda: gallery.likes(home, ANNA)
    yield lambda: gallery.send(home, ANNA, code(1))
    yield lambda: gallery.sent(home, ANNA)


def test_a_damaged_file_is_a_sentence_and_stays_as_it_is_and_links_still_open(tmp_path):
    for data in (b"no database at all" * 100, b"SQLite format 3\0" + b"\1" * 5000):
        (tmp_path / gallery.FILE).write_bytes(data)
        for ask in every_ask(tmp_path):
            with pytest.raises(Refused, match="is damaged"):
                ask()
        assert (tmp_path / gallery.FILE).read_bytes() == data
        gallery.check_alive(tmp_path, code(1))


def test_another_program_s_file_and_a_newer_one_are_sentences(tmp_path):
    with sqlite3.connect(tmp_path / gallery.FILE) as file:
        file.execute("CREATE TABLE works (a, b)")
    file.close()
    for ask in (lambda: gallery.find(tmp_path, ANNA), lambda: keep(tmp_path, 1)):
        with pytest.raises(Refused, match="is damaged"):
            ask()
    with sqlite3.connect(tmp_path / gallery.FILE) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    for ask in every_ask(tmp_path):
        with pytest.raises(Refused, match="newer GAN Play"):
            ask()


@pytest.mark.parametrize("said", ["how = 'stolen'", "id = '../../etc'", "code = 'x'", "at = 'noon'"])
def test_a_row_that_says_nonsense_is_damage(tmp_path, said):
    keep(tmp_path, 1)
    with sqlite3.connect(tmp_path / gallery.FILE) as file:
        file.execute(f"UPDATE works SET {said}")
    file.close()
    with pytest.raises(Refused, match="is"):
        gallery.find(tmp_path, ANNA)


def test_a_locked_file_is_a_sentence_and_can_still_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "LOCKED_S", 0.1)
    keep(tmp_path, 1)
    other = sqlite3.connect(tmp_path / gallery.FILE)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refused, match="in use"):
        keep(tmp_path, 2)
    assert seeds(tmp_path) == [1]
    other.close()
    keep(tmp_path, 2)


def test_a_file_closed_to_writing_is_a_sentence_and_can_still_be_read(tmp_path, monkeypatch):
    keep(tmp_path, 1)
    connect = sqlite3.connect
    path = tmp_path / gallery.FILE
    monkeypatch.setattr(
        database.sqlite3, "connect", lambda *a, **k: connect(f"file:{path}?mode=ro", uri=True)
    )
    with pytest.raises(Refused, match="can't be written"):
        keep(tmp_path, 2)
    assert seeds(tmp_path) == [1]


def test_to_look_writes_nothing(tmp_path):
    assert gallery.find(tmp_path, ANNA) == ([], 0) and gallery.likes(tmp_path, ANNA) == ([], [])
    assert gallery.choices(tmp_path, ANNA) == ([], []) and not gallery.is_liked(tmp_path, ANNA, code(1))
    gallery.check_alive(tmp_path, code(1))
    assert not list(tmp_path.iterdir())


# Likes and links


def test_likes_and_what_was_passed_over_are_remembered_by_model(tmp_path):
    gallery.like(tmp_path, ANNA, code(1), passed=[code(1), code(2), code(3)])
    gallery.like(tmp_path, ANNA, code(2), passed=[code(1)])  # both are liked now
    gallery.like(tmp_path, ANNA, code(9, "f" * 16))
    liked, passed = gallery.likes(tmp_path, ANNA, MODEL)
    assert set(liked) == {code(1), code(2)} and passed == [code(3)]
    assert len(gallery.likes(tmp_path, ANNA)[0]) == 3 and gallery.likes(tmp_path, BERT) == ([], [])
    gallery.unlike(tmp_path, ANNA, code(1))
    gallery.unlike(tmp_path, ANNA, code(3))  # which was passed over
    assert gallery.likes(tmp_path, ANNA, MODEL) == (
        [code(2)],
        [code(3)],
    )  # what is liked no more teaches nothing


def test_there_is_an_end_to_what_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_LIKES", 3)
    monkeypatch.setattr(limits, "MOST_SENT", 2)
    gallery.like(tmp_path, ANNA, code(1), passed=[code(2), code(3)])
    with pytest.raises(Refused, match="as can be remembered"):
        gallery.like(tmp_path, ANNA, code(4))
    gallery.like(tmp_path, BERT, code(1), most=5)
    with pytest.raises(Refused, match="of all visitors"):
        gallery.like(tmp_path, BERT, code(2), most=4)
    gallery.unlike(tmp_path, ANNA, code(1))
    assert gallery.likes(tmp_path, ANNA)[0] == []
    gallery.like(tmp_path, ANNA, code(4))
    monkeypatch.setattr(gallery.files, "free_bytes", lambda path: 0)
    with pytest.raises(Refused, match="disk is full"):
        gallery.like(tmp_path, BERT, code(1))
    for seed in (1, 2, 3):
        gallery.send(tmp_path, ANNA, code(seed))
    assert len(gallery.sent(tmp_path, ANNA)) == 2


def test_a_link_is_withdrawn_by_who_made_it_and_lives_while_anybody_shares_it(tmp_path):
    for owner in (ANNA, BERT):
        gallery.send(tmp_path, owner, code(1), "Seed 1")
    gallery.check_alive(tmp_path, code(1))
    assert gallery.withdraw(tmp_path, ANNA, f"https://a.b/?art={code(1)}") == code(1)
    gallery.check_alive(tmp_path, code(1))  # Bert's is still out there
    gallery.withdraw(tmp_path, BERT, code(1))
    with pytest.raises(Refused, match="was withdrawn"):
        gallery.check_alive(tmp_path, code(1))
    assert [one.withdrawn for one in gallery.sent(tmp_path, ANNA)] == [True]
    gallery.check_alive(tmp_path, code(2))
    gallery.send(tmp_path, ANNA, code(1), "Seed 1")  # made anew, it lives again
    gallery.check_alive(tmp_path, code(1))


def test_nobody_but_who_withdrew_a_link_makes_it_live_again(tmp_path):
    gallery.send(tmp_path, ANNA, code(1))
    gallery.withdraw(tmp_path, ANNA, code(1))
    with pytest.raises(Refused, match="was withdrawn"):
        gallery.send(tmp_path, BERT, code(1))
    with pytest.raises(Refused, match="was withdrawn"):
        gallery.check_alive(tmp_path, code(1))
    assert gallery.sent(tmp_path, BERT) == []
