"""Sounds that a film carries: what is heard in them, that it stays in sync, and what is refused."""

import os
import wave

import av
import numpy as np
import pytest

from gan_play import limits
from gan_play.latent import film, music
from gan_play.latent.timeline import SOURCES
from gan_play.refusals import Refused

RATE = 44_100


def write_wav(path, values, channels=1):
    """A WAV of 16 bits from values between -1 and 1."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(values, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def tone(seconds, hertz=440.0, loud=0.5):
    return loud * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def clicks(seconds, every):
    """Silence with a short click at each multiple of `every` seconds."""
    values, times = np.zeros(int(seconds * RATE)), np.arange(every, seconds - 0.1, every)
    for time in times:
        begin = int(time * RATE)
        values[begin : begin + 300] = np.sin(np.arange(300) * 0.3) * np.exp(-np.arange(300) / 60)
    return values, times


def encoded(path, codec, values):
    """The same sound in another format."""
    with av.open(str(path), "w") as container:
        rate = 48_000 if codec == "libopus" else RATE
        stream = container.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(
            stream.codec_context.format, "mono", rate, stream.codec_context.frame_size or 4096
        )
        frame = av.AudioFrame.from_ndarray(np.float32(values)[None], "fltp", "mono")
        frame.sample_rate, frame.pts = RATE, 0
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def heard(features, source):
    return features[:, SOURCES.index(source)].astype(int)


def reason(path):
    with pytest.raises(Refused) as refused:
        music.check(path)
    assert len(refused.value.refusal.sentence) <= limits.MOST_SENTENCE_CHARS
    return refused.value.refusal.reason


@pytest.mark.parametrize("every", [0.7, 1.0])
def test_an_onset_is_heard_at_its_frame_and_nowhere_else(tmp_path, every):
    values, times = clicks(6, every)
    onset = heard(music.features(write_wav(tmp_path / "a.wav", values), 24, 144), "onset")
    for time in times:
        assert onset[[int(time * 24), int(time * 24) + 1]].max() > 150  # a click may fall between two windows
    assert np.count_nonzero(onset > 128) <= 2 * len(times)


def test_loudness_follows_decibels_and_bands_follow_pitch(tmp_path):
    values = np.concatenate([tone(1, 80), tone(1, 800), tone(1, 5000), tone(1, 800, 0.05)])
    features = music.features(write_wav(tmp_path / "a.wav", values), 10, 40)
    middle = [features[place] for place in (5, 15, 25, 35)]
    for place, band in enumerate(("low", "mid", "high")):
        at = SOURCES.index(band)
        assert middle[place][at] > 220 and all(
            one[at] < 60 for i, one in enumerate(middle) if i not in (place, 3)
        )
    loud = [one[SOURCES.index("loudness")] for one in middle]
    assert min(loud[:3]) > 240 and 130 < loud[3] < 180  # twenty decibels of fifty below


def test_what_is_heard_is_the_same_again_whatever_is_asked_for_beside(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 3 * RATE))
    first = music.features(path, 24, 72)
    assert np.array_equal(first, music.features(path, 24, 72)) and first.dtype == np.uint8
    assert np.array_equal(first[:24], music.features(path, 24, 24))
    longer = music.features(path, 24, 100)
    assert np.array_equal(longer[:72], first) and not longer[76:].any()


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp3", "libmp3lame"), ("a.flac", "flac"), ("a.ogg", "libopus")]
)
def test_mp3_flac_and_ogg_are_heard_like_wav(tmp_path, name, codec):
    values, _ = clicks(3, 0.5)
    plain = music.features(write_wav(tmp_path / "a.wav", values), 24, 72)
    other = encoded(tmp_path / name, codec, values)
    assert abs(music.check(other).seconds - 3) < 0.1
    found = heard(music.features(other, 24, 72), "onset")
    assert np.corrcoef(found, heard(plain, "onset"))[0, 1] > 0.6


def flashing(path, fps):
    """Frames that are white where an onset is heard, else black; and how many."""
    count = round(music.check(path).seconds * fps)
    onset = heard(music.features(path, fps, count), "onset")
    return (np.full((64, 64, 3), 255 if onset[n] > 128 else 0, np.uint8) for n in range(count)), count


def out_of_sync(path, times):
    """How far in seconds the sound and the flashes of a film are from where each other should be."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shown = [
            (float(f.pts * stream.time_base), f.to_ndarray(format="gray").mean())
            for f in container.decode(stream)
        ]
    with av.open(str(path)) as container:
        pieces = list(container.decode(audio=0))
    begin = float(pieces[0].pts * pieces[0].time_base)
    sound = np.abs(np.concatenate([piece.to_ndarray()[0] for piece in pieces]))
    white = np.array([time for time, mean in shown if mean > 128])
    apart = []
    for time in times:
        first = int((time - 0.1 - begin) * RATE)
        part = sound[first : first + int(0.2 * RATE)]
        at = begin + (first + np.argmax(part > 0.3 * part.max())) / RATE
        apart += [abs(at - time), np.abs(white - at).min()]
    return max(apart)


@pytest.mark.parametrize(
    "seconds", [5.3, pytest.param(180, marks=pytest.mark.slow)]
)  # 180: two minutes of work
@pytest.mark.timeout(900)
def test_sound_and_pictures_of_a_film_stay_within_a_frame(tmp_path, seconds):
    values, times = clicks(seconds, 0.7)
    path = write_wav(tmp_path / "a.wav", values)
    frames, count = flashing(path, 24)
    made = film.write_film(frames, tmp_path / "film.mp4", 24, count, sound=path)
    assert out_of_sync(made, times) < 1 / 24
    with av.open(str(made)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == "aac" and stream.codec_context.layout.name == "stereo"
        length = float(stream.duration * stream.time_base)
    assert abs(length - count / 24) < 0.03


def test_a_film_shorter_than_its_sound_ends_with_its_pictures(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(5))
    frames = (np.zeros((64, 64, 3), np.uint8) for _ in range(24))
    made = film.write_film(frames, tmp_path / "film.mp4", 24, 24, sound=path)
    with av.open(str(made)) as container:
        stream = container.streams.audio[0]
        assert abs(float(stream.duration * stream.time_base) - 1) < 0.03


def test_a_silent_sound_is_taken_and_moves_nothing(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.zeros(2 * RATE))
    assert music.check(path).silent and not music.features(path, 24, 48).any()


def test_what_is_no_sound_is_told_in_a_sentence(tmp_path):
    def file(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    good = write_wav(tmp_path / "good.wav", tone(2)).read_bytes()
    assert reason(tmp_path / "missing.wav") == "unreadable"
    assert reason(tmp_path) == reason(tmp_path / "a\0b") == "unreadable"
    assert reason(file("empty.wav", b"")) == "empty"
    assert reason(file("text.mp3", b"not a sound at all, but words")) == "not-sound"
    assert reason(file("list.wav", b"#EXTM3U\nfile:///etc/passwd\n")) == "not-sound"
    assert reason(file("head.wav", good[:44])) in ("no-audio", "sound-damaged")
    assert reason(file("noise.mp3", b"\xff\xfb" + os.urandom(50_000))) in (
        "sound-damaged",
        "no-audio",
        "sound-length",
    )
    assert reason(file("noise.flac", b"fLaC" + os.urandom(5000))) in ("sound-damaged", "no-audio")
    assert reason(file("noise.ogg", b"OggS" + os.urandom(5000))) in ("sound-damaged", "no-audio")
    assert reason(write_wav(tmp_path / "short.wav", tone(0.2))) == "sound-length"


def test_a_video_file_is_refused_and_so_is_an_ogg_without_sound(tmp_path):
    frames = [np.zeros((64, 64, 3), np.uint8)] * 4
    assert reason(film.write_film(frames, tmp_path / "film.mp4", 8)) == "not-sound"
    video = tmp_path / "film.ogg"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libvpx", rate=8)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    assert reason(video) == "no-audio"


def test_a_cut_off_sound_is_taken_as_far_as_it_goes_and_a_long_one_refused(tmp_path, monkeypatch):
    good = write_wav(tmp_path / "good.wav", tone(3)).read_bytes()
    (tmp_path / "cut.wav").write_bytes(good[: len(good) // 2])
    assert 1.4 < music.check(tmp_path / "cut.wav").seconds < 1.6
    monkeypatch.setattr(limits, "MOST_TIMELINE_SECONDS", 2)
    assert reason(tmp_path / "good.wav") == "sound-length"
    monkeypatch.setattr(limits, "MOST_SOUND_BYTES", 1000)
    assert reason(tmp_path / "good.wav") == "sound-big"


def test_a_sound_of_two_hours_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes([128]) * 8000 * 7200)
    assert reason(path) == "sound-length"


def test_sounds_are_kept_by_their_digest_and_the_oldest_make_room(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(limits, "MOST_SOUNDS", 2)
    made = [music.keep(home, write_wav(tmp_path / f"{n}.wav", tone(1, 200 + n))) for n in range(3)]
    for place, sound in enumerate(made):
        if sound.path.exists():
            os.utime(sound.path, (place, place))
    assert [music.is_here(home, sound.digest) for sound in made] == [False, True, True]
    assert music.find(home, made[2].digest) == made[2].path
    again = music.keep(home, tmp_path / "1.wav")
    assert again.digest == made[1].digest and len(list((home / "sounds").iterdir())) == 2
    for digest in (made[0].digest, "../x", "", "*" * 16):
        assert not music.is_here(home, digest)
        with pytest.raises(Refused):
            music.find(home, digest)


def test_a_sound_that_was_used_lately_is_not_pushed_out_by_another_where_that_is_asked(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    paths = [write_wav(tmp_path / f"{n}.wav", tone(1, 200 + n)) for n in range(3)]
    for most in ({"MOST_SOUNDS": 2}, {"MOST_SOUNDS_BYTES": 2 * paths[0].stat().st_size}):
        with monkeypatch.context() as patch:
            for name, value in most.items():
                patch.setattr(limits, name, value)
            first, second = (music.keep(home, path, 3600) for path in paths[:2])
            with pytest.raises(Refused, match="room for sounds is full"):
                music.keep(home, paths[2], 3600)
            assert music.is_here(home, first.digest) and music.is_here(home, second.digest)
            assert music.keep(home, paths[0], 3600) == first  # it is here already
            os.utime(second.path, (0, 0))
            third = music.keep(home, paths[2], 3600)
            assert [music.is_here(home, one.digest) for one in (first, second, third)] == [True, False, True]
        third.path.unlink()


def test_numbers_that_are_none_in_a_sound_of_floats_do_no_harm(tmp_path):
    values = np.float32(tone(2))
    values[100:200], values[300:400] = np.nan, np.inf
    header = b"RIFF" + (36 + values.nbytes).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + RATE.to_bytes(4, "little")
    header += (4 * RATE).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    path = tmp_path / "a.wav"
    path.write_bytes(header + b"data" + values.nbytes.to_bytes(4, "little") + values.tobytes())
    assert not music.check(path).silent
    assert music.features(path, 24, 48)[:, 1].max() == 255
