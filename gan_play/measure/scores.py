"""Scores that compare two sets of pictures by their features: how near, how much of it, and how sure one can be.

Pure functions on arrays of features (N, D), in float64, in blocks, so that memory stays small. A score means
something only together with the network that made the features (`features.FEATURES`) and with how many pictures
there were: `Scores` carries both, and says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BLOCK_ROWS = 512  # of a matrix of all pairs that is never held whole: 40 MB for 10,000 pictures
NEIGHBOURS_PRECISION = 3  # Kynkaanniemi 2019, section 3
NEIGHBOURS_DENSITY = 5  # Naeem 2020, section 4
SAME = 1e-9  # as a share: distances that differ by no more are one, computed in another order
LEAST_FOR_INTERVAL = 4  # two halves of two


@dataclass(frozen=True)
class Scores:
    """What a set of painted pictures is worth beside a set of real ones, seen through one network.

    fid: 0 is best, in squared units of the network, biased upwards for few pictures; kid: 0 is best, unbiased,
    and its 95% `interval`; precision, recall, coverage: shares, 1 is best; density: about 1 is best, above it
    the paintings crowd where the reals are; inception_score: from 1 up to the number of classes, more is
    better, None where no class probabilities were given. `real` and `fake` count the pictures on each side;
    `held_back` says whether the reals were ones that training never saw.
    """

    network: str
    fid: float
    kid: float
    interval: tuple[float, float]
    precision: float
    recall: float
    density: float
    coverage: float
    inception_score: float | None
    real: int
    fake: int
    held_back: bool

    @property
    def note(self) -> str:
        """What these numbers may be compared with, in a sentence."""
        kept = "that were held back from training" if self.held_back else "of the set"
        return (
            f"Measured through {self.network} on {self.fake} paintings and {self.real} pictures {kept}: compare "
            f"them only with scores through {self.network}, on the same pictures and as many of them."
        )


# Frechet distance


def fid(real: np.ndarray, fake: np.ndarray) -> float:
    """Frechet Inception Distance of features (N, D), (M, D): 0 for the same mean and covariance.

    |mean - mean'|^2 + tr(S + S' - 2 (S S')^(1/2)): Heusel 2017, "GANs Trained by a Two Time-Scale Update Rule",
    equation 6. With S = A A^T and S' = B B^T the eigenvalues of S S' are the squared singular values of A^T B,
    so that no covariance is inverted or squared, and fewer pictures than features do no harm to the arithmetic.
    The estimate itself is too high for few pictures, by about (sum of the variances) / N: compare it only at the
    same numbers. ValueError for fewer than two pictures on a side.
    """
    real, fake = _sides(real, fake, 2, "FID")
    gap = real.mean(axis=0) - fake.mean(axis=0)
    a, b = _root(real), _root(fake)
    common = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(0.0, float(gap @ gap + (a * a).sum() + (b * b).sum() - 2 * common))


def _root(x: np.ndarray) -> np.ndarray:
    """A with A^T A = the covariance of x (N, D), in as few rows as possible: (min(N, D), D)."""
    centred = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    return np.linalg.qr(centred, mode="r") if len(x) > x.shape[1] else centred


# Kernel distance


def kid(real: np.ndarray, fake: np.ndarray) -> float:
    """Kernel Inception Distance of features (N, D), (M, D): 0 for the same source, larger is farther.

    The unbiased squared MMD with the kernel (x . y / D + 1)^3: Binkowski 2018, "Demystifying MMD GANs",
    section 4, over all pictures at once instead of an average over blocks. It may fall a little below 0.
    ValueError for fewer than two pictures on a side.
    """
    real, fake = _sides(real, fake, 2, "KID")
    nothing = np.zeros((len(real), 0)), np.zeros((len(fake), 0))
    return _kids(real, fake, *nothing)[0]


def kid_interval(
    real: np.ndarray, fake: np.ndarray, seed: int = 0, draws: int = 200
) -> tuple[float, float, float]:
    """KID with the 95% interval that the choice of pictures leaves open: (low, KID, high).

    From `draws` random halves without replacement of both sides, whose spread is scaled to the full size
    (Politis & Romano 1994, "subsampling": a half's variance about the full sample's value is that of the full
    sample about the truth). ValueError for fewer than four pictures on a side.
    """
    real, fake = _sides(real, fake, LEAST_FOR_INTERVAL, "an interval of KID")
    random = np.random.default_rng(seed)
    of_real, of_fake = np.zeros((len(real), draws)), np.zeros((len(fake), draws))
    for draw in range(draws):
        of_real[random.choice(len(real), len(real) // 2, replace=False), draw] = 1
        of_fake[random.choice(len(fake), len(fake) // 2, replace=False), draw] = 1
    middle, halves = _kids(real, fake, of_real, of_fake)
    spread = 1.96 * float(np.std(halves))
    return middle - spread, middle, middle + spread


def _kids(
    real: np.ndarray, fake: np.ndarray, of_real: np.ndarray, of_fake: np.ndarray
) -> tuple[float, np.ndarray]:
    """KID of all pictures, and of each subset: column s of (N, subsets), (M, subsets) is 1 where one is in it."""
    within_real, within_reals = _kernel_means(real, real, of_real, of_real, within=True)
    within_fake, within_fakes = _kernel_means(fake, fake, of_fake, of_fake, within=True)
    between, betweens = _kernel_means(real, fake, of_real, of_fake, within=False)
    return within_real + within_fake - 2 * between, within_reals + within_fakes - 2 * betweens


def _kernel_means(
    x: np.ndarray, y: np.ndarray, of_x: np.ndarray, of_y: np.ndarray, within: bool
) -> tuple[float, np.ndarray]:
    """Mean kernel over all pairs and over the pairs of each subset; `within` one set, no picture with itself."""
    total, totals = 0.0, np.zeros(of_x.shape[1])
    for i in range(0, len(x), BLOCK_ROWS):
        kernel = x[i : i + BLOCK_ROWS] @ y.T
        kernel /= x.shape[1]
        kernel += 1
        kernel *= kernel * kernel
        if within:
            rows = np.arange(len(kernel))
            kernel[rows, i + rows] = 0
        total += kernel.sum()
        totals += np.einsum("ns,ns->s", of_x[i : i + BLOCK_ROWS], kernel @ of_y)
    counts_x, counts_y = of_x.sum(axis=0), of_y.sum(axis=0)
    return float(total / (len(x) * (len(y) - within))), totals / (counts_x * (counts_y - within))


# What is covered, and what is to the point


def precision_recall(
    real: np.ndarray, fake: np.ndarray, neighbours: int = NEIGHBOURS_PRECISION
) -> tuple[float, float]:
    """(precision, recall) of features (N, D), (M, D): the share of paintings that lie among the reals, and of
    reals that lie among the paintings.

    "Among" is within the distance of any picture of that set to its own k-th neighbour: Kynkaanniemi 2019,
    "Improved Precision and Recall Metric", equations 1 to 3. ValueError for no more than k pictures on a side.
    """
    real, fake = _sides(real, fake, neighbours + 1, "precision and recall")
    around_real, around_fake = _radii(real, neighbours), _radii(fake, neighbours)
    precise, recalled = np.zeros(len(fake), bool), np.zeros(len(real), bool)
    for rows, distances in _squared_distances(real, fake):
        precise |= (distances <= around_real[rows, None]).any(axis=0)
        recalled[rows] = (distances <= around_fake).any(axis=1)
    return float(precise.mean()), float(recalled.mean())


def density_coverage(
    real: np.ndarray, fake: np.ndarray, neighbours: int = NEIGHBOURS_DENSITY
) -> tuple[float, float]:
    """(density, coverage) of features (N, D), (M, D): how many reals' neighbourhoods a painting lies in on
    average, over k; and the share of reals with a painting in their neighbourhood.

    A neighbourhood reaches to the k-th other real: Naeem 2020, "Reliable Fidelity and Diversity Metrics",
    equations 3 and 5. Unlike precision and recall, one stray picture can't make a score good. ValueError for no
    more than k pictures among the reals.
    """
    real, fake = _sides(real, fake, neighbours + 1, "density and coverage", least_fake=1)
    around_real = _radii(real, neighbours)
    held, covered = 0, np.zeros(len(real), bool)
    for rows, distances in _squared_distances(real, fake):
        inside = distances <= around_real[rows, None]
        held += int(inside.sum())
        covered[rows] = inside.any(axis=1)
    return held / (neighbours * len(fake)), float(covered.mean())


def reached(
    real: np.ndarray, fake: np.ndarray, neighbours: int = NEIGHBOURS_DENSITY, nearest: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """How near each of the reals (N, D) the paintings (M, D) come: the distance of the nearest as a share of the
    distance to the k-th other real, (N,); and which are nearest, (N, `nearest`), the nearest first.

    At most 1 is covered: the mean of that is the coverage of `density_coverage`. ValueError for no more than k
    pictures among the reals.
    """
    real, fake = _sides(real, fake, neighbours + 1, "coverage", least_fake=1)
    radii, share = np.maximum(_radii(real, neighbours), 1e-30), np.empty(len(real))
    near = np.empty((len(real), min(nearest, len(fake))), dtype=np.int64)
    for rows, distances in _squared_distances(real, fake):
        near[rows] = np.argsort(distances, axis=1, kind="stable")[:, : near.shape[1]]
        share[rows] = np.sqrt(np.maximum(distances.min(axis=1), 0) / radii[rows])
    return share, near


def _squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of rows of the matrix of squared distances (N, M), each with which rows it is."""
    middle = y.mean(axis=0)  # far from zero, |x|^2 + |y|^2 - 2 x.y would lose digits
    x, y = x - middle, y - middle
    lengths_x, lengths_y = np.einsum("nd,nd->n", x, x), np.einsum("nd,nd->n", y, y)
    for i in range(0, len(x), BLOCK_ROWS):
        rows = slice(i, min(i + BLOCK_ROWS, len(x)))
        block = x[rows] @ y.T
        block *= -2
        block += lengths_x[rows, None]
        block += lengths_y
        yield rows, block


def _radii(x: np.ndarray, neighbours: int) -> np.ndarray:
    """Squared distance of each of x (N, D) to its k-th neighbour, itself left out, rounded up: (N,).

    Rounded up, because a copy of the k-th neighbour lies exactly on the border and counts as inside.
    """
    found = np.empty(len(x))
    for rows, distances in _squared_distances(x, x):
        here = np.arange(rows.start, rows.stop)
        distances[here - rows.start, here] = np.inf
        found[rows] = np.partition(distances, neighbours - 1, axis=1)[:, neighbours - 1]
    return np.maximum(found, 0) * (1 + SAME) + x.var(axis=0).sum() * SAME


# Inception score


def inception_score(probabilities: np.ndarray, splits: int = 1) -> float:
    """Inception Score of class probabilities (N, C): 1 where all look alike, C where each is clearly another.

    exp of the mean of KL(p(class | picture) || p(class)): Salimans 2016, "Improved Techniques for Training
    GANs", section 4; the mean over `splits` parts of the pictures, as they come (the paper's 10 need thousands).
    It knows no real pictures. ValueError where there are fewer pictures than parts.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2 or not 1 <= splits <= len(p) or not np.isfinite(p).all() or (p < 0).any():
        raise ValueError("the Inception Score needs probabilities (N, C), at least one picture a part")
    p = p / p.sum(axis=1, keepdims=True)
    scores = []
    for part in range(splits):
        some = p[part * len(p) // splits : (part + 1) * len(p) // splits]
        together = some.mean(axis=0)
        divergence = _plogp(some).sum(axis=1).mean() - _plogp(together).sum()
        scores.append(np.exp(divergence))
    return float(np.mean(scores))


def _plogp(p: np.ndarray) -> np.ndarray:
    return p * np.log(np.where(p > 0, p, 1))


# All together


def compare(
    real: np.ndarray,
    fake: np.ndarray,
    held_back: np.ndarray | None = None,
    *,
    network: str = "lite2",
    probabilities: np.ndarray | None = None,
    seed: int = 0,
) -> Scores:
    """All scores of painted features `fake` (M, D) against `real` (N, D), made by one `network`.

    Where there are `held_back` ones, pictures of the set that training never saw, these take the place of
    `real`: beside the training pictures, copying them would score best. `probabilities` (M, C) are the
    classes of the paintings, for the Inception Score. ValueError for fewer than six pictures on a side.
    """
    beside = real if held_back is None else held_back
    beside, fake = _sides(beside, fake, NEIGHBOURS_DENSITY + 1, "a comparison")
    low, middle, high = kid_interval(beside, fake, seed)
    precision, recall = precision_recall(beside, fake)
    density, coverage = density_coverage(beside, fake)
    return Scores(
        network=network,
        fid=fid(beside, fake),
        kid=middle,
        interval=(low, high),
        precision=precision,
        recall=recall,
        density=density,
        coverage=coverage,
        inception_score=None if probabilities is None else inception_score(probabilities),
        real=len(beside),
        fake=len(fake),
        held_back=held_back is not None,
    )


def verdict(
    interval_a: tuple[float, ...],
    interval_b: tuple[float, ...],
    names: tuple[str, str] = ("the first", "the second"),
) -> str:
    """Which of two KIDs is better, in a sentence, or that there are not enough pictures to say.

    Takes 95% intervals, (low, high) or (low, KID, high), of two generators beside the same pictures, through
    the same network. They are told apart where 0 is outside of the 95% interval of their difference; its half
    width is the root of the sum of the squares of the two (that they share the real pictures makes it smaller,
    if anything).
    """
    middles = [(interval[0] + interval[-1]) / 2 for interval in (interval_a, interval_b)]
    spreads = [(interval[-1] - interval[0]) / 2 for interval in (interval_a, interval_b)]
    gap = middles[1] - middles[0]
    if not abs(gap) > float(np.hypot(*spreads)):  # so also where a number is missing
        return "There are not enough pictures to tell these two apart."
    better, other = names if gap > 0 else names[::-1]
    return f"{better[:1].upper()}{better[1:]} comes nearer to the real pictures than {other}."


def tell_apart(a: Scores, b: Scores, names: tuple[str, str] = ("the first", "the second")) -> str:
    """`verdict` on two scores, or why they can't be compared, in a sentence."""
    if a.network != b.network:
        return f"One was measured through {a.network}, one through {b.network}: these can't be compared."
    if a.held_back != b.held_back:
        return "One was measured beside pictures held back from training, one not: these can't be compared."
    return verdict(a.interval, b.interval, names)


def _sides(
    real: np.ndarray, fake: np.ndarray, least: int, what: str, least_fake: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Both sides in float64, if they are features of one network, finite, and enough of them."""
    if len(real) < least or len(fake) < (least_fake or least):
        number = {2: "two", 4: "four", 6: "six"}.get(least, str(least))
        raise ValueError(f"{what} needs {number} pictures on each side")
    real, fake = np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"features of two networks: {real.shape} and {fake.shape}")
    if not (np.isfinite(real).all() and np.isfinite(fake).all()):
        raise ValueError("features must be finite")
    return real, fake
