"""The gallery for programs: /gallery, /keep, /describe, /like, /more_like, /withdraw, /remove and /bring_back.

At home everything is everybody's. Where strangers may come, `key` is any secret of 8 characters or more that the
caller thinks up; it sees what was kept with the same key. A refusal is an error with one sentence.
"""

import gradio as gr

from gan_play.latent import sample
from gan_play.share import artwork as artworks
from gan_play.share import gallery as store
from gan_play.share import liking
from gan_play.share.gallery import Query
from gan_play.ui import collect, gallery, taste
from gan_play.ui.shared import Shared, told

MOST_AT_ONCE = 200
"""Works in one answer; the rest is asked for with `first`."""


def register(shared: Shared) -> None:
    """Add the endpoints to the Blocks that is being built."""
    home = shared.home

    def find_works(
        text: str = "", model: str = "", label: str = "", order: str = "newest", first: int = 0, key: str = ""
    ) -> dict:
        """What was kept, 200 works at a time: {"count": how many there are, "works": [...]}.

        Parameters:
            text: words to look for in names, titles and notes
            model: name of a run
            label: name of a label
            order: "newest", "oldest", "liked" or "name"
            first: how many to pass over
            key: what they were kept with, where strangers may come
        """
        with told():
            owner = collect.owner_to_ask(shared, collect.check_key(shared, key))
            query = Query(text, model, label, order)
            works, count = store.find(home, owner, query, gallery.place_of(first), MOST_AT_ONCE)
            kin = gallery.in_family(home, works, owner)
            shown = [store.as_data(work) | {"family": work.recipe in kin} for work in works]
            return {"count": count, "works": shown}

    def keep(code: str, name: str = "", notes: str = "", key: str = "") -> dict:
        """Put an artwork into the gallery; returns it as it is kept.

        Parameters:
            code: a share code or link
            name: of the work
            notes: about it
            key: a secret, to find it again where strangers may come
        """
        with told():
            work = gallery.keep(shared, artworks.find_code(code), collect.check_key(shared, key))
            owner = collect.owner_to_ask(shared, key)
            if name or notes:
                store.describe(home, owner, work.id, name, notes)
            return store.as_data(store.by_code(home, owner, code))

    def describe(id: str, name: str = "", notes: str = "", key: str = "") -> dict:
        """Give a work a name and notes; returns it.

        Parameters:
            id: of the work
            name: of at most 120 characters
            notes: of at most 4,000
            key: what it was kept with
        """
        with told():
            owner = collect.owner_to_ask(shared, collect.check_key(shared, key))
            store.describe(home, owner, id, name, notes)
            return store.as_data(store.by_ids(home, owner, [id])[0])

    def like(code: str, liked: bool = True, passed: list[str] | None = None, key: str = "") -> int:
        """Like a picture, or no longer; returns how many pictures of its model are liked.

        Parameters:
            code: of the picture
            liked: whether it is liked
            passed: codes of others that were seen beside it and not chosen; likes are learnt against them
            key: a secret, where strangers may come
        """
        with told():
            return collect.like(shared, code, liked, passed or [], collect.check_key(shared, key))

    def more_like(
        run: str, truncation: float = 0.7, label: str = "", turn: int = 0, count: int = 12, key: str = ""
    ) -> dict:
        """The best of 160 seeds and their 80 children by what you liked of this model: codes, and how sure it is.

        Parameters:
            run: id of the run
            truncation: how adventurous, 0 to 2
            label: name or number of a label
            turn: other numbers try other seeds
            count: how many to return, 1 to 48
            key: what they were liked with, where strangers may come
        """
        with told():
            owner = collect.owner_to_ask(shared, collect.check_key(shared, key))
            model = sample.load(home, run)
            kind = sample.find_label(model, label)
            most = min(max(1, gallery.place_of(count)), 48)
            asked = (sample.check_truncation(truncation), kind, gallery.place_of(turn), most)
            *_, found = liking.propose(home, owner, model, *asked)
            learnt = found.taste
            return {
                "codes": [artworks.encode(work) for work in found.artworks],
                "liked": learnt.liked,
                "passed": learnt.passed,
                "pairs": learnt.pairs,
                "right": learnt.right,
                "sure": learnt.sure,
                "sentence": taste.standing(found),
            }

    def withdraw(code: str, key: str = "") -> str:
        """Withdraw a link that was made here: it opens here no longer. Other homes and saved files aren't reached.

        Parameters:
            code: of the link, or the whole link
            key: what it was made with, where strangers may come
        """
        with told():
            return store.withdraw(home, collect.owner_to_ask(shared, collect.check_key(shared, key)), code)

    def remove(ids: list[str], key: str = "") -> int:
        """Take works out of the gallery; returns how many. For a day `bring_back` undoes it.

        Parameters:
            ids: of the works
            key: what they were kept with
        """
        with told():
            return store.remove(
                home, collect.owner_to_ask(shared, collect.check_key(shared, key)), [str(one) for one in ids]
            )

    def bring_back(key: str = "") -> int:
        """Undo the last removal; returns how many works came back.

        Parameters:
            key: what they were kept with
        """
        with told():
            return store.bring_back(home, collect.owner_to_ask(shared, collect.check_key(shared, key)))

    for name, function in (
        ("gallery", find_works),
        ("keep", keep),
        ("describe", describe),
        ("like", like),
        ("more_like", more_like),
        ("withdraw", withdraw),
        ("remove", remove),
        ("bring_back", bring_back),
    ):
        gr.api(function, api_name=name, concurrency_limit=4)
