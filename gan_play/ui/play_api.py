"""Playing for programs: /sample, /mix, /walk, /film, /label_grid, /breed, /steer, /directions, /project, /palette,
/translate, /style, /style_at_once, /blend, /render and /share.

Each is a plain typed function; its docstring is its public description. Pictures and films come back as files, with
the card inside PNGs; every picture is rendered canonically, so it is the one that the page shows. A refusal is an
error with one sentence.
"""

from dataclasses import replace
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from gan_play import limits
from gan_play.latent import blend, breed, film, palette, project, sample, steer
from gan_play.latent.directions import OFFERED
from gan_play.latent.walk import best_way
from gan_play.pictures import intake
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share import films, naming, styled, translating
from gan_play.share.artwork import Artwork
from gan_play.share.gallery import check_alive
from gan_play.translate import instant, style
from gan_play.ui import child, sounds, transform
from gan_play.ui.blend import create
from gan_play.ui.gather import uploaded
from gan_play.ui.share_routes import picture
from gan_play.ui.shared import Shared, told, whose

MOST_AT_ONCE = 2
"""Calls that compute at the same time; others wait in the queue."""


def register(shared: Shared) -> None:
    """Add the endpoints to the Blocks that is being built."""
    home = shared.home

    def sample_pictures(
        run: str, seeds: str = "0-35", truncation: float = 0.7, label: str = ""
    ) -> list[gr.FileData]:
        """The pictures of seeds, one PNG each, in their order.

        Parameters:
            run: id of the run
            seeds: as in "0-35" or "1, 5, 9"; 144 at most
            truncation: how adventurous, 0 to 2
            label: name or number of a label, of a model that has any
        """
        with told():
            model = sample.load(home, run)
            kind = sample.find_label(model, label)
            recipes = [
                Artwork("sample", model.digest[:16], (seed,), truncation, kind)
                for seed in sample.parse_seeds(seeds_text(seeds))
            ]
            seeds = [recipe.seeds[0] for recipe in recipes]
            names = [f"seed{seed:05d}" if isinstance(seed, int) else f"found{seed.name}" for seed in seeds]
            return [png(home, recipe, f"{name}.png") for recipe, name in zip(recipes, names)]

    def mix(
        run: str, rows: str, columns: str, band: str = "coarse", truncation: float = 0.7, label: str = ""
    ) -> tuple[gr.FileData, str]:
        """A figure of style mixing as one PNG, and its code: a row's seed gives the band, a column's the rest.

        Parameters:
            run: id of the run
            rows: seeds, as in "1, 5, 9"; 12 at most
            columns: likewise
            band: "coarse" (composition), "middle" (form) or "fine" (colour)
            truncation: how adventurous, 0 to 2
            label: name or number of a label
        """
        with told():
            across, down = (
                tuple(sample.parse_seeds(seeds_text(text), 1, limits.MOST_MIX_SEEDS))
                for text in (columns, rows)
            )
            model = sample.load(home, run)
            kind = sample.find_label(model, label)
            recipe = Artwork("mix_grid", model.digest[:16], down, truncation, kind, columns=across, band=band)
            return png(home, recipe, "mix.png"), artworks.encode(recipe)

    def mix_two(
        run: str,
        first: int,
        second: int,
        coarse: float = 0,
        middle: float = 0,
        fine: float = 1,
        truncation: float = 0.7,
        label: str = "",
        second_label: str = "",
    ) -> tuple[gr.FileData, str]:
        """One seed's picture with another's composition, form and colour by three weights; and its code.

        Parameters:
            run: id of the run
            first: seed of the picture that is changed
            second: seed of the picture that gives
            coarse: how much of its composition, 0 to 1
            middle: how much of its form
            fine: how much of its colour
            truncation: how adventurous, 0 to 2
            label: name or number of a label
            second_label: that of the second picture, where it is another one
        """
        with told():
            model = sample.load(home, run)
            kind = sample.find_label(model, label)
            other = sample.find_label(model, second_label) if second_label else kind
            kinds = {"label": kind} if other == kind else {"labels": (kind, other)}
            weights = (coarse, middle, fine)
            recipe = Artwork(
                "mix" if other == kind else "label_mix",
                model.digest[:16],
                (first, second),
                truncation,
                weights=weights,
                **kinds,
            )
            return png(home, recipe, "mix.png"), artworks.encode(recipe)

    def walk(
        run: str,
        seeds: str,
        seconds: float = 8,
        loop: bool = True,
        form: str = "mp4",
        fps: int = 24,
        way: str = "",
        easing: str = "smooth",
        truncation: float = 0.7,
        label: str = "",
        labels: str = "",
    ) -> tuple[gr.FileData, str]:
        """A film that passes through two to twelve seeds, or through the labels of one, and its code.

        Parameters:
            run: id of the run
            seeds: in their order, as in "1, 5, 9"
            seconds: how long
            loop: whether it leads back to the first one without a seam
            form: "mp4", "gif", "webp", or "zip" for its frames as PNG
            fps: frames a second
            way: "w" through the styles, "z" through the noise, or nothing: what suits the network
            easing: "linear", "smooth", "gentle" or "linger"
            truncation: how adventurous, 0 to 2
            label: name or number of a label, of the whole walk
            labels: one for each seed, or all that one seed passes through, as in "landscape, portrait"
        """
        with told():
            stops = tuple(sample.parse_seeds(seeds_text(seeds), 1, limits.MOST_STOPS))
            model = sample.load(home, run)
            path = tuple(sample.parse_labels(model, seeds_text(labels))) if labels else ()
            recipe = Artwork(
                "label_walk" if path else "walk",
                model.digest[:16],
                stops * max(1, len(path)) if len(stops) == 1 else stops,
                truncation,
                None if path else sample.find_label(model, label),
                labels=path,
                seconds=seconds,
                fps=fps,
                how=way or best_way(model),
                easing=easing,
                loop=loop,
            )
            film.check_format(form)
            made = artworks.render(home, recipe, form)
        return file(made.film.read_bytes(), f"walk.{form}"), made.code

    def film_keys(
        run: str,
        keys: str,
        kind: str = "",
        loop: bool = True,
        moves: str = "",
        sweep: str = "",
        form: str = "mp4",
        fps: int = 24,
        grid: int = 1,
        radius: float = 0,
        truncation: float = 0.7,
        label: str = "",
        sound: gr.FileData | None = None,
        react: str = "speed=onset",
        seconds: float = 0,
    ) -> tuple[gr.FileData, str]:
        """A film through keyframes, each with its own time, easing and rest; and its code.

        Parameters:
            run: id of the run
            keys: a seed or a code each, then seconds to the next, "hold=" seconds, an easing, "label=", as in
                "1:2s, 5:1.5s:hold=0.5, 9:gentle"
            kind: "linear" through the styles, "spherical" through the noise, "breathe", "circle", or nothing
            loop: whether it leads back to the first one
            moves: what moves, of "coarse", "middle", "fine"; nothing: all
            sweep: what changes on the way, as in "truncation=0.2..1.2, light=-1..2"
            form: "mp4", "gif", "webp", or "zip" for its frames as PNG
            fps: frames a second
            grid: so many walks in a row, and as many rows, 1 to 3
            radius: how far it breathes, 0 to 1
            truncation: how adventurous, 0 to 2
            label: name or number of a label, where a keyframe names none
            sound: a WAV, MP3, FLAC or Ogg file that the film moves to, is as long as, and as MP4 carries
            react: what it does, as in "speed=onset:0.5, truncation=loudness:0.3, light=low:-1, sefa2=high"
            seconds: so much of the sound, from its beginning; 0: all
        """
        with told():
            model = sample.load(home, run)
            heard = None
            if sound:
                kept = sounds.kept(home, sent(sound), shared.public)
                heard = films.music_of(kept, films.parse_reactions(react), seconds or None)
            recipe = films.film(
                model,
                seeds_text(keys),
                kind=kind,
                truncation=truncation,
                label=label,
                moving=moves,
                sweep=sweep,
                loop=loop,
                fps=fps,
                grid=grid,
                radius=radius,
                music=heard,
            )
            film.check_format(form)
            made = artworks.render(home, recipe, form)
        return file(made.film.read_bytes(), f"film.{form}"), made.code

    def render(code: str) -> tuple[gr.FileData, str, str]:
        """The picture that a share code or a whole link names (of a walk: its film as MP4), the SHA-256 of its
        pixels, and a sentence on whether it is what was shared.

        Parameters:
            code: a share code or a link
        """
        with told():
            recipe = artworks.decode(code)
            check_alive(home, code)
            if recipe.is_film:
                made = artworks.render(home, recipe)
                return file(made.film.read_bytes(), "walk.mp4"), made.sha256, made.sentence
            found = picture(home, artworks.find_code(code))
        return file(found.png, "art.png"), found.sha256, found.sentence

    def label_grid(
        run: str, seeds: str = "0-5", labels: str = "", truncation: float = 0.7
    ) -> tuple[gr.FileData, str]:
        """Label by seed as one PNG, and its code: each row a label, each column a seed.

        Parameters:
            run: id of the run
            seeds: as in "0-5"; 12 at most
            labels: names or numbers, as in "landscape, portrait", 12 at most; or nothing for all of them
            truncation: how adventurous, 0 to 2
        """
        with told():
            columns = tuple(sample.parse_seeds(seeds_text(seeds), 1, limits.MOST_MIX_SEEDS))
            model = sample.load(home, run)
            every = range(min(len(model.labels), limits.MOST_MIX_SEEDS))
            rows = tuple(sample.parse_labels(model, seeds_text(labels)) if labels else every)
            recipe = Artwork("label_grid", model.digest[:16], columns, truncation, labels=rows)
            return png(home, recipe, "labels.png"), artworks.encode(recipe)

    def breed_children(
        run: str,
        parent: str,
        second: str = "",
        strength: float = 0.3,
        hold: str = "",
        seeds: str = "1000-1011",
        truncation: str = "",
        label: str = "",
    ) -> tuple[list[gr.FileData], list[str]]:
        """Children of one picture, or the pictures on the way from one to another: a PNG each, and their codes.

        Parameters:
            run: id of the run
            parent: a seed, or the code of a picture
            second: likewise; nothing for mutations of the one
            strength: how far children go from the one, 0 to 1
            hold: what stays as it is, of "coarse" (composition), "middle" (form), "fine" (colour); commas between
            seeds: which children, one for each; of two parents only their number counts
            truncation: how adventurous, 0 to 2; nothing: that of the code, or 0.7
            label: name or number of a label, of parents that are given by their seed
        """
        with told():
            model = sample.load(home, run)
            kind = sample.find_label(model, label)
            named = [seeds_text(parent), *([seeds_text(second)] if second else [])]
            parents = [artworks.parent(model, text, kind) for text in named]
            if truncation not in ("", None):
                parents = [replace(one, truncation=truncation) for one in parents]
            drawn = sample.parse_seeds(seeds_text(seeds))
            recipes = artworks.brood(parents, drawn, strength, breed.parse_bands(hold))
            files = [png(home, recipe, f"child{place:02d}.png") for place, recipe in enumerate(recipes, 1)]
            return files, [artworks.encode(recipe) for recipe in recipes]

    def steer_picture(
        run: str, picture: str, by: str, truncation: str = "", label: str = ""
    ) -> tuple[gr.FileData, str]:
        """A picture with more or less of what can be measured of it, the rest left as it is; and its code.

        Parameters:
            run: id of the run
            picture: a seed, or the code of a picture
            by: amounts from -3 to 3, as in "light=1.5, warmth=-1"; also saturation, hue, contrast, detail,
                symmetry, horizon, busyness; and the model's own directions, as in "sefa2=1, pca1@coarse=-1"
            truncation: how adventurous, 0 to 2; nothing: that of the code, or 0.7
            label: name or number of a label, of a picture that is given by its seed
        """
        with told():
            model = sample.load(home, run)
            found = artworks.parent(model, seeds_text(picture), sample.find_label(model, label))
            steps = steer.added(found.steps, steer.parse_steps(by))
            recipe = artworks.bred(
                found.genome, found.model, found.truncation if truncation in ("", None) else truncation, steps
            )
            return png(home, recipe, "steered.png"), artworks.encode(recipe)

    def blend_models(
        first: str,
        second: str,
        weight: float = 0.5,
        coarse: str = "",
        middle: str = "",
        fine: str = "",
        mapping: str = "",
        name: str = "",
        key: str = "",
    ) -> str:
        """A new model between two that share an ancestor; its run's id.

        Parameters:
            first: id of a run
            second: id of another one
            weight: how much of the second, 0 to 1
            coarse: how much in the layers of composition; nothing: as weight, here and below
            middle: in those of form
            fine: in those of colour
            mapping: in what each seed stands for
            name: of the new model
            key: a secret, where strangers may come
        """
        with told():
            given = {"coarse": coarse, "middle": middle, "fine": fine, "mapping": mapping}
            own = {part: None if share in ("", None) else share for part, share in given.items()}
            shares = blend.check_shares(weight, **own)
            return create(shared, sample.load(home, first), sample.load(home, second), shares, name, key)

    def list_directions(
        run: str, count: int = 8, rename: str = "", reset: str = "", key: str = ""
    ) -> list[dict]:
        """What a model can be steered by: directions found in its weights and styles, with names and what they change.

        Parameters:
            run: id of the run
            count: how many, the strongest first; 40 at most
            rename: a name for one of them, as in "sefa2@fine=Evening light": it is kept from now on
            reset: one that goes by its proposed name again, as in "sefa2"
            key: yours, where strangers may come: names are for whoever has it
        """
        with told():
            if not 1 <= count <= OFFERED:
                raise Refused(refuse("direction-count", str(count), most=OFFERED))
            model, owner = sample.load(home, run), whose(shared, key)
            if rename:
                way, _, name = rename.partition("=")
                naming.keep(home, model, way.strip(), name, owner)
            if reset:
                naming.put_back(home, model, reset, owner)
            return [naming.as_dict(one) for one in naming.named(home, model, owner, count)]

    def project_picture(
        run: str, picture: gr.FileData, mask: gr.FileData | None = None, steps: int = project.STEPS
    ) -> tuple[gr.FileData, str, float, str]:
        """Your own picture, found in a model: its painting, its code, how far it is away (0: the same, 1: as far as
        the model's average picture), and the point's text, which stands wherever a seed may.

        Parameters:
            run: id of the run
            picture: an uploaded picture; what isn't square is cropped
            mask: of the same size: white is to be met, black the model paints by itself
            steps: of the search; 300 take about half a minute at 64 px
        """
        with told():
            model, count = sample.load(home, run), project.check_steps(steps)
            pixels = intake.read_picture_file(sent(picture))
            seen = intake.read_picture_file(sent(mask)).mean(axis=2) > 127 if mask else None
            target = project.check_target(model, pixels, seen)
            *_, last = project.resumed(home, model, target, count)
            recipe = Artwork("sample", model.digest[:16], (last.point,), label=last.label)
            return png(home, recipe, "found.png"), artworks.encode(recipe), last.distance, str(last.point)

    def paint_palette(run: str, picture: str, towards: str, label: str = "") -> tuple[gr.FileData, str, str]:
        """A picture in other colours; its code, and the text of its point, which stands wherever a seed may.

        Parameters:
            run: id of the run
            picture: a seed, or the code of a picture
            towards: one to eight colours, as in "#1a2b3c, #ffffff"
            label: name or number of a label, of a picture that is given by its seed
        """
        with told():
            model = sample.load(home, run)
            begun = artworks.parent(model, seeds_text(picture), sample.find_label(model, label))
            wanted = palette.parse_palette(seeds_text(towards))
            *_, last = palette.towards(
                model, begun.genome, wanted, begun.truncation, begun.steps, palette.STEPS
            )
            recipe = Artwork("sample", model.digest[:16], (last.point,), begun.truncation, last.label)
            return png(home, recipe, "palette.png"), artworks.encode(recipe), str(last.point)

    def paint_style(
        content: gr.FileData,
        styles: list[gr.FileData] | None = None,
        set_id: str = "",
        size: int = style.SIZE_PX,
        strength: float = 1,
        scale: float = 1,
        keep_colours: bool = False,
        mask: gr.FileData | None = None,
        elsewhere: list[gr.FileData] | None = None,
    ) -> tuple[gr.FileData, float, float]:
        """Your own picture, painted as others are, without any model; how far the painting is from the style (0 has its
        textures, 1 none) and from the picture (0: the same).

        Parameters:
            content: an uploaded picture; it keeps its shape
            styles: one to eight uploaded pictures to paint like
            set_id: what create_set returned: a set to paint like, by four pictures of it
            size: of the longer side, 64 to 512 pixels; 256 take about 80 seconds
            strength: of the style, 0 to 2
            scale: how coarse the brushwork is, 0.25 to 2
            keep_colours: whether the content's colours stay
            mask: of the content's size: white gets the style, black stays as it is
            elsewhere: uploaded pictures of a second style, for where the mask is black
        """
        with told():
            dials = style.check_dials(size, strength, scale, keep_colours)
            wish = (
                sent(content),
                tuple(map(sent, styles or ())),
                set_id,
                dials,
                sent(mask) if mask else None,
            )
            steps = child.following(styled.painting, home, *wish, tuple(map(sent, elsewhere or ())))
            # Those of the page come in their turn, too.
            *_, last = transform.PROPERLY.served(steps, lambda: False, str)
        return file(last.png, "painted.png"), last.style, last.content

    def translate_picture(
        run: str,
        picture: gr.FileData,
        strength: float = 1,
        drawn: bool = False,
        size: int = limits.MOST_TRANSLATED_PX,
        mask: gr.FileData | None = None,
        times: int = 0,
        back: bool = False,
    ) -> tuple[gr.FileData, str]:
        """Your own picture, painted by a trained translator; and the painting's code.

        Parameters:
            run: id of the run
            picture: an uploaded picture; it keeps its shape
            strength: 0 is the picture itself, 1 the painting, 2 beyond it
            drawn: whether it is a drawing already: a sketch's lines, or flat colours
            size: its longer side is brought down to so many pixels, 32 to 2048
            mask: of the picture's size: white is painted, black stays as it is; a repair needs one
            times: of a translator that enlarges, 2 or 4; 0 is what suits
            back: of one that goes both ways, the second
        """
        with told():
            given = {"strength": strength, "drawn": drawn, "back": back, "times": times or None}
            covered = sent(mask) if mask else None
            made = translating.from_file(home, run, sent(picture), covered, size, **given)
            return png(home, made, "translated.png"), artworks.encode(made)

    def style_at_once(
        content: gr.FileData,
        styles: list[gr.FileData] | None = None,
        set_id: str = "",
        size: int = style.SIZE_PX,
        strength: float = 1,
        scale: float = 1,
        keep_colours: bool = False,
        mask: gr.FileData | None = None,
        elsewhere: list[gr.FileData] | None = None,
        weights: list[float] | None = None,
    ) -> gr.FileData:
        """Your own picture, painted as others are, at once: more roughly than by /style.

        Parameters:
            content: an uploaded picture; it keeps its shape
            styles: one to eight uploaded pictures to paint like
            set_id: what create_set returned: a set to paint like, by four pictures of it
            size: of the longer side, 64 to 2048 pixels; 256 take some seconds
            strength: of the style, 0 to 2
            scale: how coarse the brushwork is, 0.25 to 2
            keep_colours: whether the content's colours stay
            mask: of the content's size: white gets the style, black stays as it is
            elsewhere: uploaded pictures of a second style, for where the mask is black
            weights: how much each of `styles` counts, 0 to 100
        """
        with told():
            dials = instant.check_dials(size, strength, scale, keep_colours)
            wish = (
                sent(content),
                tuple(map(sent, styles or ())),
                set_id,
                dials,
                sent(mask) if mask else None,
                tuple(map(sent, elsewhere or ())),
                tuple(weights or ()),
            )
            (data,) = child.following(styled.at_once, home, *wish)
        return file(data, "painted.png")

    def share(run: str, seed: int, truncation: float = 0.7, label: str = "") -> str:
        """The share code of a seed's picture; its model is kept from now on.

        Parameters:
            run: id of the run
            seed: of the picture
            truncation: how adventurous, 0 to 2
            label: name or number of a label
        """
        with told():
            model = sample.load(home, run)
            kind = sample.find_label(model, label)
            return artworks.share(home, Artwork("sample", model.digest[:16], (seed,), truncation, kind)).code

    for name, function in (
        ("sample", sample_pictures),
        ("mix", mix),
        ("mix_two", mix_two),
        ("walk", walk),
        ("film", film_keys),
        ("label_grid", label_grid),
        ("breed", breed_children),
        ("steer", steer_picture),
        ("directions", list_directions),
        ("blend", blend_models),
        ("project", project_picture),
        ("palette", paint_palette),
        ("translate", translate_picture),
        ("render", render),
        ("share", share),
    ):
        gr.api(function, api_name=name, concurrency_limit=MOST_AT_ONCE, concurrency_id="play")
    gr.api(paint_style, api_name="style", concurrency_limit=1, concurrency_id="style")
    gr.api(style_at_once, api_name="style_at_once", concurrency_limit=1, concurrency_id="style_at_once")


def seeds_text(seeds: object) -> str:
    """Seeds as text, also where a program sent a number or a list of them."""
    if isinstance(seeds, (list, tuple)):
        return ",".join(map(str, seeds))
    return str(seeds)


def sent(file: object) -> Path:
    """Where a file lies that a client sent. Refused unless it came through Gradio's upload."""
    return uploaded(file.get("path") if isinstance(file, dict) else getattr(file, "path", None))


def png(home, recipe: Artwork, name: str) -> gr.FileData:
    """An artwork as a file of Gradio's, with its card inside."""
    return file(picture(home, artworks.encode(recipe)).png, name)


def file(data: bytes, name: str) -> gr.FileData:
    """Bytes as a file that Gradio serves and, in time, removes."""
    path = save_bytes_to_cache(data, name, get_upload_folder())
    return gr.FileData(path=path, orig_name=name, size=len(data))
