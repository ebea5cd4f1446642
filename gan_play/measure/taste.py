"""What somebody likes, learnt from few likes: a logistic regression on features of the pictures, and how sure it is.

Liked pictures against those that were seen beside them and passed over. With x the features through the network of
`features.py`, centred and of mean square length 1, and y = 1 or -1, weights w and a bias b minimise

    mean of c(y) log(1 + exp(-y (w x + b))) + RIDGE / 2 |w|^2,

where c(y) gives both kinds the same weight in all. How sure it is: pairs of a liked and a passed-over picture are left
out in turn, and counted is how often the liked one of a pair gets the higher score from the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

RIDGE = 0.01
"""Of 0.001, 0.01, 0.1 and 1: a smaller one ranks hardly better and takes longer, a larger one ranks worse
(`benchmarks/taste.py`)."""

LEAST = 6  # liked pictures, and passed-over ones: fewer say nothing
MOST = 100  # of each kind, the newest: a taste changes, and a fit takes the cube of their number
MOST_PAIRS = 30  # that are left out in turn
STEPS, ENOUGH = 60, 1e-5  # of Newton's method, and the length of a step that ends it


@dataclass(frozen=True, eq=False)
class Taste:
    """A learnt taste: `score` ranks pictures by it."""

    weights: np.ndarray  # (D,) float64
    bias: float
    centre: np.ndarray  # (D,)
    length: float  # root mean square length of what was learnt from
    liked: int
    passed: int
    pairs: int  # that were left out in turn
    right: int  # of these, how many were told apart rightly

    @property
    def at_least(self) -> float:
        """The share of right pairs that it has at least, with 99% confidence (Wilson 1927, one-sided)."""
        z, n = 2.326, max(1, self.pairs)
        share = self.right / n
        middle, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return (middle - spread) / (1 + z * z / n)

    @property
    def sure(self) -> str:
        """How sure it is: "well", "some", or "guess" where it may be no better than chance."""
        return "well" if self.at_least > 0.7 else "some" if self.at_least > 0.5 else "guess"


def learn(liked: np.ndarray, passed: np.ndarray, ridge: float = RIDGE) -> Taste | None:
    """The taste behind features of liked pictures (N, D) and passed-over ones (M, D), the newest first; None for too
    few of them."""
    liked, passed = liked[:MOST], passed[:MOST]
    if min(len(liked), len(passed)) < LEAST:
        return None
    x = np.concatenate([liked, passed]).astype(np.float64)
    y = np.repeat([1.0, -1.0], [len(liked), len(passed)])
    centre = x.mean(axis=0)
    x -= centre
    length = float(np.sqrt((x**2).sum(axis=1).mean())) or 1.0
    u, s, vt = np.linalg.svd(x / length, full_matrices=False)  # at most as many directions as pictures
    z = u * s  # (N + M, R): the same products in fewer numbers
    weights = fit(z, y, ridge)
    rng = np.random.default_rng(0)
    count = min(len(liked), len(passed), MOST_PAIRS)
    ones, others = rng.permutation(len(liked))[:count], len(liked) + rng.permutation(len(passed))[:count]
    right = 0
    for one, other in zip(ones, others):
        rest = np.ones(len(z), bool)
        rest[[one, other]] = False
        w = fit(z[rest], y[rest], ridge, weights)
        right += bool(z[one] @ w[:-1] > z[other] @ w[:-1])
    return Taste(
        vt.T @ weights[:-1], float(weights[-1]), centre, length, len(liked), len(passed), count, right
    )


def fit(z: np.ndarray, y: np.ndarray, ridge: float, start: np.ndarray | None = None) -> np.ndarray:
    """Weights and bias, (R + 1,), by Newton's method; the loss is convex, so there is one answer, from every start."""
    z = np.concatenate([z, np.ones((len(z), 1))], axis=1)
    share = np.where(y > 0, 0.5 / (y > 0).sum(), 0.5 / (y < 0).sum())
    penalty = np.full(z.shape[1], ridge)
    penalty[-1] = 1e-9  # the bias is free
    w = np.zeros(z.shape[1]) if start is None else start.copy()

    def loss(w: np.ndarray) -> float:
        return float(share @ np.logaddexp(0, -y * (z @ w)) + penalty @ w**2 / 2)

    before = loss(w)
    for _ in range(STEPS):
        wrong = 1 / (1 + np.exp(np.clip(y * (z @ w), -30, 30)))
        gradient = penalty * w - z.T @ (share * y * wrong)
        curvature = (z.T * (share * wrong * (1 - wrong))) @ z + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        while (now := loss(w - step)) > before and np.abs(step).max() > ENOUGH:
            step /= 2  # far from the answer a whole step may go astray
        w, before = w - step, now
        if np.abs(step).max() < ENOUGH:
            break
    return w


def score(taste: Taste, features: np.ndarray) -> np.ndarray:
    """How much each picture is liked by features (K, D): log odds, (K,) float64."""
    return (features.astype(np.float64) - taste.centre) / taste.length @ taste.weights + taste.bias
