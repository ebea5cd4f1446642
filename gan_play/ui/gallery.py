"""Gallery: what was kept, and where it came from. What is kept lies in `share/gallery.py`.

Where strangers may come, each browser sees only its own.
"""

import contextlib
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from gan_play import files, limits
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share import family, gallery
from gan_play.share.gallery import Query, Work
from gan_play.ui import cards, collect, look, tiles
from gan_play.ui.share_routes import film_address, known_film, picture, title_of
from gan_play.ui.shared import QUIET, Shared, showing, told
from gan_play.ui.words import say

SHOWN = 48
"""Works on the page at once."""

MOST_LINKS = 50
"""Sent links in the list; the newest."""


def keep(shared: Shared, code: str, key: str = "", how: str = "kept") -> Work:
    """Writes an artwork into the gallery. Keeping it again changes nothing, but that a link that was opened becomes a
    work that was kept. Refused for a bad code, a model that isn't here, a full gallery."""
    home, artwork = shared.home, artworks.decode(code)
    model, recipe, owner = artworks.model_of(home, artwork), gallery.plain(code), gallery.owner_of(key)
    if not shared.public and (known := gallery.by_code(home, None, code)):
        owner = known.owner  # at home a work hangs once, whichever browser kept it
    artworks.keep_needed(home, artwork)
    found = picture(home, code)
    work = Work(
        gallery.id_of(owner, recipe),
        owner,
        recipe,
        found.code,
        artwork.operation,
        artwork.model,
        model.name,
        tuple(dict.fromkeys(artworks.label_words(artwork, model))),
        title_of(artwork, model),
        model.settings.size_px,
        found.sha256,
        how,
        time.time(),
    )
    return gallery.keep(
        home, work, found.png, limits.MOST_WORKS_PUBLIC if shared.public else limits.MOST_WORKS
    )


def wire_keep(shared: Shared, piece: gr.HTML, api_name: str) -> None:
    """Hangs in the gallery what a piece shows when its Keep is pressed."""

    def kept(event: gr.EventData, key: str):
        data = event._data if isinstance(event._data, dict) else {}
        with told():
            keep(shared, str(data.get("code", "")), key)
        gr.Info(say("gallery.kept"), title=say("tab.gallery"), duration=3)

    # A toast needs the queue; of two that are kept in a hurry Gradio would pass over the second.
    keeping = QUIET | {"queue": True, "trigger_mode": "multiple"}
    piece.keep(kept, shared.key, None, api_name=api_name, **keeping)


def figure(home: Path, work: Work, bred: bool = False) -> str:
    """One work as HTML: the picture or the playing film, what it is, the same actions as everywhere."""
    code, title = work.code, work.name or work.title
    artwork = artworks.decode(code)
    form = next((form for form in ("mp4", "webp", "gif") if known_film(home, artwork, form)), "")
    film = film_address(code, form) if form else ""
    alt, sharp = escape(title), " sharp" if work.size_px < 64 else ""
    if form == "mp4":
        shown = f'<video src="{film}" controls loop muted playsinline preload="metadata" aria-label="{alt}"></video>'
    else:
        shown = (
            f'<button type="button" class="large" data-do="open" data-code="{escape(code)}" '
            f'data-src="{address(work.id)}" aria-label="{escape(say("act.open.of", title=title))}">'
            f'<img src="{film or address(work.id)}" alt="{alt}" loading="lazy" decoding="async"></button>'
        )
    date = time.strftime("%d %b %Y, %H:%M", time.localtime(work.at))
    came = escape(say(f"gallery.how.{work.how}", date=date) + (say("gallery.family") if bred else ""))
    name = f"{alt}<span>{escape(work.title)}</span>" if work.name else alt
    notes = f'<p class="notes">{escape(work.notes)}</p>' if work.notes else ""
    save = film + "?download=1" if film else address(work.id) + "?download=1"
    acts = tiles.actions(code, ("play", "forget"), film=save, keep=False, like=artwork.is_single)
    return (
        f'<figure class="work{sharp}" data-id="{work.id}"><span class="mark"><input type="checkbox" '
        f'aria-label="{escape(say("gallery.mark", title=title))}"></span>{shown}<figcaption>{name}</figcaption>'
        f'{notes}<p class="subdued small">{came}</p>{acts}{described(work)}</figure>'
    )


def described(work: Work) -> str:
    """The fields for a work's name and notes, folded away."""
    return (
        f'<details class="about"><summary>{escape(say("gallery.describe"))}</summary>'
        f'<label>{escape(say("gallery.name"))}<input type="text" maxlength="{gallery.MOST_NAME_CHARS}" '
        f'value="{escape(work.name)}"></label><label>{escape(say("gallery.notes"))}'
        f'<textarea rows="3" maxlength="{gallery.MOST_NOTES_CHARS}">{escape(work.notes)}</textarea></label>'
        f'<button type="button" class="quiet" data-wall="describe">{escape(say("gallery.save"))}</button></details>'
    )


def address(work_id: str) -> str:
    """Where the page finds the picture of a work; relative."""
    return f"gradio_api/kept/{work_id}.png"


def toolbar(first: int, shown: int, count: int) -> str:
    """How many there are, the pages, and what can be done with the chosen ones."""
    last = first + shown
    span = say("gallery.span", first=first + 1, last=last, count=f"{count:,}") if count > shown else ""
    span = span or say("gallery.count.one" if count == 1 else "gallery.count", count=f"{count:,}")

    def button(do: str, able: bool = True) -> str:
        text, off = escape(say(f"gallery.{do}")), "" if able else " disabled"
        return f'<button type="button" class="quiet" data-wall="{do}"{off}>{text}</button>'

    pages = ""
    if count > shown or first:
        pages = button("back", first > 0) + button("forth", last < count)
    few = escape(say("gallery.chosen"))
    return (
        f'<div class="wall-bar"><span class="subdued" role="status">{escape(span)}</span>{pages}{button("all")}'
        f'<span class="chosen" hidden><span data-words="{few}"></span>{button("none")}{button("zip")}'
        f"{button('remove')}</span></div>"
    )


def sent_links(home: Path, owner: str | None) -> str:
    """The links that were made here, folded away, each with the button that withdraws it."""
    links = gallery.sent(home, owner, MOST_LINKS)
    rows = []
    for link in links:
        date = time.strftime("%d %b %Y, %H:%M", time.localtime(link.at))
        act = escape(say("gallery.withdrawn"))
        if not link.withdrawn:
            act = (
                f'<button type="button" class="quiet" data-do="withdraw" data-code="{escape(link.code)}">'
                f"{escape(say('act.withdraw'))}</button>"
            )
        rows.append(
            f'<figure class="sent"><span>{escape(link.title)}<span class="subdued">{escape(date)}</span></span>'
            f'<div class="actions">{act}</div></figure>'
        )
    if not rows:
        return ""
    words = f"<summary>{escape(say('gallery.sent', count=len(rows)))}</summary>{tiles.note(say('gallery.sent.what'))}"
    return f'<details class="links">{words}{"".join(rows)}</details>'


def removed_note(count: int) -> str:
    """That works were removed, and the way back."""
    if not count:
        return ""
    said = say("gallery.removed.one" if count == 1 else "gallery.removed", count=count)
    undo = f'<button type="button" class="quiet" data-wall="undo">{escape(say("gallery.undo"))}</button>'
    return f'<p class="note undo">{escape(said)} {undo}</p>'


def in_family(home: Path, works: Sequence[Work], owner: str | None) -> set[str]:
    """Which of these works stand in their owner's family tree, by their codes; none where it can't be read."""
    with contextlib.suppress(Refused):
        return family.among(home, owner or "", [work.recipe for work in works])
    return set()


def wall_html(home: Path, owner: str | None, query: Query, first: int) -> tuple[str, bool]:
    """The wall, and whether anything hangs in the gallery at all."""
    works, count = gallery.find(home, owner, query, first, SHOWN)
    if not works and first:  # what was removed was the last page
        first = max(0, (count - 1) // SHOWN * SHOWN)
        works, count = gallery.find(home, owner, query, first, SHOWN)
    anything = bool(count) or gallery.find(home, owner, most=1)[1] > 0
    kin = in_family(home, works, owner)
    html = "".join(figure(home, work, work.recipe in kin) for work in works)
    if anything and not count:
        html = f'<p class="empty">{escape(say("gallery.nothing"))}</p>'
    bar = toolbar(first, len(works), count) if count else ""
    links = sent_links(home, owner)
    return (
        f'{removed_note(gallery.removed(home, owner))}{bar}<div class="works" data-first="{first}">{html}</div>{links}',
        anything,
    )


def stamper(home: Path):
    """What the wall's script asks for: whether there is anything new to hang."""

    def stamped(_asked: object) -> str:
        return gallery.stamp(home)

    return stamped


def place_of(text: object) -> int:
    """The first work of a page as a browser sends it."""
    text = str(text or "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
    home = shared.home

    with gr.Row(elem_id="gallery-open-row"):
        wanted = gr.Textbox(
            label=say("gallery.open"),
            placeholder=say("gallery.open.hint"),
            max_length=limits.MOST_LINK_CHARS,
            elem_id="gallery-open",
            min_width=280,
            scale=3,
        )
        cards.zone(shared, "gallery")
    with gr.Column(elem_id="gallery-empty") as nothing:
        gr.HTML(look.sentence(say("gallery.empty")))
        begin = gr.Button(say("gallery.empty.do"), variant="primary")
    with gr.Row(elem_id="gallery-find", visible=False) as finding:
        text = gr.Textbox(
            label=say("gallery.search"),
            placeholder=say("gallery.search.hint"),
            max_length=gallery.MOST_QUERY_CHARS,
            elem_id="gallery-search",
            scale=3,
            min_width=200,
        )
        order = gr.Dropdown(
            [(say(f"gallery.order.{name}"), name) for name in gallery.ORDERS],
            value="newest",
            label=say("gallery.order"),
            elem_id="gallery-order",
            filterable=False,
            min_width=140,
        )
        model, label = (
            gr.Dropdown(
                [(say("gallery.any"), "")],
                value="",
                label=say(f"gallery.{name}"),
                elem_id=f"gallery-{name}",
                filterable=False,
                min_width=140,
            )
            for name in ("model", "label")
        )
    wall = gr.HTML(
        '<div class="works"></div>',
        elem_id="gallery-wall",
        elem_classes="piece",
        js_on_load=look.polling("gallery.js") + tiles.script(),
        apply_default_css=False,
        server_functions=[*collect.functions(shared), stamper(home)],
    )
    packed = gr.File(label=say("gallery.packed"), visible=False, elem_id="gallery-zip", height=80)
    controls = [shared.key, text, order, model, label]
    hung = [wall, nothing, finding, model, label, packed]

    def hang(key: str, *asked: object, first: int = 0) -> dict:
        """What hangs on the wall."""
        owner = collect.owner_to_ask(shared, key)
        words, how, of_model, of_label = (str(one or "") for one in asked)
        try:
            models, labels = gallery.choices(home, owner)
            chosen = (of_model if of_model in models else "", of_label if of_label in labels else "")
            query = Query(words, *chosen, how)
            html, anything = wall_html(home, owner, query, first)
        except Refused as refused:  # the rest of the page works
            return {wall: gr.update(value=tiles.note(refused.refusal.sentence, "bad"))}

        def offered(names: list[str], value: str) -> object:
            return gr.update(
                choices=[(say("gallery.any"), ""), *((name, name) for name in names)], value=value
            )

        return {
            wall: gr.update(value=html),
            nothing: gr.update(visible=not anything),
            finding: gr.update(visible=anything),
            model: offered(models, chosen[0]),
            label: offered(labels, chosen[1]),
        }

    def anew(event: gr.EventData, *asked: object) -> dict:
        """The page that the wall showed, hung anew."""
        data = event._data if isinstance(event._data, dict) else {}
        return hang(*asked, first=place_of(data.get("first")))

    wall.look(anew, controls, hung, api_name="ui_gallery", **QUIET)
    for name, event in (
        ("search", text.change),
        ("order", order.input),
        ("model", model.input),
        ("label", label.input),
    ):
        event(hang, controls, hung, api_name=f"ui_gallery_{name}", trigger_mode="always_last", **QUIET)
    begin.click(lambda: gr.Tabs(selected="play"), None, shared.tabs, api_name="ui_gallery_begin", **QUIET)

    def opened(text: str):
        """Show an artwork in its tool."""
        with told():
            code = artworks.find_code(text)
            artworks.model_of(home, artworks.decode(code))
        return showing(shared, code)

    opens = [shared.art, shared.translated, shared.tabs]
    wanted.submit(opened, wanted, opens, api_name="ui_gallery_open", **QUIET)

    def zipped(owner: str | None, ids: list[str]) -> dict:
        """The chosen works as a file to save."""
        works = gallery.by_ids(home, owner, ids)
        if not works:
            raise Refused(refuse("gallery-none"))
        path = Path(get_upload_folder()) / files.new_id("zip") / "gan-play-gallery.zip"
        path.parent.mkdir(parents=True)
        gallery.pack(home, works, path)
        kept = save_file_to_cache(path, get_upload_folder())  # Gradio removes it in time
        path.unlink()
        path.parent.rmdir()
        return {packed: gr.update(value=kept, visible=True)}

    def acted(event: gr.EventData, key: str, *asked: object):
        """What the buttons of the wall do."""
        data = event._data if isinstance(event._data, dict) else {}
        do, owner = data.get("do"), collect.owner_to_ask(shared, key)
        first = place_of(data.get("first"))
        ids = [str(one) for one in data.get("ids") or () if isinstance(one, str)][: limits.MOST_WORKS]
        with told():
            if do == "play":
                code = str(data.get("code", ""))
                try:
                    gallery.check_alive(home, code)
                except Refused:  # its link is withdrawn, but it is still one's own
                    code = gallery.plain(code)
                return opened(code)
            if do == "zip":
                return zipped(owner, ids)
            if do == "forget":
                work = gallery.by_code(home, owner, str(data.get("code", "")))
                gallery.remove(home, owner, [work.id] if work else [])
            elif do == "remove":
                gallery.remove(home, owner, ids)
            elif do == "undo":
                gallery.bring_back(home, owner)
            elif do == "describe":
                gallery.describe(home, owner, *(str(data.get(name, "")) for name in ("id", "name", "notes")))
            elif do == "turn":
                first = max(0, first + SHOWN * (1 if data.get("way") == "forth" else -1))
            else:
                return gr.skip()
            return hang(key, *asked, first=first)

    wall.act(acted, controls, [*opens, *hung], api_name="ui_gallery_act", **QUIET)
