"""The family tree: what was kept, whom it came from, and what happens to its file."""

import sqlite3
import subprocess
import sys
import time

import pytest

from gan_play import limits
from gan_play.latent import breed
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import database, family

MODEL = "0123456789abcdef"
ANNA = "anna"


def code(*seeds, strength=0.3):
    """The code of what was bred from these seeds, one after the other."""
    genome = breed.genome_of(seeds[0])
    for seed in seeds[1:]:
        genome = breed.mutate(genome, seed, strength)
    return artworks.encode(artworks.bred(genome, MODEL, 0.7))


def names(members):
    return [member.code for member in members]


def test_a_family_is_all_that_is_joined_oldest_first(tmp_path):
    family.keep(tmp_path, ANNA, code(1, 2), [code(1)], {"do": "mutate", "strength": 0.3})
    family.keep(tmp_path, ANNA, code(1, 2, 3), [code(1, 2)])
    family.keep(tmp_path, ANNA, code(1, 4), [code(1)])  # a branch
    family.keep(tmp_path, ANNA, code(9, 8), [code(9)])  # strangers
    found = family.relatives(tmp_path, ANNA, code(1, 4), most=100)
    assert set(names(found)) == {code(1), code(1, 2), code(1, 2, 3), code(1, 4)}
    assert names(found)[-1] == code(1, 4)
    assert found[names(found).index(code(1, 2))].how == {"do": "mutate", "strength": 0.3}
    assert found[names(found).index(code(1))].parents == ()
    family.keep(tmp_path, ANNA, code(5, 6, strength=0.5), [code(1, 4), code(9, 8)])  # a cross joins both
    assert len(family.relatives(tmp_path, ANNA, code(9), most=100)) == 7
    assert len(family.relatives(tmp_path, ANNA, code(9), most=3)) == 3


def test_each_owner_has_a_tree_of_their_own(tmp_path):
    family.keep(tmp_path, ANNA, code(1, 2), [code(1)])
    assert family.relatives(tmp_path, "bert", code(1, 2), most=9) == []
    assert family.find(tmp_path, "bert", code(1, 2)) is None
    assert family.find(tmp_path, ANNA, code(1, 2)).parents == (code(1),)


def test_which_of_many_are_in_the_tree(tmp_path):
    assert family.among(tmp_path, ANNA, [code(1)]) == set()
    family.keep(tmp_path, ANNA, code(1, 2), [code(1)])
    assert family.among(tmp_path, ANNA, [code(1), code(1, 2), code(3)]) == {code(1), code(1, 2)}
    assert family.among(tmp_path, ANNA, []) == family.among(tmp_path, "bert", [code(1)]) == set()


def test_what_was_first_said_of_a_picture_holds(tmp_path):
    family.keep(tmp_path, ANNA, code(1, 2), [code(1)])
    family.keep(tmp_path, ANNA, code(1), [code(1, 2)])  # would make a ring
    family.keep(tmp_path, ANNA, code(1, 2), [code(7)])
    assert family.find(tmp_path, ANNA, code(1)).parents == ()
    assert family.find(tmp_path, ANNA, code(1, 2)).parents == (code(1),)


def test_a_seal_makes_no_other_picture(tmp_path):
    family.keep(tmp_path, ANNA, code(1))
    sealed = artworks.encode(artworks.Artwork("sample", MODEL, (1,), seal="f" * 70))
    assert family.find(tmp_path, ANNA, sealed).code == code(1)


def test_to_look_writes_nothing_and_a_full_tree_is_a_sentence(tmp_path, monkeypatch):
    assert family.find(tmp_path, ANNA, code(1)) is None and family.relatives(tmp_path, ANNA, code(1), 9) == []
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(limits, "MOST_FAMILY", 2)
    family.keep(tmp_path, ANNA, code(1, 2), [code(1)])
    with pytest.raises(Refused, match="as many as it can"):
        family.keep(tmp_path, ANNA, code(3))
    family.keep(tmp_path, "bert", code(3))


@pytest.mark.parametrize("said", [("[]", "[1]"), ("7", "{}"), ("[", "{}"), ("[]", "")])
def test_a_row_that_says_nonsense_is_damage(tmp_path, said):
    family.keep(tmp_path, ANNA, code(1))
    with sqlite3.connect(tmp_path / family.FILE) as file:
        file.execute("UPDATE kept SET parents = ?, how = ?", said)
    file.close()
    with pytest.raises(Refused, match="is damaged"):
        family.find(tmp_path, ANNA, code(1))


def test_a_file_of_another_program_s_is_damage(tmp_path):
    with sqlite3.connect(tmp_path / family.FILE) as file:
        file.execute("CREATE TABLE kept (a, b)")
    file.close()
    for ask in (lambda: family.keep(tmp_path, ANNA, code(1)), lambda: family.find(tmp_path, ANNA, code(1))):
        with pytest.raises(Refused, match="is damaged"):
            ask()


def test_a_damaged_file_is_a_sentence_and_stays_as_it_is(tmp_path):
    (tmp_path / family.FILE).write_bytes(b"no database at all" * 100)
    before = (tmp_path / family.FILE).read_bytes()
    for ask in (lambda: family.keep(tmp_path, ANNA, code(1)), lambda: family.find(tmp_path, ANNA, code(1))):
        with pytest.raises(Refused, match="damaged"):
            ask()
    assert (tmp_path / family.FILE).read_bytes() == before


def test_a_kill_before_the_first_picture_leaves_no_damage(tmp_path):
    (tmp_path / family.FILE).touch()
    assert family.find(tmp_path, ANNA, code(1)) is None
    family.keep(tmp_path, ANNA, code(1))
    assert family.find(tmp_path, ANNA, code(1)) is not None


def test_a_locked_file_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "LOCKED_S", 0.1)
    family.keep(tmp_path, ANNA, code(1))
    other = sqlite3.connect(tmp_path / family.FILE)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refused, match="in use"):
        family.keep(tmp_path, ANNA, code(2))
    other.close()
    family.keep(tmp_path, ANNA, code(2))


def test_a_folder_that_is_not_there_or_closed_is_a_sentence(tmp_path):
    with pytest.raises(Refused, match="can't be written"):
        family.keep(tmp_path / "nowhere", ANNA, code(1))


KEEPING = """
import sys
from pathlib import Path
from gan_play.latent import breed
from gan_play.share import artwork as artworks, family
last = genome = breed.genome_of(1)
for seed in range(2, 10000):
    genome = breed.mutate(last, seed, 0.3)
    codes = [artworks.encode(artworks.bred(one, "0123456789abcdef", 0.7)) for one in (genome, last)]
    family.keep(Path(sys.argv[1]), "anna", codes[0], [codes[1]])
    print(codes[0], flush=True)
    last = genome
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_at_any_moment_leaves_a_whole_tree(tmp_path):
    for after_s in (0.0, 0.013, 0.041, 0.07):
        process = subprocess.Popen(
            [sys.executable, "-c", KEEPING, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        said = [process.stdout.readline().strip() for _ in range(5)]
        time.sleep(after_s)
        process.kill()
        said += process.stdout.read().split("\n")[:-1]
        process.wait()
        process.stdout.close()
        kept = names(family.relatives(tmp_path, ANNA, said[0], most=10_000))
        assert set(said) <= set(kept)  # what was said to be kept is there
        everyone = {member.code: member for member in family.relatives(tmp_path, ANNA, said[0], most=10_000)}
        assert all(parent in everyone for member in everyone.values() for parent in member.parents)
