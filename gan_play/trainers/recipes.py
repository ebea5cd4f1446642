"""The table of recipes: each kind of GAN is one row, and what a user may move is a short list of dials.

To add a GAN is to add a row here and, where needed, a network in `models/` or a loss in `losses.py`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn

from gan_play import limits
from gan_play.models.dcgan import DcganDiscriminator, DcganGenerator
from gan_play.models.fastgan import FastganDiscriminator, FastganGenerator
from gan_play.models.labelled import CategoricalDiscriminator, LabelledGenerator, NamingCritic
from gan_play.models.mlp import MlpDiscriminator, MlpGenerator
from gan_play.models.projected import ProjectedDiscriminator, StyleGenerator
from gan_play.models.r3gan import R3ganDiscriminator, R3ganGenerator
from gan_play.models.resnet import ResnetDiscriminator, ResnetGenerator
from gan_play.models.resnet_translator import (
    ContrastiveTranslator,
    CycleDiscriminator,
    CycleTranslator,
    ResnetTranslator,
    critic_of_set,
)
from gan_play.models.styled_translator import ContrastiveStyledTranslator, StyledTranslator
from gan_play.models.stylegan import Stylegan2Discriminator, Stylegan2Generator
from gan_play.models.translators import PatchDiscriminator, UnetTranslator, patch_layers
from gan_play.refusals import Refused, refuse
from gan_play.trainers import adversarial, fastgan, labelled, paired, pairs, pool, stylegan2, unpaired
from gan_play.trainers.losses import HINGE, LEAST_SQUARES, NON_SATURATING, RELATIVISTIC, WASSERSTEIN, Loss

if TYPE_CHECKING:
    from gan_play.trainers.loop import Draw, Training

SIZES = (32, 64, 128, 256, 512)
WIDTHS = (4, 128)
BATCHES = (2, 256)
ENOUGH_TRANSLATED = 20_000  # pictures: each of them says something at every place
LEAST_MICRO_BATCH = 2  # pictures: batch norm needs others to compare with
DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("float32", "bfloat16")
SETS_NEEDED = {"pairs": "pairs-needed", "two": "two-needed"}
"""What a recipe takes that no other set will do for -> why another is refused."""


@dataclass(frozen=True)
class Dial:
    """What a user may move: its first value, its range, and one sentence for an artist.

    `shapes`: it decides how the networks are built, so a run keeps it for good. One from 0 to 1 in whole steps of 1
    is a switch.
    """

    title: str
    default: float
    low: float
    high: float
    sentence: str
    shapes: bool = False
    whole: bool = False
    was: float | None = None  # what a file from before there was this dial means; None: its first value


@dataclass(frozen=True)
class Recipe:
    """One kind of GAN. The pre-flight chooses from `widths`, narrow first, and `batches`, large first."""

    name: str
    title: str
    sentence: str
    paper: str
    suits: str
    note: str
    generator: Callable[[Settings], nn.Module]
    discriminator: Callable[[Settings], nn.Module]
    loss: Loss
    rates: tuple[float, float]  # for painter and critic, where the dials are at 1
    betas: tuple[float, float]  # of Adam
    widths: tuple[int, ...]
    batches: tuple[int, ...]
    dials: dict[str, Dial]
    sizes: tuple[int, ...] = SIZES
    labels: str = "none"  # or "optional", "needed": whether it learns a set's folders apart
    step: Callable[[Training, Callable[[int], Draw], int], dict[str, Tensor]] = adversarial.step
    kind: Callable[[int], Hashable] = lambda now: 0  # what sort of step one is, where not all do the same
    critic_steps: int = 1  # for each one of the painter, on pictures of their own
    penalty: adversarial.Penalty | None = None
    wish: adversarial.Wish | None = None
    clips: bool = False  # the critic's weights, after each of its steps
    optimizer: str = "adam"  # or "rmsprop"
    watch: tuple[str, str] | None = None  # a number of its steps that is plotted, and what that says
    started_rates: tuple[float, float] | None = None  # where it begins from another run; None: the same
    level_steps: int = 0  # then the rates fall with the root of the steps; 0: they never fall
    enough_images: int = 150_000  # to see within the minutes; where a wider network still would, it is tried
    task: str = "paint"  # or "translate": what is learnt is a picture of a picture
    takes: str = "pictures"  # or "pairs", "two": sets of exactly two labels, of a translator
    draw: Callable[..., NamedTuple] | None = None  # what a step learns from; None: `loop.draw`
    presets: tuple[str, ...] = ()  # of `pairs`: then pairs are made from one set
    without_eyes: Mapping[str, object] | None = None  # what else it is where its dial `eyes` is at 0
    without_style: Mapping[str, object] | None = None  # and with eyes, where its dial `styled` is

    @property
    def least_batch(self) -> int:
        """The fewest pictures that a step, or a part of it, learns from."""
        return 1 if self.task == "translate" else LEAST_MICRO_BATCH


def switch(title: str, sentence: str, default: float = 0, shapes: bool = True) -> Dial:
    """A dial with two positions."""
    return Dial(title, default, 0, 1, sentence, shapes, whole=True)


MIRROR = Dial(
    "Mirror", 0.5, 0, 0.5, "How often a picture is shown mirrored. 0 for pictures with writing in them."
)
AUGMENT = Dial(
    "Shake", 1, 0, 1, "How much pictures are shifted, hidden and tinted while it looks. Less for large sets."
)
RATE = Dial(
    "Learning rate", 1, 0.1, 4, "How large its steps are, against the usual. Less if it never settles."
)
RATES = {
    "rate_g": dataclasses.replace(RATE, title="Learning rate of the painter"),
    "rate_d": dataclasses.replace(RATE, title="Learning rate of the critic"),
}
SHAKEN = {**RATES, "augment": AUGMENT, "mirror": MIRROR}
STILL = {**SHAKEN, "augment": dataclasses.replace(AUGMENT, default=0)}  # as the classics were
GREY = switch("Grey", "Learns and paints in shades of grey, as the first GANs did.")
RESIZE = switch("Resize", "Enlarges by resizing and not by transposed convolutions: fewer checkerboards.")
PENALTY = Dial("Penalty", 10, 0.1, 100, "How strictly the critic's slope is held at 1. The paper's is 10.")
GAMMA = Dial(
    "Gamma",
    0.05,
    0.01,
    200,
    "How flat the critic is kept. More is steadier and blurs; large pictures want more.",
)
VARIETY = Dial(
    "Variety",
    1,
    0,
    10,
    "How much the pictures of a folder should differ from one another, at most as yours do.",
)
ADA_MOST = Dial(
    "Shake at most", 0.8, 0, 0.8, "How often pictures may be shaken when its critic learns yours by heart."
)
R1_GAMMA = Dial("Gamma", 0, 0, 100, "How flat the critic is kept. 0 follows from size and batch.")
PATH_LENGTH = switch(
    "Even steps", "Makes walks between pictures move more evenly, for a little time.", shapes=False
)
RESIDUAL = switch("Residual", "Only the last layer paints, instead of every size adding its part.")
JITTER = Dial(
    "Jitter", 1, 0, 4, "How much larger a picture is before a part of it is taken. 0 takes all of it."
)
TRANSLATED = {**SHAKEN, "augment": dataclasses.replace(AUGMENT, default=0.5), "jitter": JITTER}
DISTANCE = ("distance", "How far apart the critic puts yours and its own")
SMALL_SIZES = (28, 32, 64)
ANY_SIZES = (28, *SIZES)


def is_grey(settings: Settings) -> bool:
    """Whether reals and fakes are shades of grey."""
    return bool(settings.dials.get("grey"))


def dcgan_generator(settings: Settings) -> nn.Module:
    """The painter of `dcgan`, `wgan` and `can`."""
    resize = bool(settings.dials["resize"])
    return DcganGenerator(settings.size_px, settings.width, resize=resize, grey=is_grey(settings))


def stylegan2_generator(settings: Settings) -> nn.Module:
    """The painter of `stylegan2`."""
    residual = bool(settings.dials["residual"])
    return Stylegan2Generator(settings.size_px, settings.width, settings.num_labels, residual=residual)


def sees(settings: Settings) -> bool:
    """Whether a translator's critic sees through a trained network."""
    return bool(settings.dials["eyes"])


def styled(settings: Settings) -> bool:
    """Whether a translator between two sets paints with styled blocks: only what sees has them."""
    return sees(settings) and bool(settings.dials["styled"])


def contrastive_translator(settings: Settings) -> nn.Module:
    """The translator of `cut`."""
    network = ContrastiveStyledTranslator if styled(settings) else ContrastiveTranslator
    return network(settings.size_px, settings.width)


def cycle_translator(settings: Settings) -> nn.Module:
    """Both translators of `cyclegan`."""
    size_px, width = settings.size_px, settings.width
    if styled(settings):
        return CycleTranslator(*(StyledTranslator(size_px, width) for _ in range(2)))
    return CycleTranslator(*(ResnetTranslator(size_px, width, skip=sees(settings)) for _ in range(2)))


def resnet_generator(settings: Settings) -> nn.Module:
    """The painter of `wgan_gp`, `sngan` and `cgan`."""
    return ResnetGenerator(settings.size_px, settings.width, settings.num_labels, grey=is_grey(settings))


def labelled_generator(settings: Settings, gated: bool = False) -> nn.Module:
    """The painter of `gangogh` and `artgan`."""
    return LabelledGenerator(
        settings.size_px, settings.width, settings.num_labels, gated=gated, grey=is_grey(settings)
    )


EYES = switch(
    "Trained eyes",
    "Its critic sees through a trained network: paints within minutes. Off: the paper's own critic.",
    default=1,
)
OWN_EYES = {
    "loss": LEAST_SQUARES,
    "rates": (2e-4, 2e-4),
    "betas": (0.5, 0.999),
    "batches": (4, 2, 1),
    "level_steps": 0,
}
"""What the papers between two sets train by: with a critic that learns to see from the user's pictures alone."""


STYLED = dataclasses.replace(
    switch(
        "Styled blocks",
        "With trained eyes, it paints with the blocks of the default recipe. Off: the papers' network.",
        default=1,
    ),
    was=0,
)
MATCH = Dial(
    "Whole folder",
    2,
    0,
    10,
    "With trained eyes: how much all paintings together should look like the second folder.",
    was=0,
)
MATCHED = "How much all its pictures together should look like yours: what these share is learnt sooner."
PAPERS_NETWORK = {"rates": (5e-4, 1e-3), "batches": (8, 4, 2, 1)}
"""What suits the papers' network between two sets, where its critic has trained eyes."""


def paired_critic(settings: Settings) -> nn.Module:
    """The critic of `pix2pix`: of patches beside their sources, or of what a trained network makes of pictures."""
    if settings.dials["eyes"]:
        return ProjectedDiscriminator(settings.size_px)
    channels = pairs.channels_of(settings.preset)
    return PatchDiscriminator(channels, settings.width, patch_layers(settings.size_px))


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
            generator=lambda settings: StyleGenerator(settings.size_px, settings.width, settings.num_labels),
            discriminator=lambda settings: ProjectedDiscriminator(settings.size_px, settings.num_labels),
            loss=HINGE,
            rates=(4e-3, 2e-3),
            started_rates=(2e-3, 2e-3),
            betas=(0.0, 0.99),
            widths=(16, 24, 32, 48),
            batches=(32, 16, 8),
            dials={**SHAKEN, "match": dataclasses.replace(MATCH, default=8, sentence=MATCHED)},
            labels="optional",
            level_steps=300,
        ),
        Recipe(
            name="gan",
            title="GAN",
            sentence="The first one, from 2014: every pixel connected to every thought. For small pictures.",
            paper="Goodfellow 2014, Generative Adversarial Networks",
            suits="1,000 small pictures and more, all alike, such as digits",
            note="Digits within minutes on two cores; of paintings only coloured fog.",
            generator=lambda settings: MlpGenerator(settings.size_px, settings.width, grey=is_grey(settings)),
            discriminator=lambda settings: MlpDiscriminator(settings.size_px, settings.width),
            loss=NON_SATURATING,
            rates=(2e-4, 2e-4),
            betas=(0.5, 0.999),
            widths=(32, 64),
            batches=(64, 32, 16),
            dials={
                **STILL,
                "minimax": switch(
                    "Minimax",
                    "Plays the game as first written, in which a weak painter learns hardly.",
                    0,
                    False,
                ),
                "grey": GREY,
            },
            sizes=SMALL_SIZES,
            step=adversarial.original,
        ),
        Recipe(
            name="dcgan",
            title="DCGAN",
            sentence="The classic from 2015: nothing but convolutions. Slower, rougher, good for learning how.",
            paper="Radford 2015, Unsupervised Representation Learning with DCGANs",
            suits="1,000 pictures and more, all alike",
            note="A baseline: blurred shapes in ten minutes on two cores.",
            generator=lambda settings: dcgan_generator(settings),
            discriminator=lambda settings: DcganDiscriminator(settings.size_px, settings.width),
            loss=NON_SATURATING,
            rates=(2e-4, 2e-4),
            betas=(0.5, 0.999),
            widths=(32, 64),
            batches=(64, 32, 16),
            dials={**STILL, "resize": RESIZE, "grey": GREY},
            sizes=ANY_SIZES,
        ),
        Recipe(
            name="wgan",
            title="WGAN",
            sentence="Its critic measures a distance instead of guessing, with its weights clipped to keep it honest.",
            paper="Arjovsky 2017, Wasserstein GAN",
            suits="1,000 pictures and more, all alike",
            note="Steady and slow: five steps of the critic for each of the painter.",
            generator=lambda settings: dcgan_generator(settings),
            discriminator=lambda settings: DcganDiscriminator(settings.size_px, settings.width),
            loss=WASSERSTEIN,
            rates=(5e-5, 5e-5),
            betas=(0.0, 0.99),
            widths=(32, 64),
            batches=(64, 32, 16),
            dials={**STILL, "resize": RESIZE, "grey": GREY},
            sizes=ANY_SIZES,
            critic_steps=5,
            clips=True,
            optimizer="rmsprop",
            watch=DISTANCE,
        ),
        Recipe(
            name="wgan_gp",
            title="WGAN-GP",
            sentence="The critic measures a distance, its slope held near 1 by a penalty: hard to derail.",
            paper="Gulrajani 2017, Improved Training of Wasserstein GANs",
            suits="1,000 pictures and more",
            note="Very steady and slow: a penalised critic, five steps of it for each of the painter.",
            generator=lambda settings: resnet_generator(settings),
            discriminator=lambda settings: ResnetDiscriminator(
                settings.size_px, settings.width, spectral=False
            ),
            loss=WASSERSTEIN,
            rates=(2e-4, 2e-4),
            betas=(0.0, 0.9),
            widths=(8, 16, 32),
            batches=(32, 16, 8),
            dials={**STILL, "penalty": PENALTY, "grey": GREY},
            sizes=ANY_SIZES,
            critic_steps=5,
            penalty=adversarial.gradient_penalty,
            watch=DISTANCE,
        ),
        Recipe(
            name="sngan",
            title="SNGAN",
            sentence="Each layer of the critic is kept from shouting, which calms the whole game.",
            paper="Miyato 2018, Spectral Normalization for GANs",
            suits="500 pictures and more",
            note="The quickest of the classics that learn everything from your own pictures.",
            generator=lambda settings: resnet_generator(settings),
            discriminator=lambda settings: ResnetDiscriminator(settings.size_px, settings.width),
            loss=HINGE,
            rates=(2e-4, 2e-4),
            betas=(0.0, 0.9),
            widths=(8, 16, 32),
            batches=(32, 16, 8),
            dials={**SHAKEN, "grey": GREY},
            sizes=ANY_SIZES,
        ),
        Recipe(
            name="stylegan2",
            title="StyleGAN2",
            sentence="The one behind the famous faces: styles at every scale, and a shake that sets its own strength.",
            paper="Karras 2020, Analyzing and Improving the Image Quality of StyleGAN (StyleGAN2, with ADA)",
            suits="1,000 pictures and more of one kind, and hours",
            note="Still fog after three minutes at 64 px; at 32 px, skies over land after 20 minutes of one core.",
            generator=lambda settings: stylegan2_generator(settings),
            discriminator=lambda settings: Stylegan2Discriminator(
                settings.size_px, settings.width, settings.num_labels
            ),
            loss=NON_SATURATING,
            rates=(2.5e-3, 2.5e-3),
            betas=(0.0, 0.99),
            widths=(8, 16, 32, 64),
            batches=(32, 16, 8),
            dials={
                **RATES,
                "mirror": MIRROR,
                "ada_most": ADA_MOST,
                "gamma": R1_GAMMA,
                "path_length": PATH_LENGTH,
                "residual": RESIDUAL,
            },
            sizes=ANY_SIZES,
            labels="optional",
            step=stylegan2.step,
            kind=stylegan2.kind,
            watch=("augmented", "How often it shakes the pictures, as it found best"),
        ),
        Recipe(
            name="cgan",
            title="Conditional GAN",
            sentence="One model that paints each of your folders when asked for it by name.",
            paper="Mirza 2014, Conditional GANs; Miyato 2018, cGANs with Projection Discriminator",
            suits="two or more folders, 200 pictures each and more",
            note="Paints nine of ten digits as asked for within minutes; of paintings blocks of colour after three.",
            generator=lambda settings: resnet_generator(settings),
            discriminator=lambda settings: ResnetDiscriminator(
                settings.size_px, settings.width, settings.num_labels
            ),
            loss=HINGE,
            rates=(5e-4, 1e-3),
            betas=(0.0, 0.9),
            widths=(8, 16, 32),
            batches=(32, 16, 8),
            dials={**SHAKEN, "variety": VARIETY, "grey": GREY},
            sizes=ANY_SIZES,
            labels="needed",
            critic_steps=2,
            wish=adversarial.variety,
        ),
        Recipe(
            name="gangogh",
            title="GANGogh",
            sentence="Paints each of your folders; its critic says how far off it is, and if the genre is right.",
            paper="Jones 2017, GANGogh; Odena 2017, Auxiliary Classifier GANs; Gulrajani 2017, WGAN-GP",
            suits="two or more folders, 500 pictures each and more",
            note="Slow: after three minutes on two cores its pictures are grey shapes.",
            generator=lambda settings: labelled_generator(settings, gated=True),
            discriminator=lambda settings: NamingCritic(
                settings.size_px, settings.width, settings.num_labels, layer_norm=True
            ),
            loss=WASSERSTEIN,
            rates=(2e-4, 2e-4),
            betas=(0.5, 0.9),
            widths=(16, 32, 64),
            batches=(64, 32, 16),
            dials={**STILL, "penalty": PENALTY, "grey": GREY},
            sizes=ANY_SIZES,
            labels="needed",
            step=labelled.gangogh,
            critic_steps=5,
            penalty=adversarial.gradient_penalty,
            watch=DISTANCE,
        ),
        Recipe(
            name="artgan",
            title="ArtGAN",
            sentence="Is told which of your styles it missed, and practises by repainting your own pictures.",
            paper="Tan 2017, ArtGAN: Artwork Synthesis with Conditional Categorical GANs",
            suits="two or more folders, 500 pictures each and more",
            note="On a graphics card it paints digits as asked for; of paintings light and dark after three minutes.",
            generator=lambda settings: labelled_generator(settings),
            discriminator=lambda settings: CategoricalDiscriminator(
                settings.size_px, settings.width, settings.num_labels
            ),
            loss=NON_SATURATING,
            rates=(2e-4, 2e-4),
            betas=(0.5, 0.999),
            widths=(32, 64),
            batches=(64, 32, 16),
            dials={
                **STILL,
                "repaint": Dial("Repaint", 1, 0, 10, "How much it practises by repainting real pictures."),
                "grey": GREY,
            },
            sizes=ANY_SIZES,
            labels="needed",
            step=labelled.artgan,
        ),
        Recipe(
            name="can",
            title="CAN",
            sentence="Learns what art is and which styles there are, to paint what fits into none of your folders.",
            paper="Elgammal 2017, CAN: Creative Adversarial Networks",
            suits="four or more folders of different styles, 1,000 pictures and more",
            note="Its own have no label. After three minutes on two cores they are light and dark shapes.",
            generator=lambda settings: dcgan_generator(settings),
            discriminator=lambda settings: NamingCritic(
                settings.size_px,
                settings.width,
                settings.num_labels,
                hidden=(16 * settings.width, 8 * settings.width),
            ),
            loss=NON_SATURATING,
            rates=(2e-4, 2e-4),
            betas=(0.5, 0.999),
            widths=(32, 64),
            batches=(64, 32, 16),
            dials={
                **STILL,
                "creativity": Dial(
                    "How creative", 1, 0, 5, "How hard it looks for art that belongs to none of the styles."
                ),
                "resize": RESIZE,
                "grey": GREY,
            },
            sizes=ANY_SIZES,
            labels="needed",
            step=labelled.can,
            watch=("ambiguity", "Of no style of yours: 0 is one of them, 1 is none"),
        ),
        Recipe(
            name="fastgan",
            title="FastGAN",
            sentence="Made for few pictures: its critic must be able to redraw yours, so it looks at all of them.",
            paper="Liu 2021, Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis",
            suits="60 to 5,000 pictures of one kind",
            note="The nearest to Projected of all after three minutes on two cores.",
            generator=lambda settings: FastganGenerator(settings.size_px, settings.width),
            discriminator=lambda settings: FastganDiscriminator(settings.size_px, settings.width),
            loss=HINGE,
            rates=(5e-4, 5e-4),  # the paper's 2e-4 after 6,250 steps
            betas=(0.5, 0.999),
            widths=(16, 24, 32, 48),
            batches=(8, 4),  # the paper trains with 8
            dials=SHAKEN,
            step=fastgan.step,
            watch=("reconstruction", "What its critic misses when it redraws yours"),
            level_steps=1000,
        ),
        Recipe(
            name="r3gan",
            title="R3GAN",
            sentence="The modern baseline of 2024: two penalties and pairs of pictures in place of many tricks.",
            paper="Huang 2024, The GAN is dead; long live the GAN! A Modern Baseline GAN",
            suits="1,000 pictures and more, also of several kinds",
            note="Fog in your colours after three minutes, swirls after 67,000 pictures: for a card and hours.",
            generator=lambda settings: R3ganGenerator(settings.size_px, settings.width),
            discriminator=lambda settings: R3ganDiscriminator(settings.size_px, settings.width),
            loss=RELATIVISTIC,
            rates=(4e-4, 2e-3),  # so narrow a critic needs more, or it falls asleep (benchmarks/results.md)
            betas=(0.0, 0.99),
            widths=(8, 16, 32, 48),
            batches=(64, 32, 16, 8),
            dials={
                **RATES,
                "augment": dataclasses.replace(AUGMENT, default=0.3),
                "mirror": MIRROR,
                "gamma": GAMMA,
            },
            penalty=adversarial.both_gradients,
            level_steps=300,
        ),
        Recipe(
            name="pix2pix",
            title="pix2pix",
            sentence="Learns to turn one picture into another from pairs, or from pairs it makes of your pictures.",
            paper="Isola 2017, Image-to-Image Translation with Conditional Adversarial Networks",
            suits="100 pairs and more, or 300 pictures and more to make pairs of",
            note="From a sketch, a grey, a damaged, a small or a flat picture to one like yours.",
            generator=lambda settings: UnetTranslator(
                settings.size_px,
                settings.width,
                pairs.channels_of(settings.preset),
                keeps=pairs.keeps(settings.preset),
            ),
            discriminator=lambda settings: paired_critic(settings),
            loss=NON_SATURATING,
            rates=(2e-4, 2e-4),
            betas=(0.5, 0.999),
            widths=(16, 32, 64),
            batches=(8, 4, 1),
            dials={
                **RATES,
                "mirror": MIRROR,
                "l1": Dial(
                    "Faithful",
                    100,
                    0,
                    1000,
                    "How much each pixel should be right. Less is bolder. The paper's is 100.",
                ),
                "eyes": dataclasses.replace(
                    EYES,
                    was=0,
                    sentence="Its critic sees through a trained network, to which results should look right. "
                    "Off: the paper's.",
                ),
                "jitter": Dial(
                    "Jitter",
                    1,
                    0,
                    4,
                    "How much larger a pair is before a part of it is taken. 0 takes all of it.",
                ),
                "back": switch(
                    "The other way", "Of real pairs: from the second folder to the first.", shapes=False
                ),
            },
            labels="needed",
            step=paired.step,
            watch=("off", "How far its pixels are off, from 0 to 2"),
            task="translate",
            takes="pairs",
            draw=paired.draw,
            presets=tuple(pairs.PRESETS),
        ),
        Recipe(
            name="cut",
            title="CUT",
            sentence="Turns a picture of one folder into one of another, with no pairs to learn from, place by place.",
            paper="Park 2020, Contrastive Learning for Unpaired Image-to-Image Translation",
            suits="two folders, 100 pictures each and more",
            note="The first choice for two folders. In minutes its colours, light and shade; then a card or a night.",
            generator=contrastive_translator,
            discriminator=lambda settings: critic_of_set(settings.size_px, settings.width, sees(settings)),
            loss=HINGE,
            rates=(4e-3, 1e-3),
            betas=(0.0, 0.99),
            widths=(16, 32, 64),
            batches=(16, 8, 4, 2),
            dials={
                **TRANSLATED,
                "contrast": Dial(
                    "Same places",
                    0.4,
                    0,
                    10,
                    "How much each place should stay what it was. Less is bolder; the paper's is 1.",
                ),
                "identity": Dial(
                    "Leave alone",
                    0,
                    0,
                    10,
                    "How much a picture of the second folder should stay as it is. The paper's is 1.",
                ),
                "eyes": EYES,
                "styled": STYLED,
                "match": MATCH,
                "back": switch("The other way", "From the second folder to the first.", shapes=False),
            },
            labels="needed",
            step=unpaired.contrastive,
            watch=("contrast", "How hard each place is to find again in its painting"),
            enough_images=ENOUGH_TRANSLATED,
            task="translate",
            takes="two",
            draw=unpaired.draw,
            level_steps=300,
            without_eyes=OWN_EYES,
            without_style=PAPERS_NETWORK,
        ),
        Recipe(
            name="cyclegan",
            title="CycleGAN",
            sentence="Learns both ways between two folders at once: there and back again, a picture must be itself.",
            paper="Zhu 2017, Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
            suits="two folders, 100 pictures each and more",
            note="For both ways, at twice the work of CUT. In minutes its colours and light, keeping more than CUT.",
            generator=cycle_translator,
            discriminator=lambda settings: CycleDiscriminator(
                settings.size_px, settings.width, pool.POOLED, eyes=sees(settings)
            ),
            loss=HINGE,
            rates=(4e-3, 1e-3),
            betas=(0.0, 0.99),
            widths=(16, 32, 64),
            batches=(16, 8, 4, 2),
            dials={
                **TRANSLATED,
                "cycle": Dial(
                    "Way back",
                    3,
                    0,
                    100,
                    "How much a picture must be itself after going there and back. The paper's is 10.",
                ),
                "identity": Dial(
                    "Leave alone",
                    0,
                    0,
                    2,
                    "How much a picture that needs no change should stay as it is. The paper's is 0.5.",
                ),
                "eyes": dataclasses.replace(EYES, was=0),
                "styled": STYLED,
                "match": MATCH,
            },
            labels="needed",
            step=unpaired.cycle,
            watch=("cycle", "How far a pixel is off after going there and back, from 0 to 2"),
            enough_images=ENOUGH_TRANSLATED,
            task="translate",
            takes="two",
            draw=unpaired.draw,
            level_steps=300,
            without_eyes=OWN_EYES,
            without_style=PAPERS_NETWORK,
        ),
    )
}
DEFAULT = "projected"


def recipes_for(task: str) -> tuple[str, ...]:
    """The names of the recipes that paint (`task` "paint"), or that translate."""
    return tuple(name for name, row in RECIPES.items() if row.task == task)


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
    accumulate: int = 1  # micro-batches that a batch is learnt in, where memory is short
    preset: str = ""  # how pairs are made from one set (`pairs`); "": they are real, or there are none
    started: bool = False  # from the networks of another run

    @property
    def images_a_step(self) -> int:
        """How many reals a step learns from."""
        return self.batch * RECIPES[self.recipe].critic_steps

    def to_json(self) -> dict:
        """As JSON values; without a preset or a start where there is none, as files were before there were any."""
        since = ("preset", "started")
        return {name: v for name, v in dataclasses.asdict(self).items() if v or name not in since}

    @staticmethod
    def from_json(values: dict) -> Settings:
        """Checked settings of a file; Refused as in `check_settings`. A dial that it is older than is as it was."""
        recipe, dials = RECIPES.get(str(values.get("recipe"))), values.get("dials", {})
        if recipe and isinstance(dials, dict):
            was = {name: dial.was for name, dial in recipe.dials.items() if dial.was is not None}
            values = values | {"dials": was | dials}
        return check_settings(values)


def _whole(values: dict, name: str, low: int, high: int) -> int:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refused(refuse("setting-range", name, value=value, low=low, high=high))
    return value


def _truth(values: dict, name: str) -> bool:
    if not isinstance(values[name], bool):
        raise Refused(refuse("setting-choice", name, value=values[name], choices="true, false"))
    return values[name]


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
        if dial.whole and value != int(value):
            raise Refused(refuse("setting-choice", name, value=value, choices="0, 1"))
        checked[name] = float(value)
    return checked


def needs_labels(recipe: str, preset: str = "") -> bool:
    """Whether a run of this recipe learns from a set's labels, whether it likes to or not."""
    return recipe in RECIPES and RECIPES[recipe].labels == "needed" and not preset


def _num_labels(recipe: Recipe, preset: str, values: dict) -> int:
    """How many labels it learns apart: none, or at least two where the recipe takes them; exactly two of pairs."""
    count = _whole(values, "num_labels", 0, 0 if recipe.labels == "none" else limits.MOST_LABELS)
    if recipe.takes != "pictures" and count != (0 if preset else 2):
        raise Refused(refuse(SETS_NEEDED[recipe.takes], recipe.name, recipe=recipe.title))
    if count == 1 or (needs_labels(recipe.name, preset) and not count):
        raise Refused(refuse("labels-needed", recipe.name, recipe=recipe.title))
    return count


def check_settings(values: dict) -> Settings:
    """Settings from what somebody typed or a file said. Refused with a sentence that names the setting."""
    known = {f.name: f for f in dataclasses.fields(Settings)}
    for name in values:
        if name not in known:
            raise Refused(refuse("setting-unknown", name, recipe="a run", names=", ".join(known)))
    defaults = {"num_labels": 0, "threads": 1, "precision": "float32", "device": "cpu", "dials": {}}
    # Files from before these were settings have none.
    defaults |= {"accumulate": 1, "preset": "", "started": False}
    values = {**defaults, **values}
    for name in known:
        if name not in values:
            raise Refused(refuse("setting-missing", name))
    recipe = RECIPES[_choice(values, "recipe", tuple(RECIPES))]
    batch = _whole(values, "batch", min(recipe.least_batch, BATCHES[0]), BATCHES[1])
    preset = values["preset"]
    if preset != "" and preset not in recipe.presets:
        able = ", ".join(RECIPES["pix2pix"].presets)
        raise Refused(refuse("preset", str(preset), recipe=recipe.title, choices=able))
    return Settings(
        recipe=recipe.name,
        size_px=_choice(values, "size_px", recipe.sizes),
        batch=batch,
        width=_whole(values, "width", *WIDTHS),
        seed=_whole(values, "seed", 0, 2**63 - 1),
        num_labels=_num_labels(recipe, preset, values),
        threads=_whole(values, "threads", 1, 1024),
        precision=_choice(values, "precision", PRECISIONS),
        device=_choice(values, "device", DEVICES),
        dials=check_dials(recipe, values["dials"]),
        accumulate=_whole(values, "accumulate", 1, batch // recipe.least_batch),
        preset=preset,
        started=_truth(values, "started"),
    )


def recipe_of(settings: Settings) -> Recipe:
    """The row that a training with these settings goes by: how it learns may follow from its dials, or its start."""
    row = RECIPES[settings.recipe]
    if settings.started and row.started_rates:
        row = dataclasses.replace(row, rates=row.started_rates)
    if row.without_eyes and not sees(settings):
        return dataclasses.replace(row, **row.without_eyes)
    if row.without_style and not styled(settings):
        return dataclasses.replace(row, **row.without_style)
    return row


def build_generator(settings: Settings) -> nn.Module:
    """The generator that these settings describe, with fresh weights."""
    return RECIPES[settings.recipe].generator(settings)


def build_discriminator(settings: Settings) -> nn.Module:
    """The discriminator that these settings describe, with fresh weights."""
    return RECIPES[settings.recipe].discriminator(settings)


def shaping_dials(recipe: str, dials: Mapping[str, float]) -> dict[str, float]:
    """Those of a run's dials that decide how its networks are built."""
    return {
        name: dials[name] for name, dial in RECIPES[recipe].dials.items() if dial.shapes and name in dials
    }
