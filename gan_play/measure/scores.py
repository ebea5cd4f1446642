"""Scores that compare two sets of pictures by their features."""

import numpy as np


def kid(real: np.ndarray, fake: np.ndarray) -> float:
    """Kernel Inception Distance of features (N, D), (M, D): 0 for the same source, larger is farther.

    The unbiased squared MMD with the kernel (x . y / D + 1)^3: Binkowski 2018, "Demystifying MMD GANs",
    section 4. It may fall a little below 0. ValueError for fewer than two pictures on a side.
    """
    if min(len(real), len(fake)) < 2:
        raise ValueError("KID needs two pictures on each side")
    return _kid_of_kernels(*_kernels(real, fake))


def kid_interval(
    real: np.ndarray, fake: np.ndarray, seed: int = 0, draws: int = 200
) -> tuple[float, float, float]:
    """KID with the 95% interval that the choice of pictures leaves open: (low, KID, high).

    From `draws` random halves without replacement of both sides, whose spread is scaled to the full size
    (Politis & Romano 1994, "subsampling": a half's variance about the full sample's value is that of the full
    sample about the truth).
    """
    kernels = _kernels(real, fake)
    middle = _kid_of_kernels(*kernels)
    random = np.random.default_rng(seed)
    halves = []
    for _ in range(draws):
        a = random.choice(len(real), max(2, len(real) // 2), replace=False)
        b = random.choice(len(fake), max(2, len(fake) // 2), replace=False)
        halves.append(
            _kid_of_kernels(kernels[0][np.ix_(a, a)], kernels[1][np.ix_(b, b)], kernels[2][np.ix_(a, b)])
        )
    spread = 1.96 * float(np.std(halves))
    return middle - spread, middle, middle + spread


def _kernels(real: np.ndarray, fake: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    real, fake = real.astype(np.float64), fake.astype(np.float64)

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x @ y.T / x.shape[1] + 1) ** 3

    return kernel(real, real), kernel(fake, fake), kernel(real, fake)


def _kid_of_kernels(real: np.ndarray, fake: np.ndarray, cross: np.ndarray) -> float:
    def off_diagonal(k: np.ndarray) -> float:
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    return float(off_diagonal(real) + off_diagonal(fake) - 2 * cross.mean())
