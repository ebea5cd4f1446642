"""The table of recipes: each kind of GAN is one row, and what a user may move is a short list of dials.

To add a GAN is to add a row here and, where needed, a network in `models/` or a loss in `losses.py`.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from gan_play.models.dcgan import DcganDiscriminator, DcganGenerator
from gan_play.models.projected import ProjectedDiscriminator, StyleGenerator
from gan_play.refusals import Refused, refuse
from gan_play.trainers.losses import HINGE, NON_SATURATING, Loss

SIZES = (32, 64, 128, 256, 512)
WIDTHS = (4, 128)
BATCHES = (2, 256)
DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Dial:
    """What a user may move: its first value, its range, and one sentence for an artist."""

    title: str
    default: float
    low: float
    high: float
    sentence: str


@dataclass(frozen=True)
class Recipe:
    """One kind of GAN. The pre-flight chooses from `widths`, narrow first, and `batches`, large first."""

    name: str
    title: str
    sentence: str
    paper: str
    suits: str
    note: str
    generator: Callable[[int, int], nn.Module]
    discriminator: Callable[[int, int], nn.Module]
    loss: Loss
    rates: tuple[float, float]  # of Adam, for painter and critic, where the dials are at 1
    betas: tuple[float, float]
    widths: tuple[int, ...]
    batches: tuple[int, ...]
    dials: dict[str, Dial]
    sizes: tuple[int, ...] = SIZES


MIRROR = Dial(
    "Mirror", 0.5, 0, 0.5, "How often a picture is shown mirrored. 0 for pictures with writing in them."
)
AUGMENT = Dial(
    "Shake", 1, 0, 1, "How much pictures are shifted, hidden and tinted while it looks. Less for large sets."
)
RATE = Dial(
    "Learning rate", 1, 0.1, 4, "How large its steps are, against the usual. Less if it never settles."
)

RECIPES = {
    row.name: row
    for row in (
        Recipe(
            name="projected",
            title="Projected",
            sentence="Learns fast from few pictures by looking through the eyes of a trained network.",
            paper="Sauer 2021, Projected GANs Converge Faster",
            suits="20 to 10,000 pictures of one kind",
            note="The default: recognisable painting within minutes on two cores.",
            generator=StyleGenerator,
            discriminator=lambda size_px, width: ProjectedDiscriminator(size_px),
            loss=HINGE,
            rates=(4e-3, 2e-3),
            betas=(0.0, 0.99),
            widths=(16, 24, 32, 48),
            batches=(32, 16, 8),
            dials={
                "rate_g": dataclasses.replace(RATE, title="Learning rate of the painter"),
                "rate_d": dataclasses.replace(RATE, title="Learning rate of the critic"),
                "augment": AUGMENT,
                "mirror": MIRROR,
            },
        ),
        Recipe(
            name="dcgan",
            title="DCGAN",
            sentence="The classic from 2015: nothing but convolutions. Slower, rougher, good for learning how.",
            paper="Radford 2015, Unsupervised Representation Learning with DCGANs",
            suits="1,000 pictures and more, all alike",
            note="A baseline: blurred shapes in ten minutes on two cores.",
            generator=DcganGenerator,
            discriminator=DcganDiscriminator,
            loss=NON_SATURATING,
            rates=(2e-4, 2e-4),
            betas=(0.5, 0.999),
            widths=(32, 64),
            batches=(64, 32, 16),
            dials={
                "rate_g": dataclasses.replace(RATE, title="Learning rate of the painter"),
                "rate_d": dataclasses.replace(RATE, title="Learning rate of the critic"),
                "augment": dataclasses.replace(AUGMENT, default=0),
                "mirror": MIRROR,
            },
        ),
    )
}
DEFAULT = "projected"


@dataclass(frozen=True)
class Settings:
    """All that decides a training but the pictures: two trainings with equal settings are bit-identical."""

    recipe: str
    size_px: int
    batch: int
    width: int
    seed: int
    num_labels: int = 0
    threads: int = 1
    precision: str = "float32"
    device: str = "cpu"
    dials: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(values: dict) -> "Settings":
        """Checked settings; Refused as in `check_settings`."""
        return check_settings(values)


def _whole(values: dict, name: str, low: int, high: int) -> int:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refused(refuse("setting-range", name, value=value, low=low, high=high))
    return value


def _choice(values: dict, name: str, choices: tuple) -> object:
    if values[name] not in choices or isinstance(values[name], bool):
        raise Refused(
            refuse("setting-choice", name, value=values[name], choices=", ".join(map(str, choices)))
        )
    return values[name]


def check_dials(recipe: Recipe, values: object) -> dict[str, float]:
    """Every dial of the recipe as a number: those given, checked, and the defaults of the rest."""
    if not isinstance(values, dict):
        raise Refused(refuse("setting-unknown", "dials", recipe=recipe.name, names=", ".join(recipe.dials)))
    checked = {name: float(dial.default) for name, dial in recipe.dials.items()}
    for name, value in values.items():
        if name not in recipe.dials:
            raise Refused(refuse("setting-unknown", name, recipe=recipe.name, names=", ".join(recipe.dials)))
        dial = recipe.dials[name]
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or not dial.low <= value <= dial.high:
            raise Refused(refuse("setting-range", name, value=value, low=dial.low, high=dial.high))
        checked[name] = float(value)
    return checked


def check_settings(values: dict) -> Settings:
    """Settings from what somebody typed or a file said. Refused with a sentence that names the setting."""
    known = {f.name: f for f in dataclasses.fields(Settings)}
    for name in values:
        if name not in known:
            raise Refused(refuse("setting-unknown", name, recipe="a run", names=", ".join(known)))
    defaults = {"num_labels": 0, "threads": 1, "precision": "float32", "device": "cpu", "dials": {}}
    values = {**defaults, **values}
    for name in known:
        if name not in values:
            raise Refused(refuse("setting-missing", name))
    recipe = RECIPES[_choice(values, "recipe", tuple(RECIPES))]
    return Settings(
        recipe=recipe.name,
        size_px=_choice(values, "size_px", recipe.sizes),
        batch=_whole(values, "batch", *BATCHES),
        width=_whole(values, "width", *WIDTHS),
        seed=_whole(values, "seed", 0, 2**63 - 1),
        num_labels=_whole(values, "num_labels", 0, 0),  # no recipe takes labels yet
        threads=_whole(values, "threads", 1, 1024),
        precision=_choice(values, "precision", PRECISIONS),
        device=_choice(values, "device", DEVICES),
        dials=check_dials(recipe, values["dials"]),
    )


def build_generator(settings: Settings) -> nn.Module:
    """The generator that these settings describe, with fresh weights."""
    return RECIPES[settings.recipe].generator(settings.size_px, settings.width)


def build_discriminator(settings: Settings) -> nn.Module:
    """The discriminator that these settings describe, with fresh weights."""
    return RECIPES[settings.recipe].discriminator(settings.size_px, settings.width)
