"""The card in a saved picture or film: read back, and compared with what the file shows.

A card is no proof of who made something: whoever can write files can write one. What can be proved is that a picture
is, to the last pixel, what its card says, by painting it again; and of a film that its frames, as they are encoded, are
those of which the card holds the digest. Errors: Refused, in a sentence, for a file without a card that can be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gan_play import limits
from gan_play.pictures import images, metadata
from gan_play.refusals import Refusal, Refused, printable, refuse
from gan_play.share import artwork as artworks
from gan_play.share import styled
from gan_play.share.artwork import Artwork

FORMS = ("png", "gif", "webp", "mp4")
SUFFIXES = tuple(f".{form}" for form in FORMS)


@dataclass(frozen=True)
class Card:
    """What a file says about itself. What it doesn't say is ""."""

    form: str  # "png", "gif", "webp" or "mp4"
    code: str
    artwork: Artwork
    model: str  # digest, 16 or 64 digits
    dataset: str
    rights: str
    program: str
    torch: str
    frames: str  # of a film: digest of its frames as they were encoded


@dataclass(frozen=True)
class Compared:
    """Whether a file still is what its card says: True, False, or None where nobody can tell; and the sentence."""

    same: bool | None
    sentence: str


def read(data: bytes, name: str = "") -> Card:
    """The card of a file. Refused where it has none, a damaged one, or one of a newer version."""
    form = metadata.form_of(data)
    if not form:
        raise Refused(refuse("card-form", name))
    packet = metadata.read(data)
    facts, text = metadata.facts(packet), images.read_text(data)
    version = facts.get("Card", "")
    if version and (
        not version.isascii() or not version.isdigit() or int(version[:9]) > artworks.CARD_VERSION
    ):
        raise Refused(refuse("card-newer", name))
    code = facts.get("Code") or text.get("Code") or metadata.comment(data).removeprefix("Code: ")
    if not code and (said := read_grid(data) or read_styled(data)):
        raise uncoded(said, name)
    if not code:
        raise Refused(refuse("no-card", name))
    if len(code) > limits.MOST_CODE_CHARS:
        raise Refused(refuse("card-damaged", name))
    try:
        artwork = artworks.decode(code)
    except Refused as refused:
        if refused.refusal.reason == "code-version":
            raise Refused(refuse("card-newer", name)) from None
        raise Refused(refuse("card-damaged", name)) from None
    model = facts.get("Model", text.get("Model", ""))
    if not model.startswith(artwork.model):
        model = artwork.model  # the code alone is believed
    return Card(
        form,
        artworks.encode(artwork),
        artwork,
        model,
        facts.get("Dataset", text.get("Dataset", "")),
        metadata.rights(packet) or text.get("Copyright", ""),
        metadata.tool(packet) or text.get("Software", ""),
        facts.get("Torch", ""),
        facts.get("Frames", ""),
    )


def compare(home: Path, data: bytes, card: Card, name: str = "") -> Compared:
    """Whether a file still is what its card says. A picture is painted again here, and compared pixel by pixel; of a
    film the encoded frames are compared with the digest in its card. A picture of another size than it must have is
    never decoded.

    Refused where the picture can't be decoded, or its model isn't here.
    """
    if card.form == "png":
        painted, (width, height) = artworks.still(home, card.artwork), images.png_size(data)
        if (height, width) != painted.shape[:2]:
            sentence = artworks.other_size((width, height), painted.shape[1::-1])
            return Compared(False, f"Changed since it was saved. {sentence}")
        pixels = images.decode_exact(data, width, height, name)
        if isinstance(pixels, Refusal):
            raise Refused(pixels)
        sentence = artworks.compare(pixels, painted)
        same = sentence.startswith("Identical")
        if same:
            return Compared(True, f"{sentence} This is what its card says.")
        return Compared(False, f"Changed since it was saved. {sentence}")
    if not card.artwork.is_film:
        return Compared(False, "Changed since it was saved: its card is that of a single picture.")
    found = metadata.frames_sha256(data)
    if not card.frames:
        return Compared(
            None, "Its card holds no digest of the frames, so whether they were changed can't be told."
        )
    if card.frames == found:
        return Compared(True, "Its frames are, byte for byte, those that its card was written for.")
    return Compared(
        False, "Changed since it was saved: its frames aren't those that its card was written for."
    )


def read_grid(data: bytes) -> dict[str, object] | None:
    """What the PNG of many pictures side by side says about itself, for programs; None for any other file."""
    text = images.read_text(data)
    if "Grid" not in text or "Model" not in text or "Code" in text:
        return None
    names = {
        "grid": "Grid",
        "model": "Model",
        "dataset": "Dataset",
        "rights": "Copyright",
        "program": "Software",
    }
    said = {name: text.get(key, "") for name, key in names.items()}
    seeds = [one for one in text.get("Seeds", "").split(", ") if one]
    return {"form": "png", **said, "seeds": seeds, "made": artworks.MADE}


def read_styled(data: bytes) -> dict[str, object] | None:
    """What the PNG of a picture painted in a style says about itself, for programs; None for any other file."""
    text = images.read_text(data)
    if "Styled" not in text or "Code" in text:
        return None
    names = {"styled": "Styled", "rights": "Copyright", "program": "Software", "torch": "Torch"}
    made = styled.MADE_AT_ONCE if ", at once by " in text["Styled"] else styled.MADE
    return {"form": "png", **{name: text.get(key, "") for name, key in names.items()}, "made": made}


def uncoded(said: dict[str, object], name: str) -> Refused:
    """Why a file that has a card, but no code in it, opens nothing."""
    if "styled" in said:
        return Refused(refuse("card-styled", name))
    return Refused(refuse("card-grid", name, what=printable(str(said["grid"]), 40)))


def read_file(path: Path) -> bytes:
    """The bytes of a file that somebody chose. Refused where it is too large, or can't be read."""
    try:
        if path.stat().st_size > limits.MOST_CARD_FILE_BYTES:
            raise Refused(refuse("card-large", path.name, most=limits.MOST_CARD_FILE_BYTES // limits.MB))
        return path.read_bytes()
    except FileNotFoundError:
        raise Refused(refuse("not-found", path.name)) from None
    except OSError:
        raise Refused(refuse("unreadable", path.name)) from None


def as_data(card: Card) -> dict[str, object]:
    """A card for programs."""
    names = ("form", "code", "model", "dataset", "rights", "program", "torch")
    said = {name: getattr(card, name) for name in names}
    return said | {
        "operation": card.artwork.operation,
        "seeds": list(card.artwork.seeds),
        "made": artworks.MADE,
    }
