"""What directions are called: proposals that are measured once, and an artist's own names, safe and apart."""

import json

import playing
import pytest

from gan_play import limits
from gan_play.latent import directions
from gan_play.refusals import Refused
from gan_play.share import naming

TOY = playing.model()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(directions, "SEEDS", 4)
    whole = directions.effects
    monkeypatch.setattr(directions, "effects", lambda model, name: whole(model, name, range(4)))


def names_file(home, owner="home"):
    return home / "directions" / f"{TOY.digest[:16]}-{owner}.json"


def test_what_was_measured_is_kept_and_not_measured_again(tmp_path, monkeypatch):
    first = naming.named(tmp_path, TOY, count=3)
    assert [one.id for one in first] == directions.offered(TOY)[:3]
    assert all(one.proposed and one.changes and not one.kept for one in first)
    monkeypatch.setattr(directions, "effects", lambda *_: pytest.fail("measured again"))
    assert naming.named(tmp_path, TOY, count=3) == first


def test_until_they_are_measured_directions_go_by_their_ids(tmp_path):
    quick = naming.named(tmp_path, TOY, count=3, measured=False)
    assert [one.name for one in quick] == [one.id for one in quick] and not (tmp_path / "directions").exists()


def test_a_name_is_kept_with_its_bands_and_can_be_put_back(tmp_path):
    naming.keep(tmp_path, TOY, "sefa1@fine", "  Evening \n light ")
    one = naming.named(tmp_path, TOY, count=2)[0]
    assert (one.name, one.way, one.kept) == ("Evening light", "sefa1@fine", True)
    naming.keep(tmp_path, TOY, "sefa1", "Dusk")  # the direction has one name
    naming.keep(tmp_path, TOY, "sefa20", "Far down the list")
    found = naming.named(tmp_path, TOY, count=2)
    assert [(one.id, one.name) for one in found if one.kept] == [
        ("sefa1", "Dusk"),
        ("sefa20", "Far down the list"),
    ]
    naming.put_back(tmp_path, TOY, "sefa1")
    assert naming.named(tmp_path, TOY, count=2)[0].name == one.proposed
    assert list(naming.kept(tmp_path, TOY)) == ["sefa20"]


def test_names_are_one_owner_s_and_one_model_s(tmp_path):
    naming.keep(tmp_path, TOY, "sefa1", "Mine", "a" * 64)
    assert naming.kept(tmp_path, TOY, "b" * 64) == naming.kept(tmp_path, TOY) == {}
    assert naming.kept(tmp_path, playing.model(seed=3), "a" * 64) == {}
    assert naming.kept(tmp_path, TOY, "a" * 64) == {"sefa1": ("sefa1", "Mine")}


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\0b", None, 7])
def test_a_name_that_can_be_none_is_refused(tmp_path, name):
    with pytest.raises(Refused, match="1 to 40"):
        naming.keep(tmp_path, TOY, "sefa1", name)


def test_a_direction_that_is_none_or_not_the_model_s_gets_no_name(tmp_path):
    for way in ("light", "sefa1@sky"):
        with pytest.raises(Refused):
            naming.keep(tmp_path, TOY, way, "Name")
    with pytest.raises(Refused):
        naming.keep(tmp_path, playing.model("dcgan"), "pca1", "Name")


def test_names_don_t_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_NAMED_DIRECTIONS", 2)
    monkeypatch.setattr(limits, "MOST_NAMERS", 1)
    for name in ("sefa1", "sefa2", "sefa1"):
        naming.keep(tmp_path, TOY, name, name)
    with pytest.raises(Refused, match="put some back"):
        naming.keep(tmp_path, TOY, "sefa3", "Third")
    with pytest.raises(Refused):
        naming.keep(tmp_path, TOY, "sefa1", "Other", "c" * 64)


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"sefa1@sky": "x", "sefa2": 3, "sefa3": "Good"}'])
def test_damaged_files_are_as_good_as_none_and_are_written_anew(tmp_path, damage):
    naming.keep(tmp_path, TOY, "sefa1", "Dusk")
    first = naming.named(tmp_path, TOY, count=2)
    names_file(tmp_path).write_text(damage)
    (tmp_path / "directions" / f"{TOY.digest[:16]}.json").write_text(damage)
    found = naming.named(tmp_path, TOY, count=2)
    assert [one.proposed for one in found[:2]] == [one.proposed for one in first]
    assert set(naming.kept(tmp_path, TOY)) == ({"sefa3"} if "Good" in damage else set())
    naming.keep(tmp_path, TOY, "sefa1", "Dawn")
    assert json.loads(names_file(tmp_path).read_text())["sefa1"] == "Dawn"


def test_a_failed_write_leaves_the_old_names(tmp_path, monkeypatch):
    naming.keep(tmp_path, TOY, "sefa1", "Dusk")

    def full(*_):
        raise OSError("no room")

    monkeypatch.setattr(naming.files, "write_json", full)
    with pytest.raises(Refused, match="can't be kept"):
        naming.keep(tmp_path, TOY, "sefa2", "Dawn")
    assert naming.kept(tmp_path, TOY) == {"sefa1": ("sefa1", "Dusk")}
