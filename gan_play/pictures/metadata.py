"""What a finished picture or film says about itself: an XMP packet, in the place that its format keeps for it.

PNG: an iTXt chunk. WebP: the XMP chunk. GIF: the application extension "XMP DataXMP". MP4: the uuid box
of XMP. (Adobe, XMP Specification Part 3.) All but PNG's stand behind the frames, so that they can be added to a file
that is finished; nothing else in it moves. Bytes in, bytes out: nothing is decoded, and hostile bytes cost no more than
reading them.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from html import escape, unescape
from pathlib import Path

from gan_play import limits
from gan_play.pictures import images

NAMESPACE = "https://gan-play.invalid/ns/card/1/"
"""Ours, for what no standard has a place for. A namespace is a name; nothing is fetched from it."""

DIGITAL_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's word for what a trained model made."""

PNG_KEY = "XML:com.adobe.xmp"
MOST_PARTS = 500_000  # of one file: a film of two minutes at 60 frames a second has 7,200
MOST_BLOCKS = 100_000  # of a GIF: two a frame; an empty one has three bytes, so that a file can hold millions
UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
GIF_APP = b"\x21\xff\x0bXMP DataXMP"
GIF_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"  # leads readers of sub-blocks out of the packet
XMP_FLAG = 0x04  # in WebP's VP8X

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:gp="{namespace}"
 xmp:CreatorTool="{tool}" Iptc4xmpExt:DigitalSourceType="{source}"{own}>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{about}</rdf:li></rdf:Alt></dc:description>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{rights}</rdf:li></rdf:Alt></dc:rights>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def packet(own: Mapping[str, str], title: str, about: str, rights: str, tool: str) -> str:
    """An XMP packet: title, description, rights, the program, how it came about, and `own` facts by their names."""
    said = "".join(f'\n gp:{name}="{_said(text)}"' for name, text in own.items())
    words = {"title": _said(title), "about": _said(about), "rights": _said(rights), "tool": _said(tool)}
    return PACKET.format(namespace=NAMESPACE, source=DIGITAL_SOURCE, own=said, **words)


def _said(text: str) -> str:
    """Text that XML can hold: no control characters, no half characters, nothing that is markup."""
    return escape("".join(c if c.isprintable() else " " for c in text), quote=True)


def facts(text: str) -> dict[str, str]:
    """Our own facts in a packet, also where another program has written it anew. {} where there are none.

    The packet isn't parsed as XML: it comes from anybody, and we know what we look for.
    """
    if NAMESPACE not in text or len(text) > limits.MOST_TEXT_CHUNK_BYTES:
        return {}
    found: dict[str, str] = {}
    for name, quoted, single, inside in re.findall(
        r"\bgp:([A-Za-z]{1,20})(?:\s*=\s*(?:\"([^\"<]{0,4000})\"|'([^'<]{0,4000})')|>([^<]{0,4000})</)", text
    ):
        found.setdefault(name, unescape(quoted or single or inside))
        if len(found) == limits.MOST_TEXT_CHUNKS:
            break
    return found


def rights(text: str) -> str:
    """The rights in a packet; "" where there are none."""
    match = re.search(r"<dc:rights>\s*<rdf:Alt>\s*<rdf:li[^<>]{0,200}>([^<]{0,4000})</rdf:li>", text)
    return unescape(match[1]) if match else ""


def tool(text: str) -> str:
    """The program in a packet; "" where there is none."""
    match = re.search(r"xmp:CreatorTool\s*=\s*\"([^\"<]{0,200})\"", text)
    return unescape(match[1]) if match else ""


def form_of(data: bytes) -> str:
    """ "png", "gif", "webp" or "mp4", by the first bytes; "" for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return "mp4" if data[4:8] == b"ftyp" else ""


def read(data: bytes) -> str:
    """The XMP packet of a file; "" where there is none, or it is longer than the limits."""
    form = form_of(data)
    if form == "png":
        return images.read_text(data).get(PNG_KEY, "")
    found = {"gif": _gif_packet, "webp": _webp_packet, "mp4": _mp4_packet}[form](data) if form else b""
    return found.decode("utf-8", "replace") if len(found) <= limits.MOST_TEXT_CHUNK_BYTES else ""


def comment(data: bytes) -> str:
    """The plain text that a film says beside its packet: GIF's comment, or what an MP4's head holds."""
    form = form_of(data)
    if form == "gif":
        found = b"".join(content for kind, content in _gif_blocks(data) if kind == "comment")
    elif form == "mp4":
        found = b"".join(content for kind, content in _boxes(data) if kind == b"moov")[: 64 * limits.MB]
    else:
        return ""
    match = re.search(rb"Code: [A-Za-z0-9_-]{16,%d}" % limits.MOST_CODE_CHARS, found)
    return match[0].decode() if match else ""


def frames_sha256(data: bytes) -> str:
    """SHA-256 of a film's frames as they are encoded, in their order, and of nothing that is said about them.

    MP4: the contents of its mdat boxes (with the sound, if there is any). WebP: those of its frame chunks. GIF: all but
    comments and XMP. "" for what is no film.
    """
    form, digest = form_of(data), hashlib.sha256()
    if form == "mp4":
        for kind, content in _boxes(data):
            if kind == b"mdat":
                digest.update(content)
    elif form == "webp":
        for kind, content in _chunks(data):
            if kind in (b"ANMF", b"ANIM", b"VP8 ", b"VP8L", b"ALPH"):
                digest.update(content)
    elif form == "gif":
        for kind, content in _gif_blocks(data):
            if kind == "picture":
                digest.update(content)
    else:
        return ""
    return digest.hexdigest()


def add(path: Path, xmp: str) -> None:
    """Adds a packet to the finished film at `path`.

    Errors: ValueError for a file that is no GIF, WebP or MP4; OSError.
    """
    head = path.open("rb")
    with head:
        form = form_of(head.read(16))
    data = xmp.encode()
    with path.open("r+b") as file:
        if form == "mp4":
            file.seek(0, 2)
            file.write(struct.pack(">I", 8 + 16 + len(data)) + b"uuid" + UUID + data)
        elif form == "gif":
            file.seek(-1, 2)
            if file.read(1) != b"\x3b":
                raise ValueError("a GIF ends with its trailer")
            file.seek(-1, 2)
            file.write(GIF_APP + data + GIF_TRAILER + b"\x3b")
        elif form == "webp":
            file.seek(20)
            (flags,) = file.read(1)
            file.seek(20)
            file.write(bytes([flags | XMP_FLAG]))
            file.seek(0, 2)
            file.write(b"XMP " + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2))
            length = file.tell() - 8
            file.seek(4)
            file.write(struct.pack("<I", length))
        else:
            raise ValueError("no film")


# The containers; each goes up to where the bytes end or go wrong


def _boxes(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The outermost boxes (kind, content) of an MP4 (ISO/IEC 14496-12)."""
    view, at = memoryview(data), 0
    for _ in range(MOST_PARTS):
        if at + 8 > len(data):
            return
        length, kind, head = int.from_bytes(view[at : at + 4], "big"), bytes(view[at + 4 : at + 8]), 8
        if length == 1:
            length, head = int.from_bytes(view[at + 8 : at + 16], "big"), 16
        elif length == 0:  # to the end
            length = len(data) - at
        if length < head or at + length > len(data):
            return
        yield kind, view[at + head : at + length]
        at += length


def _mp4_packet(data: bytes) -> bytes:
    for kind, content in _boxes(data):
        if kind == b"uuid" and content[:16] == UUID:
            return bytes(content[16 : 17 + 16 + limits.MOST_TEXT_CHUNK_BYTES])
    return b""


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks (kind, content) of a WebP."""
    view, at = memoryview(data), 12
    for _ in range(MOST_PARTS):
        if at + 8 > len(data):
            return
        (length,) = struct.unpack("<I", view[at + 4 : at + 8])
        if at + 8 + length > len(data):
            return
        yield bytes(view[at : at + 4]), view[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _webp_packet(data: bytes) -> bytes:
    return next((bytes(content) for kind, content in _chunks(data) if kind == b"XMP "), b"")


def _gif_blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts of a GIF: ("picture" | "comment" | "xmp", bytes)."""

    parts = blocks = 0

    def sub_blocks(at: int) -> int:
        """Where the sub-blocks that begin at `at` end; beyond the bytes where they do not."""
        nonlocal parts
        while at < len(data) and data[at]:
            at, parts = at + 1 + data[at], parts + 1
            if parts > 4 * MOST_PARTS:  # at 255 bytes each more than any film has
                return len(data)
        return at + 1

    def table(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    if len(data) < 13:
        return
    at = 13 + table(data[10])
    yield "picture", data[:at]
    while at < len(data):
        begin, blocks = at, blocks + 1
        if blocks > MOST_BLOCKS:
            return
        if data[at] == 0x21 and data[at : at + 14] == GIF_APP:
            end = data.find(GIF_TRAILER, at)
            at = len(data) if end < 0 else end + len(GIF_TRAILER)
            yield "xmp", data[begin + 14 : end if end >= 0 else begin + 14]
        elif data[at] == 0x21 and at + 1 < len(data):
            at = sub_blocks(at + 2)
            if data[begin + 1] != 0xFE:
                yield "picture", data[begin:at]
                continue
            text, here = b"", begin + 2
            while here < len(data) and data[here] and len(text) < limits.MOST_TEXT_CHUNK_BYTES:
                text += data[here + 1 : here + 1 + data[here]]
                here += 1 + data[here]
            yield "comment", text
        elif data[at] == 0x2C and at + 10 < len(data):
            at = sub_blocks(at + 11 + table(data[at + 9]))
            yield "picture", data[begin:at]
        else:
            yield "picture", data[at : at + 1]
            return  # the trailer, or nonsense


def _gif_packet(data: bytes) -> bytes:
    return next((content for kind, content in _gif_blocks(data) if kind == "xmp"), b"")
