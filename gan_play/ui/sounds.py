"""A sound that a browser sends: decoded, checked and kept in a child process of limited time.

FFmpeg reads files of strangers there: where one makes it hang or die, the page goes on.
"""

from collections.abc import Iterator
from pathlib import Path

from gan_play import limits
from gan_play.latent import music
from gan_play.latent.music import Sound
from gan_play.refusals import Refused, refuse
from gan_play.ui import child

DAY_S = 24 * 60 * 60.0


def kept(home: Path, path: Path, public: bool) -> Sound:
    """The sound as the home keeps it. Refused as by `music.keep`, and for one that can't be decoded in time.

    Where strangers may come, no sound is pushed out by another's that was used within a day.
    """
    music.kind_of(path)  # what is no sound at all needs no process
    steps = child.following(keeping, home, path, DAY_S if public else 0.0, limit_s=limits.SOUND_SECONDS)
    try:
        return next(steps)
    except RuntimeError as error:
        raise Refused(refuse("sound-damaged", path.name)) from error
    finally:
        steps.close()


def keeping(home: Path, path: Path, rest_s: float) -> Iterator[Sound]:
    """The work of the child."""
    yield music.keep(home, path, rest_s)
