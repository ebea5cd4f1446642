"""Every text of the page, in one table, so that a second language is a second column.

`say("gather.title")` gives the sentence; `say("train.forecast", pictures="24,000")` fills it in. A missing key is
a `KeyError`, and the tests look for each.
"""

ENGLISH = {
    # The frame
    "page.title": "GAN Play",
    "page.tagline": "Train a painting machine on your own pictures, and play with it.",
    "page.busy": "Something went wrong here, and it is ours to mend. Nothing of yours was lost.",
    "page.no_run": "The run in this address isn't here: it was deleted, or lives on another machine.",
    "bar.model": "In hand",
    "bar.no_model": "No model yet",
    "bar.training": "Training",
    "bar.idle": "Nothing is training",
    "bar.waiting": "{count} waiting",
    "bar.left": "{time} left",
    "tab.gather": "Gather",
    "tab.train": "Train",
    "tab.play": "Play",
    "tab.gallery": "Gallery",
    # Gather
    "gather.sentence": "Drop in the pictures it should learn from.",
    # Train
    "train.sentence": "Watch it learn. You can close this page: it goes on.",
    # Play
    "play.sentence": "Every picture is a seed. Pick, mix, walk.",
    # Gallery
    "gallery.sentence": "What you kept, and where it came from.",
}

LANGUAGES = {"en": ENGLISH}


def say(key: str, **details: object) -> str:
    """The page's text for `key`, with `details` filled in; not escaped for HTML."""
    return ENGLISH[key].format(**details)
