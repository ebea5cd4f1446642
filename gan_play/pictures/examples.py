"""Art sets drawn by code, so that the page is worth trying with nothing uploaded and tests need no files.

A picture is a function of its set's name, its number and its size, and the same on every machine up to the last
bit of floating point. Everything is drawn as float colours (S, S, 3) in [0, 1], on coordinates in [0, 1].
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_play.pictures import datasets, doctor, images
from gan_play.pictures.datasets import Progress, Taken
from gan_play.refusals import Refused, refuse


@dataclass(frozen=True)
class Example:
    """How an example set is presented: its title, and a sentence about it."""

    title: str
    sentence: str


EXAMPLES: dict[str, Example] = {
    "sunsets": Example("Sunsets", "A low sun, bands of cloud, and a path of light over the sea."),
    "fields": Example("Colour fields", "Black lines, white ground and a few strong colours, after Mondrian."),
    "rosettes": Example("Rosettes", "Round windows of coloured glass, each turned around its middle."),
    "mountains": Example(
        "Ink mountains", "Ridges in the mist, one behind the other, in ink and a little colour."
    ),
}

DRAWN_PX = 128
"""Side of the pictures of a set: 400 of them are drawn in about four seconds."""


def _color(text: str) -> np.ndarray:
    """`rrggbb` as (3,) in [0, 1]."""
    return np.array([int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)], dtype=np.float32)


def _colors(text: str) -> np.ndarray:
    return np.stack([_color(word) for word in text.split()])


def _smooth(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = ((x - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def _between(values: np.ndarray, size: int) -> np.ndarray:
    """Lattice values (cells + 1, ...) interpolated smoothly to (size, ...).

    By indexing, not as a product with a matrix: that would wake threads, and round otherwise on each machine.
    """
    place = np.linspace(0, len(values) - 1, size, endpoint=False, dtype=np.float32)
    left = place.astype(int)
    weight = _smooth(place - left, 0, 1).reshape(-1, *[1] * (values.ndim - 1))
    return values[left] + (values[left + 1] - values[left]) * weight


def _noise(random: np.random.Generator, size: int, down: int, across: int, octaves: int = 4) -> np.ndarray:
    """Cloudy noise (size, size) in about [0, 1]; `down` and `across` are how many lumps it has at first."""
    total, weight = np.zeros((size, size), dtype=np.float32), 0.0
    for octave in range(octaves):
        values = random.random(((down << octave) + 1, (across << octave) + 1), dtype=np.float32)
        total += _between(_between(values, size).T, size).T / (1 << octave)
        weight += 1 / (1 << octave)
    return total / weight


def _line_noise(random: np.random.Generator, size: int, cells: int, octaves: int, rough: float) -> np.ndarray:
    """A profile (size,) in about [-1, 1], rougher the nearer `rough` is to 1."""
    total, weight = np.zeros(size, dtype=np.float32), 0.0
    for octave in range(octaves):
        values = random.uniform(-1, 1, (cells << octave) + 1).astype(np.float32)
        total += _between(values, size) * rough**octave
        weight += rough**octave
    return total / weight


def _places(size: int) -> tuple[np.ndarray, np.ndarray]:
    """How far down (S, 1) and how far across (1, S) each pixel's middle is."""
    middles = (np.arange(size, dtype=np.float32) + 0.5) / size
    return middles[:, None], middles[None, :]


def _vary(random: np.random.Generator, palette: np.ndarray, amount: float) -> np.ndarray:
    """A palette with each colour moved a little."""
    return (palette + random.normal(0, amount, palette.shape)).clip(0, 1).astype(np.float32)


def _over(ground: np.ndarray, color: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`color` laid over `ground` (S, S, 3) where `mask` (S, S) is 1."""
    return ground + (color - ground) * mask[..., None]


_SKIES = [  # from the top of the sky down to the horizon, then the sun
    _colors("1b2a5a 7a4a86 f08a5d ffd9a0"),
    _colors("0f3057 2c7da0 f4a259 fff1c1"),
    _colors("2b1b47 a23b72 f18f01 ffe66d"),
    _colors("3a4f7a 9a8fb8 f6c6b0 fff4e0"),
    _colors("11151c 5c1a1b d7402b ffb347"),
    _colors("27496d 5f9ea0 e8c07d fff8dc"),
    _colors("4a2545 c06c84 f8b195 fdf0d5"),
    _colors("07203f 20639b 9bd1c6 fdfbd4"),
]


def _sunset(random: np.random.Generator, size: int) -> np.ndarray:
    y, x = _places(size)
    top, middle, low, sun = _vary(random, _SKIES[random.integers(len(_SKIES))], 0.03)
    horizon = random.uniform(0.52, 0.74)
    sun_x, sun_y = random.uniform(0.18, 0.82), horizon - random.uniform(-0.03, 0.24)
    radius = random.uniform(0.035, 0.085)

    def sky(height: np.ndarray, cloud: np.ndarray) -> np.ndarray:
        """The sky at `height`, 0 at the horizon and 1 at the top, with clouds lit from below."""
        colors = _over(low[None, None], middle, _smooth(height, 0.0, 0.5))
        colors = _over(colors, top, _smooth(height, 0.35, 1.0))
        far = np.hypot(x - sun_x, (horizon - height * horizon) - sun_y)
        colors = _over(colors, sun, 0.75 * np.exp(-far / 0.16))
        shade = _over(top[None, None] * 0.55, (low + sun) / 2, np.exp(-far / 0.33))
        return _over(colors, shade, cloud)

    height = ((horizon - y) / horizon).clip(0, 1)
    cover = random.uniform(0.42, 0.66)
    puffs = _noise(random, size, int(random.integers(5, 12)), int(random.integers(2, 4)), 5)
    cloud = 0.9 * _smooth(puffs, cover, cover + 0.18) * _smooth(height, 0.03, 0.25)
    picture = sky(height, cloud)
    disk = _smooth(-np.hypot(x - sun_x, y - sun_y), -radius - 1.5 / size, -radius + 1.5 / size)
    picture = _over(picture, (sun + 1) / 2, disk * (1 - 0.8 * cloud))

    for depth in range(random.integers(0, 3)):  # far hills, paler the farther
        ridge = _line_noise(random, size, int(random.integers(2, 5)), 5, 0.45)
        crest = horizon - 0.06 - 0.035 * (1 - depth) - 0.09 * ridge * random.uniform(0.4, 1)
        hill = middle * (0.62 - 0.25 * depth) + low * (0.2 - 0.1 * depth)
        picture = _over(picture, hill, _smooth(y - crest[None, :], -1.5 / size, 1.5 / size))

    depth = ((y - horizon) / (1 - horizon)).clip(0, 1)
    ripple = _noise(random, size, 48, 5, 2) - 0.5
    wave = np.sin(2 * np.pi * 14 * np.sqrt(depth + 0.002) + 5 * ripple)
    mirrored = sky((depth * 0.8 + 0.12 * ripple * depth).clip(0, 1), np.zeros((1, 1), dtype=np.float32))
    sea = mirrored * (0.62 - 0.18 * depth[..., None]) + top * 0.10
    sea = _over(sea, top * 0.45, 0.35 * _smooth(wave, 0.1, 1) * _smooth(depth, 0, 0.3))
    width = 0.02 + 0.16 * depth
    path = np.exp(-(((x - sun_x) / width) ** 2)) * _smooth(wave + 2.2 * ripple, -0.35, 0.5)
    sea = _over(sea, (sun + 1) / 2, 0.85 * path)
    picture = _over(picture, sea, _smooth(y - horizon, -0.5 / size, 1 / size))

    if random.random() < 0.4:  # a dark shore in front
        shore = 0.93 + 0.06 * _line_noise(random, size, 3, 5, 0.5) - 0.10 * np.abs(x[0] - random.random())
        picture = _over(picture, top * 0.18, _smooth(y - shore[None, :], -2 / size, 2 / size))
    return picture


_GROUNDS = [  # ground, line, then colours
    _colors("f4f1e6 17171a d62718 1d3f95 f4c61c"),
    _colors("ece7d8 1a1a1c c8321f 20438c e9b824"),
    _colors("f7f4ea 222024 e0a9a0 a8bcd6 f0dca0"),
    _colors("e9eaec 141517 d93d1a 17617f f2d13b"),
    _colors("fbf5e3 2b2a29 b7362b 2c4a6e e3a72f"),
]


def _field(random: np.random.Generator, size: int) -> np.ndarray:
    palette = _GROUNDS[random.choice(len(_GROUNDS), p=[0.4, 0.2, 0.12, 0.16, 0.12])]
    ground, line, *strong = _vary(random, palette, 0.012)
    thick = random.uniform(0.012, 0.030)
    boxes, done = [(-0.02, -0.02, 1.02, 1.02)], []
    least, go_on = random.uniform(0.10, 0.20), random.uniform(0.72, 0.92)
    while boxes:
        left, above, right, below = boxes.pop()
        wide, tall = right - left, below - above
        upright = random.random() < wide / (wide + tall)
        long = wide if upright else tall
        if long < 2 * least or (random.random() > go_on and long < 0.75):
            done.append((left, above, right, below))
            continue
        cut = (left if upright else above) + random.uniform(least, long - least)
        boxes += (
            [(left, above, cut, below), (cut, above, right, below)]
            if upright
            else [(left, above, right, cut), (left, cut, right, below)]
        )
    y, x = _places(size)
    edge = 0.7 / size
    picture = np.empty((size, size, 3), dtype=np.float32)
    filled = random.uniform(0.22, 0.45)
    always = random.integers(len(done))
    for i, (left, above, right, below) in enumerate(done):
        if random.random() < filled or i == always:
            color = strong[random.choice(3, p=[0.38, 0.32, 0.30])]
        else:
            color = line if random.random() < 0.06 else ground * random.uniform(0.93, 1.0)
        rows = slice(max(0, round(above * size)), max(0, round(below * size)))
        columns = slice(max(0, round(left * size)), max(0, round(right * size)))
        away_x = np.minimum(x[:, columns] - left, right - x[:, columns])  # of the nearest border
        away_y = np.minimum(y[rows] - above, below - y[rows])
        border = _smooth(-np.minimum(away_x, away_y), -thick / 2 - edge, -thick / 2 + edge)
        picture[rows, columns] = _over(color[None, None], line, border)
    canvas = 0.02 * (_noise(random, size, 32, 32, 2) - 0.5) + 0.03 * (_noise(random, size, 3, 3, 2) - 0.5)
    return picture + canvas[..., None]


_GLASS = [  # the leading between the panes, then the glass
    _colors("14121a 8c1c2f d1495b edae49 00798c 30638e 66a182"),
    _colors("0d1b2a 415a77 778da9 e0e1dd c1121f fdf0d5 669bbc"),
    _colors("1a1423 684756 96705b ab8476 f4d58d bf0603 708d81"),
    _colors("10141f 264653 2a9d8f e9c46a f4a261 e76f51 8ab17d"),
    _colors("17101f 5f0f40 9a031e fb8b24 e36414 0f4c5c f6e7cb"),
    _colors("0b132b 1c2541 3a506b 5bc0be c5f5ec f2e9e4 9a8c98"),
    _colors("201014 6d2e46 a26769 d5b9b2 ece2d0 84a59d f6bd60"),
]


def _rosette(random: np.random.Generator, size: int) -> np.ndarray:
    y, x = (place - 0.5 for place in _places(size))
    lead, *glass = _vary(random, _GLASS[random.integers(len(_GLASS))], 0.02)
    fold = int(random.choice([5, 6, 7, 8, 8, 9, 10, 12, 12, 16]))
    radius, angle = np.hypot(x, y), np.arctan2(y, x) + random.uniform(0, 2 * np.pi / fold)
    edge, leading = 1.2 / size, random.uniform(0.006, 0.013)
    light = 0.80 + 0.45 * _noise(random, size, 9, 9, 3)  # glass is never even
    stone = _color("cfc6b4") if random.random() < 0.3 else lead * random.uniform(0.6, 2.2) + 0.03
    picture = stone * (0.92 + 0.16 * _noise(random, size, 12, 12, 3))[..., None]

    def lay(picture: np.ndarray, inside: np.ndarray, color: np.ndarray) -> np.ndarray:
        """A pane where `inside` (a distance, positive inside) is, bordered by lead."""
        picture = _over(picture, lead, _smooth(inside, -edge, edge))
        shine = light + 0.25 * _smooth(inside, 0, 0.09) ** 2
        return _over(picture, color * shine[..., None], _smooth(inside, leading - edge, leading + edge))

    outer = random.uniform(0.42, 0.485)
    picture = lay(picture, outer - radius, glass[random.integers(6)])
    reach, ring = outer - leading, 0
    while reach > 0.06 and ring < 7:
        color, other = (glass[i] for i in random.choice(6, 2, replace=False))
        folds = fold if ring % 2 == 0 or random.random() < 0.6 else 2 * fold
        turn = 0.0 if random.random() < 0.5 else np.pi / folds
        wave = np.cos(folds * (angle + turn))
        kind = random.integers(5)
        if kind == 0:  # petals
            petal = reach * (0.70 + 0.30 * np.abs(np.cos(folds / 2 * (angle + turn))))
            picture = lay(picture, petal - radius, color)
            reach *= 0.70
        elif kind == 1:  # a ring of roundels
            center, large = reach * 0.80, reach * min(0.17, 0.72 * np.sin(np.pi / folds))
            sector = 2 * np.pi / folds
            folded = (angle + turn + sector / 2) % sector - sector / 2
            away = np.hypot(radius * np.cos(folded) - center, radius * np.sin(folded))
            picture = lay(picture, reach - radius, color)
            picture = lay(picture, large - away, other)
            picture = lay(picture, large * 0.45 - away, color)
            reach *= 0.62
        elif kind == 2:  # a star
            picture = lay(picture, reach * (0.80 + 0.18 * wave) - radius, color)
            reach *= 0.60
        elif kind == 3:  # panes of two colours, side by side
            picture = lay(picture, reach - radius, color)
            ring_inside = np.minimum(reach - leading - radius, radius - reach * 0.55)
            picture = lay(picture, np.minimum(ring_inside, wave * 0.16 * reach), other)
            reach *= 0.58
        else:  # a plain ring
            picture = lay(picture, reach - radius, color)
            reach *= random.uniform(0.80, 0.92)
        ring += 1
    picture = lay(picture, max(reach, 0.03) - radius, glass[random.integers(6)])
    glow = np.exp(-((radius / random.uniform(0.25, 0.5)) ** 2))
    return picture * (0.82 + 0.28 * glow)[..., None]


_INKS = [  # paper, mist, far ink, near ink
    _colors("f1e9d6 f7f1e3 9aa3a6 23272b"),
    _colors("e9e2cf f3ecdc a39d8e 2a2622"),
    _colors("e6ebe6 f2f5f0 8fb0a9 1f3a3c"),
    _colors("f0e3c8 f8eed9 8aa58c 2b4635"),
    _colors("e4e8ee f3f5f8 93a7c2 1f2d4a"),
    _colors("f3e2d0 fbf0e2 c79a83 4a2a2a"),
    _colors("ded3bb ebe2cd 7f9aa0 28364a"),
]


def _mountain(random: np.random.Generator, size: int) -> np.ndarray:
    y, x = _places(size)
    paper, mist, far, near = _vary(random, _INKS[random.integers(len(_INKS))], 0.015)
    picture = _over(paper[None, None], mist, _noise(random, size, 3, 2, 3))
    if random.random() < 0.55:
        disk_x, disk_y, radius = (
            random.uniform(0.15, 0.85),
            random.uniform(0.10, 0.30),
            random.uniform(0.04, 0.08),
        )
        disk = _smooth(-np.hypot(x - disk_x, y - disk_y), -radius - 2 / size, -radius + 1 / size)
        color = _color("c8442f") if random.random() < 0.6 else np.minimum(mist + 0.06, 1)
        picture = _over(picture, color, 0.9 * disk)
    count = int(random.integers(3, 7))
    first, last = random.uniform(0.25, 0.45), random.uniform(0.72, 0.92)
    steep = random.uniform(0.5, 1.3)
    for i in range(count):
        nearness = (i + 1) / count
        line = first + (last - first) * (i / max(count - 1, 1)) ** 0.9
        shape = _line_noise(random, size, int(random.integers(2, 5)), 6, 0.5)
        peak = np.exp(-(((x[0] - random.random()) / random.uniform(0.10, 0.30)) ** 2))
        crest = line - steep * (0.10 * shape + random.uniform(0.05, 0.22) * peak * (1.15 - 0.5 * nearness))
        below = y - crest[None, :]
        ink = far + (near - far) * nearness**1.4
        inside = _smooth(below, -1.2 / size, 1.2 / size)
        strokes = _noise(random, size, 10, 40, 3)
        fade = np.exp(-below.clip(0, 1) / random.uniform(0.10, 0.24))
        wash = (0.30 + 0.70 * fade) * (0.72 + 0.56 * strokes) * (0.35 + 0.62 * nearness)
        picture = _over(picture, mist, 0.75 * inside * _smooth(below, 0.0, 0.25))
        picture = _over(picture, ink, (wash * inside * fade**0.5).clip(0, 1))
        if nearness > 0.6 and random.random() < 0.7:  # pines along the crest
            for place in random.uniform(0.03, 0.97, int(random.integers(4, 14))):
                tall, foot = random.uniform(0.025, 0.06) * nearness, crest[int(place * size)] + 0.008
                rows = slice(max(0, int((foot - tall) * size)), max(0, int(foot * size) + 1))
                columns = slice(max(0, int((place - tall) * size)), int((place + tall) * size) + 1)
                up = (foot - y[rows]) / tall
                body = 0.16 * tall * (1 - up) * (1.5 + np.sin(up * 22))
                tree = _smooth(body - np.abs(x[:, columns] - place), -0.8 / size, 0.8 / size)
                tree = 0.9 * tree * (up > 0) * (up < 1)
                picture[rows, columns] = _over(picture[rows, columns], near, tree)
    if random.random() < 0.5:  # the seal of who painted it
        corner_x, corner_y = random.choice([0.06, 0.89]), random.uniform(0.80, 0.90)
        seal = (np.abs(x - corner_x - 0.025) < 0.025) & (np.abs(y - corner_y - 0.025) < 0.028)
        picture = _over(picture, _color("b3261e"), 0.85 * seal * (_noise(random, size, 64, 64, 1) > 0.28))
    grain = 0.035 * (_noise(random, size, 64, 64, 2) - 0.5)
    return picture + grain[..., None]


_PAINTERS = {"sunsets": _sunset, "fields": _field, "rosettes": _rosette, "mountains": _mountain}


def draw(name: str, seed: int, size_px: int) -> np.ndarray:
    """Picture number `seed` of an example set: (S, S, 3) uint8, the same each time. Errors: Refused."""
    if name not in EXAMPLES:
        raise Refused(refuse("example", str(name), names=", ".join(EXAMPLES)))
    random = np.random.default_rng([list(EXAMPLES).index(name), seed])
    return (_PAINTERS[name](random, size_px) * 255).round().clip(0, 255).astype(np.uint8)


def taking_in_example(name: str, home: Path, count: int = 400) -> Generator[Progress, None, Taken]:
    """Draws the first `count` pictures of an example set into a set in `home`, telling how far it is."""
    if name not in EXAMPLES:
        raise Refused(refuse("example", str(name), names=", ".join(EXAMPLES)))
    datasets.check_room(home)
    clock = datasets.Clock()
    with datasets.disk_may_be_full(home), datasets.NewSet(home) as new:
        for seed in range(count):
            if clock.due():
                left = clock.left(seed, count)
                yield Progress(seed, count, left, f"Drawing: {EXAMPLES[name].title.lower()}")
            pixels = draw(name, seed, DRAWN_PX)
            new.add(
                f"{name}-{seed:04d}.png", datasets.keep(images.Decoded(pixels, DRAWN_PX, DRAWN_PX, False))
            )
        set_id, folder = new.finish([], images.WHITE)
    return Taken(set_id, folder, doctor.report(folder))


def take_in_example(name: str, home: Path, count: int = 400) -> Taken:
    """`taking_in_example` to its end."""
    return datasets.run_to_end(taking_in_example(name, home, count))
