"""XMP in PNG, GIF, WebP and MP4: written where each format keeps it, read back, and never tripped over."""

import io
import struct
import time

import av
import numpy as np
import pytest
from PIL import Image

from gan_play.latent.film import write_film
from gan_play.pictures import images, metadata

PACKET = metadata.packet(
    {"Code": "A" * 30, "Frames": "0" * 64},
    'Dusk & "<dawn>"',
    "Made with a model",
    "CC BY 4.0, Zoë\nN.",
    "GAN Play 9",
)
FORMS = ("gif", "webp", "mp4")


def frames(count: int = 5):
    for i in range(count):
        yield np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8)


def film(tmp_path, form: str, **more):
    return write_film(
        frames(), tmp_path / f"film.{form}", 10, card=lambda digest: PACKET, note="Code: " + "A" * 30, **more
    )


def test_a_packet_says_what_it_was_given_and_is_xml():
    from xml.dom import minidom

    tree = minidom.parseString(PACKET.encode())
    assert (
        tree.getElementsByTagName("dc:title")[0].getElementsByTagName("rdf:li")[0].firstChild.data
        == 'Dusk & "<dawn>"'
    )
    assert metadata.facts(PACKET) == {"Code": "A" * 30, "Frames": "0" * 64}
    assert metadata.rights(PACKET) == "CC BY 4.0, Zoë N." and metadata.tool(PACKET) == "GAN Play 9"
    assert "trainedAlgorithmicMedia" in PACKET
    odd = metadata.packet({"Code": "\x00\ud800<'\">"}, "\x07", "", "", "")
    minidom.parseString(odd.encode())


def test_facts_survive_a_program_that_writes_them_anew():
    anew = PACKET.replace('gp:Code="' + "A" * 30 + '"', "").replace(
        "</rdf:Desc", f"<gp:Code>{'A' * 30}</gp:Code></rdf:Desc"
    )
    assert metadata.facts(anew)["Code"] == "A" * 30
    assert metadata.facts(PACKET.replace('"', "'"))["Code"] == "A" * 30


@pytest.mark.parametrize("form", FORMS)
def test_a_film_carries_its_packet_and_still_plays(tmp_path, form):
    path = film(tmp_path, form)
    data = path.read_bytes()
    assert metadata.form_of(data) == form and metadata.read(data) == PACKET
    if form == "mp4":
        with av.open(str(path)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 5
            assert container.metadata["comment"] == "Code: " + "A" * 30
    else:
        with Image.open(path) as image:
            assert image.n_frames == 5
            for place in range(5):
                image.seek(place)
                image.load()
            if form == "webp":
                assert image.info["xmp"] == PACKET.encode()
            else:
                assert image.info["comment"].startswith(b"Code: ")
    if form != "webp":
        assert metadata.comment(data) == "Code: " + "A" * 30


@pytest.mark.parametrize("form", FORMS)
def test_the_digest_is_of_the_frames_alone(tmp_path, form):
    digests = []
    path = write_film(
        frames(), tmp_path / f"a.{form}", 10, card=lambda digest: digests.append(digest) or PACKET
    )
    bare = write_film(frames(), tmp_path / f"b.{form}", 10)
    data = path.read_bytes()
    assert metadata.frames_sha256(data) == digests[0] == metadata.frames_sha256(bare.read_bytes())
    other = write_film(frames(4), tmp_path / f"c.{form}", 10)
    assert metadata.frames_sha256(other.read_bytes()) != digests[0]
    place = {"gif": 900, "webp": 300}.get(form, data.rfind(b"mdat") + 200)  # one byte of a frame
    changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    assert metadata.frames_sha256(changed) != digests[0]


def test_a_png_keeps_it_as_text_and_other_programs_find_it():
    data = images.encode(next(frames()), "png", text={metadata.PNG_KEY: PACKET})
    assert metadata.read(data) == PACKET and metadata.frames_sha256(data) == ""
    with Image.open(io.BytesIO(data)) as image:
        assert image.text["XML:com.adobe.xmp"] == PACKET


@pytest.mark.parametrize("form", FORMS)
def test_a_file_cut_anywhere_or_filled_with_noise_is_read_without_an_error(tmp_path, form):
    data = film(tmp_path, form).read_bytes()
    rng = np.random.default_rng(0)
    for cut in [*range(0, 64), *rng.integers(0, len(data), 60)]:
        for bad in (data[:cut], data[:cut] + rng.bytes(40) + data[cut + 40 :]):
            metadata.read(bad), metadata.comment(bad), metadata.frames_sha256(bad)


@pytest.mark.slow  # makes the huge files that it reads
@pytest.mark.timeout(60)
def test_a_file_made_to_be_slow_or_huge_costs_little():
    many = b"\0\0\0\x20ftyp" + b"\0" * 24 + struct.pack(">I", 8) * 2_000_000
    sub_blocks = b"GIF89a" + b"\1\0\1\0\0\0\0" + b"\x21\xfe" + b"\1a" * 3_000_000
    huge = (
        b"\0\0\0\x20ftyp"
        + b"\0" * 24
        + struct.pack(">I", 24 + 10**6)
        + b"uuid"
        + metadata.UUID
        + b"a" * 10**6
    )
    empty = b"GIF89a" + b"\1\0\1\0\0\0\0" + b"\x21\x01\0" * 2 * 10**7
    began = time.process_time()
    assert metadata.read(empty) == "" and metadata.comment(empty) == ""
    metadata.frames_sha256(empty)
    assert time.process_time() - began < 10  # walked to its end, each of the three takes minutes
    for data in (many, sub_blocks, huge, b"RIFF\0\0\0\0WEBP" + b"XMP \0\0\0\0" * 10**6):
        assert metadata.read(data) == "" and metadata.comment(data) == ""
        metadata.frames_sha256(data)
    assert metadata.facts(metadata.NAMESPACE + "gp:Code=" * 10**5) == {}


def test_other_files_have_no_packet(tmp_path):
    for data in (b"", b"hello", images.encode(next(frames()), "jpeg"), images.encode(next(frames()), "webp")):
        assert metadata.read(data) == ""
    (tmp_path / "x.gif").write_bytes(b"GIF89a and no trailer")
    with pytest.raises(ValueError):
        metadata.add(tmp_path / "x.gif", PACKET)
    (tmp_path / "x").write_bytes(b"hello")
    with pytest.raises(ValueError):
        metadata.add(tmp_path / "x", PACKET)
