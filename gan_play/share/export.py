"""What leaves the house with a model: its card, for who meets it without us.

A card is Markdown with YAML front matter, as the Hugging Face Hub wants a README. It says what is known, and what
isn't: data (never a file's name), recipe, settings, scores, copies, health, limits. The licence is for the user to
choose.
"""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Mapping
from pathlib import Path

from gan_play import files
from gan_play.latent import blend
from gan_play.latent.blend import Blend
from gan_play.measure.features import FEATURES, LOOK_PX
from gan_play.refusals import Refused, printable, refuse
from gan_play.runs import checkpoints, findings, labels, store
from gan_play.trainers.recipes import RECIPES, Recipe, Settings

MOST_LABELS = 40  # that are named in a card
MOST_NAME_CHARS = 60
EVALUATION = "evaluation.json"
"""In a run folder: what `evaluate` said last."""

FITS = {"crop": "centre crops", "border": "kept whole, with a border", "several": "several crops of each"}
PLACES = {"cpu": "processor", "cuda": "graphics card", "mps": "graphics chip"}
OWN_LICENCE = "unknown # yours to choose, as far as your pictures allow: cc-by-4.0, mit, ..."
SHIPPED_LICENCE = "mit"

FRONT = """---
license: {licence}
library_name: pytorch
pipeline_tag: unconditional-image-generation
tags:
- gan
- gan-play
- {recipe}
---
"""

CARD = """# {name}, {size} px

A small GAN (recipe `{recipe}`, width {width}, {size} x {size} px), {made} with GAN Play {version}. {sentence}

| | |
|---|---|
{rows}

## Limits

It makes variations of the pictures that it learnt from and knows nothing else; what they lack or repeat, it lacks or
repeats. It is no tool to identify, imitate or date a painter. {not_measured}

## Licence and rights

Choose a licence in the first lines of this file, as far as the pictures allow: the rights in these stay with their
makers, and none of them is in the checkpoint.

## How to paint with it

Put the run's folder into `checkpoints/` of GAN Play, and open the page, or:

```
python -m gan_play sample {run} --seeds 0-35 --out grid.png
```
"""


def plain(text: object, most: int = MOST_NAME_CHARS) -> str:
    """Anybody's text as Markdown that says just that: one line, nothing in it is markup, a link or a table's edge."""
    text = html.escape(printable(str(text), most), quote=False)
    return re.sub(r"([\\`*_{}\[\]()#+.!|~$:@^=])", r"\\\1", text)


def model_card(home: Path, run: str) -> str:
    """The card of a run's newest state, as the README of a model on the Hugging Face Hub.

    Refused for an unknown or damaged run, or one without a state. A model that came with the program keeps the card
    that came with it.
    """
    folder = store.find_run(home, run)
    about = store.read_run(folder)
    if about is None:
        raise Refused(refuse("run-damaged", run))
    path, header = _newest(folder)
    settings = checkpoints.settings_of(header)
    recipe = RECIPES[settings.recipe]
    own = folder / "README.md"
    if store.is_shipped(folder) and own.is_file():
        front = FRONT.format(licence=SHIPPED_LICENCE, recipe=recipe.name)
        return f"{front}\n{own.read_text('utf-8')}"
    known = findings.of_step(folder, about, int(header["step"]))
    evaluated = _evaluation(folder)
    versions = about.get("versions")
    version = versions.get("gan_play") if isinstance(versions, Mapping) else None
    of_two = blend.read(about)
    rights = plain(store.rights_of(about), store.MOST_RIGHTS_CHARS)
    known_of_it = {"rights in these": rights, "labels": _labels(about)}
    if of_two:
        rows = _of_blend(of_two, recipe) | known_of_it
    else:
        rows = {
            "learnt from": _data(about, settings),
            **known_of_it,
            "held back": _held_back(about),
            "recipe": f"{recipe.title}: {recipe.paper}",
            "settings": _settings(settings, recipe),
            "trained": _trained(folder, header, settings),
            "started from": _started(about),
            "score": _score(known),
            "evaluated": _evaluated(evaluated),
            "copies": _looked(known, plain(known.copy, 200)),
            "health": _looked(known, plain(f"{known.health} {known.leak}".strip(), 300)),
        }
    rows |= {
        "file": f"`{path.name}`; SHA-256 of the averaged generator's tensors `{header['model_digest']}`",
    }
    missing = [
        what
        for what, there in (
            ("how near it comes to its set", known.score is not None or evaluated),
            ("whether it copies", known.copy),
            ("FID in Inception features", evaluated.get("features") == "inception"),
        )
        if not there
    ]
    return FRONT.format(licence=OWN_LICENCE, recipe=recipe.name) + CARD.format(
        name=plain(about["name"]),
        size=settings.size_px,
        recipe=recipe.name,
        width=settings.width,
        made="blended of two" if of_two else "trained",
        version=plain(version or "of an unknown version"),
        sentence=recipe.sentence,
        rows="\n".join(f"| {what} | {said} |" for what, said in rows.items() if said),
        not_measured=f"Not measured: {'; '.join(missing)}." if missing else "",
        run=folder.name,
    )


def _newest(folder: Path) -> tuple[Path, dict[str, str]]:
    """The newest checkpoint of a run that is one, and its header. Refused where there is none."""
    for path in (*checkpoints.states(folder), checkpoints.newest(folder)):
        with contextlib.suppress(Refused, FileNotFoundError):
            if path is not None:
                return path, checkpoints.read_header(path)[0]
    raise Refused(refuse("no-checkpoint", folder.name))


# The rows of the table; each is "" where nothing is known


def _of_blend(made: Blend, recipe: Recipe) -> dict[str, str]:
    """Both parents of a blend with what they learnt from, and how much it has of the second."""
    rows = {}
    for place, one in zip(("first parent", "second parent"), made.parents):
        at = f"{plain(one.name)}: run `{one.run}` at step {one.step:,}, model `{one.model_digest}`"
        rows[place] = "; learnt from ".join([at, *map(_pictures, one.sets)])
    shares = ", ".join(f"{part} {share:g}" for part, share in made.shares.items())
    rows["weights of the second"] = f"{shares}; each tensor lies on the straight line between the parents'"
    return rows | {"recipe": f"{recipe.title}: {recipe.paper}"}


def _pictures(taken: Mapping) -> str:
    """How many pictures there were, and the digest of their set, as far as it is known."""
    count, digest = taken.get("count"), taken.get("digest")
    said = f"{count:,} pictures" if type(count) is int else "pictures that aren't noted"
    known = isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{8,64}", digest)
    return f"{said}, digest of the set `{digest}`" if known else said


def _data(about: Mapping, settings: Settings) -> str:
    """How many pictures, how made square, and the digest that names them."""
    taken = about["set"]
    count, digest, how = taken.get("count"), taken.get("digest"), taken.get("how")
    if type(count) is not int:
        return "pictures that aren't noted"
    said = f"{max(0, count - held_back_of(about)):,} pictures"
    if isinstance(how, str) and how in FITS:
        said += f", {FITS[how]}"
    if mirror := settings.dials.get("mirror"):
        said += f", mirrored {mirror:.0%} of the time"
    if isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{8,64}", digest):
        said += f"; digest of the set `{digest}`"
    return said


def _labels(about: Mapping) -> str:
    """The labels that it learnt apart, and how many pictures each has."""
    names = labels.names(about)
    counted = isinstance(about["set"].get("label_counts"), list)
    pairs = zip(names, labels.counts(about))
    said = [f"{plain(name, 40)} ({count:,})" if counted else plain(name, 40) for name, count in pairs]
    more = f" and {len(said) - MOST_LABELS} more" if len(said) > MOST_LABELS else ""
    return ", ".join(said[:MOST_LABELS]) + more


def held_back_of(about: Mapping) -> int:
    """How many of a run's pictures it never learnt from, so that scores can be taken beside them."""
    held = about["set"].get("held_back")
    count = len(held) if isinstance(held, list) else held
    return count if type(count) is int and count > 0 else 0


def _held_back(about: Mapping) -> str:
    count = held_back_of(about)
    return f"{count:,} pictures, for the scores" if count else ""


def _settings(settings: Settings, recipe: Recipe) -> str:
    dials = [f"{recipe.dials[name].title.lower()} {value:g}" for name, value in settings.dials.items()]
    parts = [f"{settings.batch} pictures a step", f"width {settings.width}", f"seed {settings.seed}"]
    return ", ".join([*parts, settings.precision, *dials])


def _trained(folder: Path, header: Mapping[str, str], settings: Settings) -> str:
    """Steps, pictures, time and place."""
    step = int(header["step"])
    said = f"{step:,} steps, {step * settings.images_a_step:,} pictures seen"
    seconds = store.last_stats(folder).get("seconds")
    if type(seconds) in (int, float) and seconds > 0:
        said += f", in {_time(seconds)}"
    several = "" if header["threads"] == "1" else "s"
    threads = f" ({header['threads']} thread{several})" if header["device"] == "cpu" else ""
    return f"{said}, on the {PLACES[header['device']]}{threads}, with PyTorch {plain(header['torch'])}"


def _time(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{minutes} min"
        if minutes < 90
        else f"{seconds / 3600:.1f} h"
    )


def _started(about: Mapping) -> str:
    start = about["started_from"]
    if not isinstance(start, Mapping) or not files.is_id(start.get("run")):
        return ""
    step, digest = start.get("step"), start.get("model_digest")
    at = f" at step {step:,}" if type(step) is int else ""
    known = isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest)
    return f"run `{start['run']}`{at}" + (f", model `{digest}`" if known else "")


def _score(known: findings.Findings) -> str:
    """KID as the worker took it."""
    if known.score is None:
        return "not taken yet"
    between = f" ({known.interval[0]:.3f} to {known.interval[1]:.3f})" if known.interval else ""
    network = f"{FEATURES['lite2'].title} at {LOOK_PX} px, a network that it wasn't trained against"
    beside = f"{known.held_back:,} pictures held back from training" if known.held_back else "its own set"
    return f"KID {known.score:.3f}{between} to {beside} at step {known.looked:,}, through {network}"


def _evaluation(folder: Path) -> dict:
    """What `evaluate` said last, where it can be used."""
    found = files.read_json(folder / EVALUATION)
    numbers = ("kid", "kid_low", "kid_high", "fid", "precision", "recall", "density", "coverage")
    if not isinstance(found, dict) or found.get("features") not in FEATURES:
        return {}
    if not all(type(found.get(name)) in (int, float) for name in numbers):
        return {}
    counts = ("step", "real_pictures", "fake_pictures")
    return found if all(type(found.get(name)) is int for name in counts) else {}


def _evaluated(found: Mapping) -> str:
    """All scores with the network and the numbers of pictures that they hold for."""
    if not found:
        return ""
    inception = found.get("inception_score")
    said = [
        f"KID {found['kid']:.3f} ({found['kid_low']:.3f} to {found['kid_high']:.3f})",
        f"FID {found['fid']:.2f}",
        *(f"{name} {found[name]:.2f}" for name in ("precision", "recall", "density", "coverage")),
        *([f"Inception Score {inception:.2f}"] if type(inception) in (int, float) else []),
    ]
    which = f"through {FEATURES[found['features']].title}, {found['fake_pictures']:,} paintings beside"
    kept = " held back from training" if found.get("beside") == "held back" else ""
    return f"{', '.join(said)}: at step {found['step']:,}, {which} {found['real_pictures']:,} pictures{kept}"


def _looked(known: findings.Findings, said: str) -> str:
    """A sentence about it, and when that was found."""
    if not said:
        return "not checked yet"
    return said + (f" (at step {known.looked:,})" if known.looked is not None else "")


def card_name(run: str) -> str:
    """What the card of a run is called as a file."""
    return f"model-card-{run}.md"
