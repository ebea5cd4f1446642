"""A bake-off as one self-contained HTML file: pictures inside, no script, nothing fetched; made to be read and printed.

Everything in it that somebody typed is escaped. It needs no server, and shows in light and dark.
"""

from __future__ import annotations

import base64
import time
from html import escape
from pathlib import Path

import gan_play
from gan_play.runs import bakeoff, store

STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --quiet: #57534e; --line: #d6d3d1; --ground: #fff; --card: #f5f5f4; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f5f5f4; --quiet: #a8a29e; --line: #44403c; --ground: #1c1917; --card: #292524; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 1200px; color: var(--ink); background: var(--ground);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; } h2 { margin: 2rem 0 0.75rem; font-size: 1.15rem; }
p { margin: 0.4rem 0; } .quiet { color: var(--quiet); } .result { font-size: 1.1rem; margin-top: 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.5rem 0.75rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child, .words { text-align: left; } thead th { color: var(--quiet); font-weight: 500; }
small { color: var(--quiet); font-weight: 400; } td small { white-space: nowrap; } tbody th { font-weight: 600; }
.grids { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); gap: 0.75rem; }
figure { margin: 0; break-inside: avoid; } figcaption { padding-top: 0.3rem; font-size: 0.9rem; }
figure img { display: block; width: 100%; height: auto; border-radius: 4px; background: #808080; }
.sharp img { image-rendering: pixelated; }
.none { display: grid; place-content: center; aspect-ratio: 1; padding: 1rem; text-align: center; border-radius: 4px;
  color: var(--quiet); background: var(--card); }
@media (max-width: 700px) {
  .grids { grid-template-columns: repeat(2, minmax(0, 1fr)); } th, td { padding: 0.4rem 0.35rem; font-size: 0.85rem; }
}
@media print {
  :root { --ink: #000; --quiet: #444; --line: #bbb; --ground: #fff; --card: #eee; }
  body { padding: 0; max-width: none; font-size: 11pt; } section { break-inside: avoid; }
  img { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""

STATES = {
    "queued": "not begun yet",
    "preparing": "getting ready",
    "training": "still training",
    "paused": "paused",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "failed": "failed",
    "damaged": "damaged",
    "deleted": "deleted",
}


def html(home: Path, bakeoff_id: str) -> str:
    """The whole page of a bake-off, as far as it has come. Refused if there is none."""
    told = bakeoff.status(home, bakeoff_id)
    rows = told["rows"]
    cast = bakeoff.votes(bakeoff.find(home, bakeoff_id), len(rows))
    tally = bakeoff.tally(told, cast)
    name = escape(told["name"])
    date = time.strftime("%d %B %Y", time.localtime(told["created"]))
    results = "".join(f'<p class="result">{escape(text)}</p>' for text in (told["sentence"],) if text)
    if tally.count:
        results += f'<p class="result">Voted blind: {escape(tally.sentence)}</p>'
    moments = "".join(
        _moment(home, told, seconds, grids)
        for seconds, grids in bakeoff.rounds(told)
        if any(grid is not None for grid in grids)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Bake-off: {name}</title><style>{STYLE}</style></head><body>"
        f"<h1>Bake-off: {name}</h1>"
        f'<p class="quiet">{len(rows)} kinds of GAN on the same {told["pictures"]:,} pictures at {told["size_px"]} px, '
        f"from scratch, {_minutes(told['seconds'])} each, seed {told['seed']}. {date}.</p>"
        f"{results}{_table(rows, tally)}{moments}{_notes(told)}</body></html>\n"
    )


def _minutes(seconds: float) -> str:
    if seconds < 120 and seconds != 60:
        return f"{seconds:g} seconds"
    minutes = seconds / 60
    return (
        f"{minutes:g} minute{'s' if minutes != 1 else ''}" if minutes % 1 == 0 else f"{minutes:.1f} minutes"
    )


def _table(rows: list[dict], tally: bakeoff.Tally) -> str:
    voted = tally.count > 0
    titles = ["Recipe", "Pictures seen", "A second", "KID", "Copies", *(["Votes won"] if voted else [])]
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    lines = []
    for i, row in enumerate(rows):
        cells = [
            f"{row['images_seen']:,}" if row["images_seen"] else "–",
            f"{row['images_per_second']:,.{0 if row['images_per_second'] >= 10 else 1}f}"
            if row["images_per_second"]
            else "–",
            "–"
            if row["kid"] is None
            else f"{row['kid']:.3f}<br><small>{row['kid_low']:.3f} to {row['kid_high']:.3f}</small>",
            "–" if row["copy_rate"] is None else f"{row['copy_rate']:.0%}",
        ]
        if voted:
            cells.append(f"{tally.wins[i]:g} of {tally.of[i]}" if tally.of[i] else "–")
        said = "" if row["over"] else " ".join(filter(None, (STATES.get(row["state"], ""), row["sentence"])))
        said = f"<br><small>{escape(said)}</small>" if said else ""
        inside = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row" class="words">{escape(row["title"])}{said}</th>{inside}</tr>')
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _moment(home: Path, told: dict, seconds: float, grids: list[list | None]) -> str:
    sharp = " sharp" if told["size_px"] < 64 else ""
    figures = "".join(_figure(home, row, grid) for row, grid in zip(told["rows"], grids))
    return (
        f"<section><h2>After {_minutes(seconds)} of training</h2>"
        f'<div class="grids{sharp}" style="--columns:{len(grids)}">{figures}</div></section>'
    )


def _figure(home: Path, row: dict, grid: list | None) -> str:
    title, data = escape(row["title"]), None
    if grid is not None:
        try:
            data = base64.b64encode(store.grid_path(home / row["run"], grid[0]).read_bytes()).decode()
        except OSError:
            grid = None
    if grid is None:
        return f'<figure><div class="none">No pictures</div><figcaption>{title}</figcaption></figure>'
    return (
        f'<figure><img src="data:image/webp;base64,{data}" alt="{title}, step {grid[0]:,}"><figcaption>{title} '
        f'<span class="quiet">{grid[2]:,} pictures seen</span></figcaption></figure>'
    )


def _notes(told: dict) -> str:
    notes = [
        "Each row of grids shows what the kinds paint after equally long training, not counting waiting, measuring and "
        "the last scoring. Every tile is one seed, and the same in all grids.",
        "KID is the distance of the last paintings from the pictures, seen through a network that none was trained "
        "against (lite2): 0 would be no difference, smaller is better; below it the range in which it lies 95 times in "
        "100. Compare it only within this page. One training each: with another seed the order may be another.",
        "Copies: the share of paintings that come closer to a picture of the set than its own pictures come to each "
        "other.",
    ]
    inside = "".join(f"<p>{note}</p>" for note in (*notes, f"Made with GAN Play {gan_play.__version__}."))
    return f'<section class="quiet"><h2>What the numbers say</h2>{inside}</section>'
