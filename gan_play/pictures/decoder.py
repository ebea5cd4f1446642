"""The child process that decodes: file bytes come in, kept pictures or refusals go out.

Started by `intake` as `python -m gan_play.pictures.decoder`. It limits its own memory and its processor time a
picture where the platform can; where a picture breaks these limits, or the decoder itself, the process dies and
`intake` starts another. It opens no file and imports neither torch nor gradio.

A message is the length of a JSON head (4 bytes), the head, and the bytes of which the head gives the length:
{name, background, exact_px, length} + the file, and back {refused: {...}} or {kept: {...}, length} + picture,
fingerprint.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import sys
import time
import warnings
from typing import BinaryIO

from gan_play import limits
from gan_play.pictures import datasets, images, likeness
from gan_play.refusals import Refusal

try:
    import resource
except ImportError:  # Windows: the parent's clock is the only limit there
    resource = None


def send(stream: BinaryIO, head: dict, body: bytes) -> None:
    """Writes a message."""
    text = json.dumps({**head, "length": len(body)}).encode()
    stream.write(struct.pack(">I", len(text)) + text)
    stream.write(body)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict, bytes] | None:
    """Reads a message, or None where the other side has gone."""
    size = stream.read(4)
    if len(size) < 4:
        return None
    text = stream.read(struct.unpack(">I", size)[0])
    try:
        head = json.loads(text)
    except ValueError:
        return None
    body = stream.read(head["length"])
    return (head, body) if len(body) == head["length"] else None


def to_message(result: datasets.Kept | Refusal) -> tuple[dict, bytes]:
    """What the child answers about one file: head and body."""
    if isinstance(result, Refusal):
        return {"refused": vars(result)}, b""
    facts = {key: value for key, value in vars(result).items() if key not in ("data", "fingerprint")}
    return {"kept": facts}, result.fingerprint + result.data


def from_message(head: dict, body: bytes) -> datasets.Kept | Refusal:
    """The other way round."""
    if "refused" in head:
        return Refusal(**head["refused"])
    size = likeness.FINGERPRINT_BYTES
    return datasets.Kept(**head["kept"], fingerprint=body[:size], data=body[size:])


def examine(
    data: bytes, name: str, background: images.Color, exact_px: int | None = None
) -> datasets.Kept | Refusal:
    """One file's bytes as a picture to keep (see `datasets.keep`), or why not. Never raises."""
    picture = images.examine(data, name, background, side_px=exact_px or limits.KEPT_SIDE_PX)
    return picture if isinstance(picture, Refusal) else datasets.keep(picture, exact_px)


def _limit(kind: int, amount: int) -> None:
    with contextlib.suppress(OSError, ValueError):  # some platforms refuse some limits
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))


def serve() -> None:
    """Answers until the parent closes the pipe."""
    warnings.simplefilter("ignore")
    source = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not fall between the messages
    if resource:
        _limit(resource.RLIMIT_AS, limits.DECODE_MEMORY_BYTES)
        _limit(resource.RLIMIT_CORE, 0)
    send(answers, {"ready": True}, b"")
    while message := receive(source):
        head, data = message
        if resource:
            _limit(resource.RLIMIT_CPU, int(time.process_time()) + 1 + limits.DECODE_SECONDS)
        kept = examine(data, head["name"], tuple(head["background"]), head["exact_px"])
        send(answers, *to_message(kept))


if __name__ == "__main__":
    serve()
