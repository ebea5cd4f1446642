"""Train: choose how, watch it learn, steer it; every past grid stays within reach."""

from gan_play.ui.shared import Shared


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
