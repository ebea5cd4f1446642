"""The report on a set: how many were taken in, what was refused and why, duplicates, sizes, and a verdict.

It only reads the set's manifest, so it is ready at once for a set of any size.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

from gan_play import limits
from gan_play.pictures import datasets


def verdict(count: int, copies: int = 0) -> str:
    """What a set of `count` pictures is good for, in a sentence; `copies` of them repeat others."""
    different = count - copies
    said = f"{count:,} picture{'s' if count != 1 else ''}"
    if copies and different < 300:
        said += f", {different:,} of them different"
    if count < limits.LEAST_PICTURES:
        return f"{said}: too few to train on; a set needs at least {limits.LEAST_PICTURES}. Add some more."
    if different < 20:
        return f"{said}: it will soon repeat them; start from the starter and stop within 5 minutes."
    if different < 60:
        return f"{said}: enough to fine-tune the starter for about 10 minutes; expect near-copies after that."
    if different < 300:
        minutes = round(different * 0.23 / 5) * 5
        return f"{said}: good for the projected recipe; expect near-copies past about {minutes} minutes."
    if different < 2000:
        return (
            f"{said}: good for the projected recipe, for an hour and more; near-copies are unlikely before."
        )
    return f"{said}: plenty for every recipe; it keeps getting better for hours."


def groups(manifest: dict) -> list[dict]:
    """The pictures of a set that are there more than once, or look alike: [{pictures, exact, keep}].

    `pictures` are their places, ascending; `exact` whether all have the same pixels; `keep` the place of the one
    that is proposed to stay: the largest, of equals the first.
    """
    pictures = manifest["pictures"]
    exact = {tuple(group) for group in manifest["exact_duplicates"]}
    leader: dict[int, list[int]] = {}
    for group in manifest["exact_duplicates"] + manifest["near_duplicates"]:
        together = sorted({i for one in group for i in leader.get(one, [one])})
        leader |= dict.fromkeys(together, together)
    found = sorted({tuple(group) for group in leader.values()})
    return [
        {
            "pictures": list(group),
            "exact": group in exact,
            "keep": max(group, key=lambda i: (pictures[i]["width"] * pictures[i]["height"], -i)),
        }
        for group in found
    ]


def repeated(manifest: dict) -> list[int]:
    """The places of the pictures that can be spared, since another of their group stays."""
    return sorted(i for group in groups(manifest) for i in group["pictures"] if i != group["keep"])


def report(set_folder: Path) -> dict:
    """The whole report on a set that was taken in, ready for JSON. Errors: Refused where there is no such set.

    `accepted`; `refused`: [{file, reason, sentence}]; `refused_counts`: {reason: count}; `exact_duplicates` and
    `near_duplicates`: [[names]] (exact ones are not repeated among the near); `duplicates`: both together, as
    [{exact, keep, drop}] with the name to keep of each group and the names that can be spared; `sizes`:
    {smallest, median, largest} as [width, height]; `labels`: {name: count}; `non_square`; `animated`; `verdict`;
    `set_id`.
    """
    manifest = datasets.read_manifest(set_folder)
    pictures = manifest["pictures"]
    names = [picture["name"] for picture in pictures]
    sizes = sorted(((p["width"], p["height"]) for p in pictures), key=lambda s: (s[0] * s[1], s))
    exact = manifest["exact_duplicates"]
    same = {pair for group in exact for pair in combinations(group, 2)}
    near = [g for g in manifest["near_duplicates"] if not all(pair in same for pair in combinations(g, 2))]
    counts = Counter(picture["label"] for picture in pictures)
    return {
        "set_id": manifest["id"],
        "accepted": len(pictures),
        "refused": manifest["refused"],
        "refused_counts": dict(Counter(refusal["reason"] for refusal in manifest["refused"]).most_common()),
        "exact_duplicates": [[names[i] for i in group] for group in exact],
        "near_duplicates": [[names[i] for i in group] for group in near],
        "duplicates": [
            {
                "exact": group["exact"],
                "keep": names[group["keep"]],
                "drop": [names[i] for i in group["pictures"] if i != group["keep"]],
            }
            for group in groups(manifest)
        ],
        "sizes": {
            "smallest": list(sizes[0]),
            "median": list(sizes[len(sizes) // 2]),
            "largest": list(sizes[-1]),
        },
        "labels": {name: counts[i] for i, name in enumerate(manifest["label_names"])},
        "non_square": sum(width != height for width, height in sizes),
        "animated": sum(picture["animated"] for picture in pictures),
        "verdict": verdict(len(pictures), sum(len(group) - 1 for group in exact)),
    }
