import errno
import threading
import tracemalloc
import zipfile

import av
import numpy as np
import playing
import pytest

from gan_play.latent.film import enlarged, write_film
from gan_play.latent.walk import walk
from gan_play.pictures import images
from gan_play.refusals import Refused


def colours(count=12, size_px=64):
    """Frames of one strong colour each, so that what comes back can be compared."""
    for i in range(count):
        frame = np.zeros((size_px, size_px, 3), np.uint8)
        frame[:] = (250 - 20 * i, 20 * i, 128)
        yield frame


def read(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return frames, float(stream.average_rate), stream, dict(container.metadata)


@pytest.mark.parametrize("size_px", [32, 64, 128, 512])
def test_an_mp4_has_every_frame_at_about_512_px_and_the_asked_speed(tmp_path, size_px):
    path = write_film(colours(10, size_px), tmp_path / "film.mp4", fps=20, note="a note")
    frames, rate, stream, metadata = read(path)
    assert len(frames) == 10 and rate == 20
    assert frames[0].shape == (512, 512, 3)
    assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
    assert metadata["comment"] == "a note"


def test_the_colours_of_an_mp4_are_those_of_the_frames(tmp_path):
    path = write_film(colours(), tmp_path / "film.mp4", fps=24)
    frames, _, stream, _ = read(path)
    assert stream.codec_context.colorspace == 1 and stream.codec_context.color_range == 1
    for shown, meant in zip(frames, colours()):
        assert np.abs(shown[100, 100].astype(int) - meant[0, 0]).max() <= 6


def test_an_mp4_begins_to_play_before_it_is_loaded(tmp_path):
    data = write_film(colours(), tmp_path / "film.mp4", fps=24).read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("form", ["gif", "webp"])
def test_gif_and_webp_move_and_loop_for_ever(tmp_path, form):
    data = write_film(colours(10, 32), tmp_path / f"film.{form}", fps=20).read_bytes()
    decoded = images.examine(data)
    assert decoded.animated and (decoded.width, decoded.height) == (256, 256)
    assert np.abs(decoded.pixels[9, 9].astype(int) - next(colours())[0, 0]).max() <= 6
    assert (
        b"NETSCAPE2.0\x03\x01\x00\x00" if form == "gif" else b"ANIM\x06\x00\x00\x00\xff\xff\xff\xff\x00\x00"
    ) in data


def test_a_zip_holds_each_frame_as_it_is_and_says_what_it_is(tmp_path):
    path = write_film(colours(3, 32), tmp_path / "film.zip", note="a note")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names == ["frame00001.png", "frame00002.png", "frame00003.png", "about.txt"]
        assert archive.read("about.txt") == b"a note\n"
        for name, frame in zip(names, colours(3, 32)):
            assert np.array_equal(images.decode(archive.read(name)), frame)
    assert [p.name for p in tmp_path.iterdir()] == ["film.zip"]


@pytest.mark.parametrize("form", ["mp4", "gif", "webp", "zip"])
def test_each_kind_of_film_is_made_of_a_walk(tmp_path, form):
    model = playing.model()
    seen = []
    frames = walk(model, [1, 2], seconds=0.5, fps=8)
    path = write_film(frames, tmp_path / f"film.{form}", 8, total=4, progress=lambda *done: seen.append(done))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert path.stat().st_size > 1000
    assert [p.name for p in tmp_path.iterdir()] == [f"film.{form}"]


def test_length_costs_no_memory(tmp_path):
    def most_memory(count):
        tracemalloc.start()
        write_film((np.full((64, 64, 3), i % 256, np.uint8) for i in range(count)), tmp_path / "film.mp4", 60)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most_memory(5)
    assert most_memory(150) < most_memory(15) + 1_000_000  # a frame at 512 px has 786 kB


def test_a_cancelled_film_leaves_the_old_one_and_nothing_else(tmp_path):
    class Cancelled(Exception):
        pass

    def cancel(done, total):
        if done == 5:
            raise Cancelled

    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")
    with pytest.raises(Cancelled):
        write_film(colours(), path, progress=cancel)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_frame_is_made_while_the_one_before_it_is_written_and_no_more(tmp_path):
    made, closed, begun = [], [], threading.Event()

    def frames():
        try:
            for number, frame in enumerate(colours(5), 1):
                made.append(number)
                if number == 2:
                    begun.set()
                yield frame
        finally:
            closed.append(threading.current_thread())

    def look(done, total):
        if done == 1:
            assert begun.wait(60)  # the second is made though nobody has asked for it yet
        assert len(made) <= done + 1

    write_film(frames(), tmp_path / "film.mp4", progress=look)
    assert made == [1, 2, 3, 4, 5] and len(closed) == 1

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(frames(), tmp_path / "film.mp4", progress=stop)
    assert len(closed) == 2 and made[5:] in ([1], [1, 2])


@pytest.mark.parametrize("form", ["mp4", "gif", "webp", "zip"])
def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(tmp_path, form):
    def full():
        yield from colours(3)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Refused, match="disk is full"):
        write_film(full(), tmp_path / f"film.{form}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["mp4", "gif", "webp", "zip"])
def test_a_film_of_nothing_is_an_error_and_no_file(tmp_path, form):
    with pytest.raises(ValueError):
        write_film([], tmp_path / f"film.{form}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["film.avi", "film", "film.mp4.exe", "film.<b>"])
def test_another_kind_of_film_is_refused(tmp_path, name):
    with pytest.raises(Refused, match="mp4, gif or webp"):
        write_film(colours(), tmp_path / name)


def test_pixel_art_is_enlarged_to_squares_and_paintings_smoothly():
    art = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    large = enlarged(art, 512)
    assert large.shape == (512, 512, 3) and np.array_equal(large[8::16, 8::16], art)
    painting = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    large = enlarged(painting, 512)
    assert large.shape == (512, 512, 3) and len(np.unique(large[:8, :8].reshape(-1, 3), axis=0)) > 8
    assert enlarged(large, 512) is large
