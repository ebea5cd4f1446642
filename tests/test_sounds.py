"""Sounds from browsers: decoded in a process of their own, whose end is never the page's."""

import multiprocessing

import pytest
import test_music

from gan_play.latent import music
from gan_play.refusals import Refused
from gan_play.ui import child, sounds


def test_a_sound_is_kept_as_its_child_found_it(tmp_path):
    path = test_music.write_wav(tmp_path / "a.wav", test_music.tone(1))
    kept = sounds.kept(tmp_path, path, public=True)
    assert kept == music.check(path)._replace(path=music.find(tmp_path, kept.digest))
    assert multiprocessing.active_children() == []


def test_what_is_no_sound_a_child_that_dies_and_one_that_hangs_are_refused_in_a_sentence(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.mp3"
    path.write_bytes(b"ID3" + bytes(1000))
    asked = []

    def following(*given, limit_s):
        asked.append(limit_s)
        raise RuntimeError("the child process ended early")
        yield

    monkeypatch.setattr(child, "following", following)
    with pytest.raises(Refused) as refused:
        sounds.kept(tmp_path, path, public=False)
    assert refused.value.refusal.reason == "sound-damaged" and asked[0] > 0
    path.write_bytes(b"<html>")
    with pytest.raises(Refused) as refused:
        sounds.kept(tmp_path, path, public=False)
    assert refused.value.refusal.reason == "not-sound" and len(asked) == 1
