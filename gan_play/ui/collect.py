"""What the pieces' script asks the server for: the link of a picture, to withdraw one, whether a picture is liked.

Each is a function of what a browser sent, which is checked; an answer is a dict, with a "sentence" where it is
refused. A browser says its owner key along with its question; at home it may be empty.
"""

from collections.abc import Callable, Sequence

from gan_play import limits
from gan_play.latent.film import FORMATS
from gan_play.latent.sample import load_digest, pin
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share import gallery
from gan_play.ui.share_routes import title_of
from gan_play.ui.shared import Shared
from gan_play.ui.words import say

MOST_PASSED = 48
"""Pictures that one sees beside one that is liked; a page of seeds has 36."""

MOST_ASKED = 100
"""Pictures of which is asked at once whether they are liked."""


def owner_to_ask(shared: Shared, key: str) -> str | None:
    """Whose works, likes and links: at home everybody's, where strangers may come those of this browser."""
    return gallery.owner_of(key) if shared.public else None


def owner_to_write(shared: Shared, key: str) -> str:
    """Who likes and who sends links: at home there is one, where strangers may come each browser is somebody else."""
    return gallery.owner_of(key if shared.public else "")


def check_key(shared: Shared, key: object) -> str:
    """The key. Refused where one is needed and this is none."""
    if shared.public and not (isinstance(key, str) and 8 <= len(key) <= 200):
        raise Refused(refuse("no-key"))
    return str(key or "")


def like(shared: Shared, code: str, liked: bool, passed: Sequence[object], key: str = "") -> int:
    """Likes a picture or takes that back; `passed` were seen beside it. How many of its model are liked now.

    Refused for what is no single picture, and to like one whose model isn't here.
    """
    artwork, owner = artworks.decode(code), owner_to_write(shared, key)
    if not artwork.is_single:
        raise Refused(refuse("not-single"))
    if not liked:
        gallery.unlike(shared.home, owner, code)
    else:
        load_digest(shared.home, artwork.model)
        beside = [artworks.find_code(str(other)) for other in passed[:MOST_PASSED]]
        beside = [other for other in beside if artworks.decode(other).model == artwork.model]
        most = limits.MOST_LIKES_PUBLIC if shared.public else None
        gallery.like(shared.home, owner, code, beside, most)
    return len(gallery.likes(shared.home, owner_to_ask(shared, key), artwork.model)[0])


def seal(shared: Shared, code: str, key: str = "") -> str:
    """The code to send: sealed, with its model kept for good, and written down as sent. Refused for a bad one,
    and for one that others made and withdrew."""
    home, artwork = shared.home, artworks.decode(code)
    model = artworks.model_of(home, artwork)
    if artwork.is_film:  # of one that isn't made yet the recipe is enough
        pin(home, model)
        proofs = (artworks.film_proof(home, artwork, form) for form in FORMATS)
        made = next((code for _, code, _ in filter(None, proofs)), artworks.encode(artwork))
    else:
        made = artworks.share(home, artwork).code
    try:
        gallery.send(home, owner_to_write(shared, key), made, title_of(artwork, model))
    except Refused as refused:  # a link needs no database; only it can't be withdrawn
        if refused.refusal.reason == "withdrawn":
            raise
    return made


def functions(shared: Shared) -> list[Callable]:
    """The server functions of the pieces that Play and Gallery are laid out with."""
    home = shared.home

    def answer(ask: Callable[[], dict]) -> dict:
        try:
            return ask()
        except Refused as refused:
            return {"sentence": refused.refusal.sentence}

    def sealed(asked: list) -> dict:
        """The link's code: [code, key] -> {"code"}."""
        code, key = strings(asked, 2)
        return answer(lambda: {"code": seal(shared, code, check_key(shared, key))})

    def withdrawn(asked: list) -> dict:
        """A link is withdrawn: [code, key] -> {"done": what that means}."""
        code, key = strings(asked, 2)

        def ask() -> dict:
            gallery.withdraw(home, owner_to_ask(shared, check_key(shared, key)), code)
            return {"done": say("share.withdrawn")}

        return answer(ask)

    def liking(asked: list) -> dict:
        """A picture is liked, or no longer: [code, key, "yes" or "", codes beside it] -> {"liked", "count"}."""
        code, key, liked = strings(asked, 3)
        sent = asked[3:4] if isinstance(asked, list) else []
        beside = sent[0] if sent and isinstance(sent[0], list) else []

        def ask() -> dict:
            count = like(shared, code, bool(liked), beside, check_key(shared, key))
            return {"liked": bool(liked), "count": count}

        return answer(ask)

    def liked(asked: list) -> dict:
        """Which of these pictures are liked: [key, code, ...] -> {"liked": [code, ...]}."""
        key, *codes = strings(asked, 1 + MOST_ASKED)

        def ask() -> dict:
            owner = owner_to_ask(shared, check_key(shared, key))
            return {"liked": [code for code in codes if code and gallery.is_liked(home, owner, code)]}

        return answer(ask)

    return [sealed, withdrawn, liking, liked]


def strings(asked: object, count: int) -> list[str]:
    """The first things that a browser sent, as text."""
    sent = asked if isinstance(asked, list) else [asked]
    return [str(one or "") for one in (*sent, *[""] * count)][:count]
