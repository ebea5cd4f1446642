"""What was found out about a checkpoint on the way: its score, its health, and whether it copies.

The worker notes these with each scoring: in `stats.jsonl` line by line, in `run.json` the newest. Here they are read
back for one step, with care since files may be damaged or from an older program.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gan_play import files


@dataclass(frozen=True)
class Findings:
    """What is known of the state at `step` from the last look before it; nothing where there was none.

    looked: the step of the state that was looked at; score: its KID, with its 95% interval where that was noted, beside
    so many pictures `held_back` from training, 0 for the whole set; health, leak and copy are sentences, "" where
    nothing is known; copy_rate is the share of paintings that are copies.
    """

    step: int
    looked: int | None = None
    score: float | None = None
    interval: tuple[float, float] | None = None
    held_back: int = 0
    health: str = ""
    leak: str = ""
    copy: str = ""
    copy_rate: float | None = None


def of_step(folder: Path, run: Mapping[str, object], step: int) -> Findings:
    """The findings of a run's state at `step`; `run` is its `run.json`. Never raises for what is in the files."""
    lines = [
        line
        for line in files.read_lines_json(folder / "stats.jsonl")
        if _count(line.get("step")) is not None and _number(line.get("score")) is not None
    ]
    line = next((line for line in reversed(lines) if _scored_step(line) <= step), {})
    noted = run.get("health")
    noted = noted if isinstance(noted, Mapping) else {}
    at = _count(noted.get("step"))
    if at is None or at > step:
        noted, at = {}, None  # of a later state, or of none
    looked = _scored_step(line) if line else at
    low, high = _number(line.get("score_low")), _number(line.get("score_high"))
    return Findings(
        step=step,
        looked=looked,
        score=_number(line.get("score")),
        interval=None if low is None or high is None else (low, high),
        held_back=_count(line.get("score_held_back")) or 0,
        health=_text(noted.get("sentence")),
        leak=_text(noted.get("leak")),
        copy=_text(noted.get("copy")),
        copy_rate=_number(noted.get("copy_rate")),
    )


def _scored_step(line: Mapping) -> int:
    """The step of the state that a line's score is of: scoring ends some steps later. Older lines don't say it."""
    scored = _count(line.get("scored_step"))
    return line["step"] if scored is None else scored


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _number(value: object) -> float | None:
    number = type(value) in (int, float) and math.isfinite(value)
    return float(value) if number else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
