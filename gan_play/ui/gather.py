"""Gather: pictures come in, are looked over together, and one button starts the training."""

from gan_play.ui.shared import Shared


def build(shared: Shared) -> None:
    """Make the tab's components and wire them."""
