"""Videos are painted frame by frame: what is read, what keeps still, what moves, the sound, and what is refused."""

import math
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from gan_play import cli, limits
from gan_play.latent.film import enlarged, write_film
from gan_play.refusals import Refused
from gan_play.runs import worker
from gan_play.translate import video
from tests import toys


def a_sound(path, seconds=2.0, rate=44_100):
    """A click at half a second, then nothing, as a WAV."""
    values = np.zeros((round(seconds * rate), 2), np.int16)
    values[rate // 2 : rate // 2 + 200] = 20_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(values.tobytes())
    return path


def scene(count=24, width=64, height=48, noise=1.5):
    """A still gradient with a little noise, over which a white square moves."""
    random = np.random.default_rng(0)
    ground = np.linspace(60, 160, width)[None, :, None].repeat(height, 0).repeat(3, 2)
    for i in range(count):
        frame = ground + random.normal(0, noise, ground.shape)
        frame[16:28, 2 * i : 2 * i + 10] = 250
        yield frame.round().clip(0, 255).astype(np.uint8)


def shimmering(seed=1):
    """A painter that shifts the brightness of every place anew in each frame, as translators do with noise."""
    random = np.random.default_rng(seed)
    return lambda x: (255 - x + random.normal(0, 8, x.shape)).round().clip(0, 255).astype(np.uint8)


def a_video(path, frames=None, fps=12, sound=None):
    """An MP4 at the size of its frames."""
    frames = list(frames if frames is not None else scene())
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "10"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        heard = container.add_stream("aac", rate=44_100, layout="stereo") if sound else None
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
        if heard:
            with av.open(str(sound)) as source:
                for frame in source.decode(audio=0):
                    container.mux(heard.encode(frame))
            container.mux(heard.encode(None))
    return path


def read(path):
    with av.open(str(path)) as container:
        found = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        return found, float(container.streams.video[0].average_rate)


def test_a_painted_video_has_its_frames_its_speed_and_its_sound_at_the_same_moment(tmp_path):
    clip = video.check(a_video(tmp_path / "in.mp4", sound=a_sound(tmp_path / "in.wav")), 64)
    assert (clip.fps, clip.size) == (12, (64, 48))
    told = []
    out = tmp_path / "out.mp4"
    report = video.write(
        clip, lambda x: 255 - x, out, progress=lambda done, total: told.append((done, total))
    )
    found, rate = read(out)
    assert (len(found), rate, report.frames) == (24, 12, 24) and told[-1] == (24, 24)
    assert found[0].shape == (384, 512, 3)  # small films are enlarged, upright ones stay so
    first = next(scene(1))
    assert abs(found[0][8:40, 200].mean() - (255 - first[1:5, 25]).mean()) < 8
    with av.open(str(out)) as container:
        pieces = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    heard = np.concatenate(pieces)
    assert abs(np.abs(heard).argmax() / 44_100 - 0.5) < 0.06


def test_a_video_without_sound_is_painted_without(tmp_path):
    clip = video.check(a_video(tmp_path / "in.mp4", list(scene(4))), 64)
    video.write(clip, lambda x: x, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_places_that_stand_still_flicker_less_and_what_moves_is_shown_as_it_is(tmp_path):
    clip = video.check(a_video(tmp_path / "in.mp4", list(scene(30, 96, 48))), 96)
    report = video.write(clip, shimmering(), tmp_path / "out.mp4")
    assert report.in_video < 2 < report.by_itself
    assert report.steadied < 0.45 * report.by_itself
    plain = video.write(clip, shimmering(), tmp_path / "plain.mp4", steady=0)
    assert plain.steadied == pytest.approx(plain.by_itself)


def test_a_place_that_moves_and_a_cut_keep_nothing_of_before():
    pairs = [(x, x) for x in scene(20, noise=0)]
    for number, (_x, y, shown) in enumerate(video.steadied(pairs, steady=0.9)):
        square = (slice(18, 26), slice(2 * number + 2, 2 * number + 8))
        assert np.abs(shown[square].astype(int) - y[square]).max() <= 1
    dark, light = np.full((32, 32, 3), 20, np.uint8), np.full((32, 32, 3), 220, np.uint8)
    *_, (_, _, shown) = video.steadied([(dark, dark), (light, light)], steady=0.9)
    assert np.array_equal(shown, light)


def test_what_is_shown_is_that_of_a_slow_reference():
    random = np.random.default_rng(0)
    frames = random.integers(100, 112, (4, 6, 7, 3)).astype(np.uint8)
    painted = random.integers(0, 256, (4, 6, 7, 3)).astype(np.uint8)
    found = [shown for _, _, shown in video.steadied(zip(frames, painted), steady=0.7)]
    before, shown = frames[0].astype(float), painted[0].astype(float)
    for t in range(1, 4):
        change = np.abs(frames[t] - before).mean(axis=2)
        after, kept = before.copy(), shown.copy()
        for row in range(6):
            for column in range(7):
                near = change[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
                k = 0.7 * math.exp(-((near.mean() / video.MOVED) ** 2))
                after[row, column] = frames[t, row, column] + k * (
                    before[row, column] - frames[t, row, column]
                )
                kept[row, column] = painted[t, row, column] + k * (
                    shown[row, column] - painted[t, row, column]
                )
        before, shown = after, kept
        assert np.abs(found[t].astype(float) - shown).max() <= 0.51


def test_a_painting_may_be_a_whole_number_of_times_as_large():
    pairs = [(x, x.repeat(2, 0).repeat(2, 1)) for x in scene(3)]
    *_, (x, y, shown) = video.steadied(pairs)
    assert shown.shape == y.shape == (96, 128, 3)


def test_a_large_video_is_brought_down_and_a_lying_one_is_turned_upright(tmp_path):
    clip = video.check(a_video(tmp_path / "in.mp4", list(scene(3, 128, 64))), 64)
    assert clip.size == (64, 32)
    assert [one.shape for one in video.frames(clip)] == [(32, 64, 3)] * 3
    assert enlarged(np.zeros((64, 128, 3), np.uint8), 512).shape == (256, 512, 3)
    turned = type("Frame", (), {"rotation": -90})
    assert video._turns(turned) == 3 and video._turns(type("Frame", (), {"rotation": 180})) == 2


def test_frames_that_last_longer_than_others_are_shown_as_long(tmp_path):
    path = tmp_path / "slow.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(10))
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for pts, shade in ((0, 10), (5, 120), (6, 230)):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), shade, np.uint8), format="rgb24")
            frame.pts, frame.time_base = pts, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    clip = video.check(path, 64)._replace(fps=10)
    shades = [round(float(one.mean()), -1) for one in video.frames(clip)]
    assert shades == [10.0] * 5 + [120.0, 230.0]


def test_a_video_of_two_hours_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "feature.mp4"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(1, 3600))
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(Refused, match="120 minutes long: a video of at most 2 minutes") as refused:
        video.check(path, 64)
    assert refused.value.refusal.reason == "video-long"


def test_one_that_is_longer_than_it_says_is_refused_on_the_way(tmp_path, monkeypatch):
    clip = video.check(a_video(tmp_path / "in.mp4", list(scene(24)), fps=4), 64)
    monkeypatch.setattr(limits, "MOST_VIDEO_SECONDS", 2)
    with pytest.raises(Refused, match="minutes long"):
        video.write(clip, lambda x: x, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_what_is_no_video_is_refused_in_a_sentence(tmp_path):
    whole = a_video(tmp_path / "in.mp4", list(scene(4))).read_bytes()
    bad = {
        "text.mp4": b"hello, I am no video",
        "empty.mp4": b"",
        "picture.mp4": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "list.m3u8": b"#EXTM3U\nhttp://example.org/x.ts\n",
        "cut.mp4": whole[: len(whole) // 3],
        "noise.mkv": b"\x1aE\xdf\xa3" + bytes(range(256)),
        "sound.mp4": b"\0\0\0\x18ftypM4A " + bytes(64),
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Refused) as refused:
            video.check(tmp_path / name, 64)
        assert refused.value.refusal.reason in ("not-video", "video-damaged", "empty"), name
    with pytest.raises(Refused, match="can't be read"):
        video.check(tmp_path / "nowhere.mp4", 64)


def test_an_end_on_the_way_leaves_no_film(tmp_path):
    clip = video.check(a_video(tmp_path / "in.mp4", list(scene(6))), 64)

    def stop(done, _total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        video.write(clip, lambda x: x, tmp_path / "out.mp4", progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


def test_a_film_of_a_painted_video_can_be_painted_again(tmp_path):
    write_film(scene(5), tmp_path / "made.mp4", fps=10)
    assert video.check(tmp_path / "made.mp4", 256).size == (256, 192)


def test_on_the_command_line_a_video_becomes_a_film_and_bad_wishes_are_refused(tmp_path, capsys):
    home = tmp_path / "home"
    home.mkdir()
    run_id = toys.a_run(home, recipe="cyclegan", steps=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(worker.Ending, "__init__", lambda self: setattr(self, "asked", False))
        assert worker.work(home / run_id) == 0
    clip, out = a_video(tmp_path / "in.mp4", list(scene(4))), tmp_path / "out.mp4"

    def asked(*words):
        return cli.main(["translate", run_id, *map(str, words), "--home", str(home)])

    assert asked(clip, "--out", out, "--size", 48, "--back") == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out) and "painted frame by frame it would by" in said.err
    assert len(read(out)[0]) == 4
    for words in (
        (clip, clip, "--out", out),
        (clip, "--out", out, "--steady", 2),
        (tmp_path / "nowhere.mp4", "--out", out),
        (clip, "--out", out, "--mask", clip),
        (clip, "--out", tmp_path / "out.png"),
    ):
        assert asked(*words) == 2
        assert "Traceback" not in capsys.readouterr().err
