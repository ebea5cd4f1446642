"""Playing for programs: the endpoints /sample, /mix, /walk, /render and /share.

Each is a plain typed function; its docstring is its public description. Pictures and films come back as files, with
the card inside PNGs; every picture is rendered canonically, so it is the one that the page shows. A refusal is an
error with one sentence.
"""

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from gan_play import limits
from gan_play.latent import film, sample
from gan_play.latent.walk import best_way
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.ui.share_routes import picture
from gan_play.ui.shared import Shared, told

MOST_AT_ONCE = 2
"""Calls that compute at the same time; others wait in the queue."""


def register(shared: Shared) -> None:
    """Add the endpoints to the Blocks that is being built."""
    home = shared.home

    def sample_pictures(run: str, seeds: str = "0-35", truncation: float = 0.7) -> list[gr.FileData]:
        """The pictures of seeds, one PNG each, in their order.

        Parameters:
            run: id of the run
            seeds: as in "0-35" or "1, 5, 9"; 144 at most
            truncation: how adventurous, 0 to 2
        """
        with told():
            model = sample.load(home, run)
            recipes = [
                Artwork("sample", model.digest[:16], (seed,), truncation)
                for seed in sample.parse_seeds(seeds_text(seeds))
            ]
            return [png(home, recipe, f"seed{recipe.seeds[0]:05d}.png") for recipe in recipes]

    def mix(
        run: str, rows: str, columns: str, band: str = "coarse", truncation: float = 0.7
    ) -> tuple[gr.FileData, str]:
        """A figure of style mixing as one PNG, and its code: a row's seed gives the band, a column's the rest.

        Parameters:
            run: id of the run
            rows: seeds, as in "1, 5, 9"; 12 at most
            columns: likewise
            band: "coarse" (composition), "middle" (form) or "fine" (colour)
            truncation: how adventurous, 0 to 2
        """
        with told():
            across, down = (
                tuple(sample.parse_seeds(seeds_text(text), 1, limits.MOST_MIX_SEEDS))
                for text in (columns, rows)
            )
            digest = sample.load(home, run).digest[:16]
            recipe = Artwork("mix_grid", digest, down, truncation, columns=across, band=band)
            return png(home, recipe, "mix.png"), artworks.encode(recipe)

    def mix_two(
        run: str,
        first: int,
        second: int,
        coarse: float = 0,
        middle: float = 0,
        fine: float = 1,
        truncation: float = 0.7,
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
        """
        with told():
            digest = sample.load(home, run).digest[:16]
            recipe = Artwork("mix", digest, (first, second), truncation, weights=(coarse, middle, fine))
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
    ) -> tuple[gr.FileData, str]:
        """A film that passes through two to twelve seeds, and its code.

        Parameters:
            run: id of the run
            seeds: in their order, as in "1, 5, 9"
            seconds: how long
            loop: whether it leads back to the first one without a seam
            form: "mp4", "gif" or "webp"
            fps: frames a second
            way: "w" through the styles, "z" through the noise, or nothing: what suits the network
            easing: "linear", "smooth", "gentle" or "linger"
            truncation: how adventurous, 0 to 2
        """
        with told():
            stops = tuple(sample.parse_seeds(seeds_text(seeds), limits.LEAST_STOPS, limits.MOST_STOPS))
            model = sample.load(home, run)
            recipe = Artwork(
                "walk",
                model.digest[:16],
                stops,
                truncation,
                seconds=seconds,
                fps=fps,
                how=way or best_way(model),
                easing=easing,
                loop=loop,
            )
            film.check_format(form)
            made = artworks.render(home, recipe, form)
        return file(made.film.read_bytes(), f"walk.{form}"), made.code

    def render(code: str) -> tuple[gr.FileData, str, str]:
        """The picture that a share code or a whole link names (of a walk: its film as MP4), the SHA-256 of its
        pixels, and a sentence on whether it is what was shared.

        Parameters:
            code: a share code or a link
        """
        with told():
            recipe = artworks.decode(code)
            if recipe.operation == "walk":
                made = artworks.render(home, recipe)
                return file(made.film.read_bytes(), "walk.mp4"), made.sha256, made.sentence
            found = picture(home, artworks.find_code(code))
        return file(found.png, "art.png"), found.sha256, found.sentence

    def share(run: str, seed: int, truncation: float = 0.7) -> str:
        """The share code of a seed's picture; its model is kept from now on.

        Parameters:
            run: id of the run
            seed: of the picture
            truncation: how adventurous, 0 to 2
        """
        with told():
            digest = sample.load(home, run).digest[:16]
            return artworks.share(home, Artwork("sample", digest, (seed,), truncation)).code

    for name, function in (
        ("sample", sample_pictures),
        ("mix", mix),
        ("mix_two", mix_two),
        ("walk", walk),
        ("render", render),
        ("share", share),
    ):
        gr.api(function, api_name=name, concurrency_limit=MOST_AT_ONCE, concurrency_id="play")


def seeds_text(seeds: object) -> str:
    """Seeds as text, also where a program sent a number or a list of them."""
    if isinstance(seeds, (list, tuple)):
        return ",".join(map(str, seeds))
    return str(seeds)


def png(home, recipe: Artwork, name: str) -> gr.FileData:
    """An artwork as a file of Gradio's, with its card inside."""
    return file(picture(home, artworks.encode(recipe)).png, name)


def file(data: bytes, name: str) -> gr.FileData:
    """Bytes as a file that Gradio serves and, in time, removes."""
    path = save_bytes_to_cache(data, name, get_upload_folder())
    return gr.FileData(path=path, orig_name=name, size=len(data))
