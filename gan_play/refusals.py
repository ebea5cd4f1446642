"""The ground: why something was refused, as data, and the sentences that say so.

A refusal of one file among many is a value (`Refusal`), collected and shown. Where a whole operation cannot
go on, `Refused` carries the refusal up to the command line or the page, which alone catch it. Any other
exception is a bug of ours. Each sentence says what happened, to what, and what to do next, in at most 160 characters;
it is plain text, to be escaped by who shows it, and names no class and no folder of the server.
"""

from __future__ import annotations

from dataclasses import dataclass

from gan_play import limits

REASONS: dict[str, str] = {
    # Files and home
    "home": "The folder for runs can't be made or written to: choose another one with --home.",
    "not-found": "{file} isn't there: check the name.",
    "unreadable": "{file} can't be read: check that it still exists and that you may open it.",
    "disk-full": "The disk is full: free about {megabytes} MB and try again.",
    # One picture
    "empty": "{file} is empty: copy it again from where it came from.",
    "not-a-picture": "{file} is not a picture: JPEG, PNG, WebP, BMP, GIF, TIFF and AVIF can be read.",
    "format": "{file} is {kind}, which can't be read here: save it as JPEG or PNG.",
    "truncated": "{file} ends too early: copy or download it again.",
    "damaged": "{file} is damaged and can't be decoded: open it elsewhere and save it again.",
    "too-small": "{file} is only {width} x {height} pixels: each side needs at least {least}.",
    "too-long": "{file} is {width} x {height}: more than {most} times longer than wide; cut it into pieces.",
    "too-many-pixels": "{file} has {megapixels} megapixels, more than {most}: save it smaller.",
    "too-big": "{file} is larger than {most} MB: save it smaller.",
    "too-heavy": "{file} took too much time or memory to decode: save it again as JPEG.",
    # A ZIP
    "zip-damaged": "{file} is not a ZIP that can be read: pack it again.",
    "zip-encrypted": "{file} is protected by a password: pack it again without one.",
    "zip-nested": "{file} is an archive inside a ZIP: unpack it and add its pictures.",
    "zip-path": "{file} has a name that points outside of the ZIP, so it was left out.",
    "zip-link": "{file} is a link, not a file, so it was left out.",
    "zip-repeated": "{file} is in the ZIP twice under one name; the first was kept.",
    "zip-overlap": "{file} holds entries that overlap, as ZIP bombs do: pack the pictures again.",
    "zip-bomb": "{file} would grow more than {most} times when unpacked, as ZIP bombs do.",
    "zip-too-many": "{file} holds more than {most} files: split it into smaller ZIPs.",
    "zip-too-large": "{file} unpacks to more than {most} MB: split it into smaller ZIPs.",
    "zip-method": "{file} is packed in a way that can't be read here: pack it as a plain ZIP.",
    # A set
    "no-pictures": "No picture was found in {file}: choose pictures, a folder or a ZIP of them.",
    "no-source": "No pictures were named: name a folder or a ZIP of them, or example:sunsets for a drawn set.",
    "none-readable": "None of {count} files could be taken in. The first: {first}",
    "too-many-pictures": "{file} and what comes after it were left out: a set holds at most {most} pictures.",
    "too-few-pictures": "This set has {count} pictures: a set needs at least {least}. Add some more.",
    "too-many-labels": "There are more than {most} folders of pictures: labels were left out.",
    "preset": "{recipe} can't make pairs by {file}: train pix2pix, and choose one of {choices}.",
    "pairs-needed": "{recipe} learns from pairs: give two folders with pictures of the same names, or choose a preset "
    "that makes pairs of your pictures.",
    "pair-alone": "{file} has no partner in {folder}, and {more} more have none: give both pictures of a pair the same "
    "name, or take out what has no partner.",
    "pair-twice": "{file} is there twice but for its ending, and only one can be half of a pair: take one out.",
    "pair-size": "{file} is {one} pixels and its partner is {other}: save both pictures of a pair at the same size.",
    "split-narrow": "{file} is no wider than high, so it isn't two pictures side by side: take it out.",
    "two-needed": "{recipe} learns from two sets: give two folders, one of pictures to begin from, one of those to "
    "become like.",
    "labels-needed": "{recipe} learns folders apart: put your pictures into two or more folders, one a kind, "
    "or train projected without labels.",
    "labels-not": "{recipe} doesn't learn folders apart: train without labels, or choose one of {able}.",
    "one-label": "All pictures are in one folder, {file}: put them into two or more, one a kind, or train projected "
    "without labels.",
    "label-too-few": "{file} has only one picture, too few for a label: add some more, or leave its folder out.",
    "no-set": "There is no set {file} here: take the pictures in again.",
    "set-damaged": "The set {file} is damaged on disk: take the pictures in again.",
    "picture-size": "A size of {size} is not possible: choose between {least} and {most} pixels.",
    "fit": "{file} is not a way to make a picture square: choose crop, border or several.",
    "example": "There is no example set called {file}: choose one of {names}.",
    # Training
    "setting-range": "{file} = {value} is not possible: choose a number from {low} to {high}.",
    "dial": "{file} is no dial: write a name and a number, as in rate_g=0.5.",
    "setting-choice": "{file} = {value} is not possible: choose one of {choices}.",
    "setting-unknown": "{recipe} has no setting called {file}: there are {names}.",
    "setting-missing": "The setting {file} is missing.",
    "device": "{file} is not available on this machine: choose auto, or one of {choices}.",
    "no-memory": "There is too little memory for {file}: choose a smaller size, or close other programs.",
    "start-differs": "Start from {file} is not possible: it is {theirs}, this is {ours}.",
    # Runs and checkpoints
    "no-run": "There is no run called {file} here: see the list of runs.",
    "run-damaged": "The run {file} is damaged: its run.json can't be read. Its pictures and states are still there.",
    "run-shipped": "{file} came with the program and can't be changed: start a new run from it.",
    "run-busy": "{file} is still being trained: stop it first.",
    "run-name": "A run needs a name of 1 to {most} characters.",
    "run-limit": "{value} is not possible: choose between {least} and {most} {unit}.",
    "run-start": "A run can only start from one of its own kind: {file} is {theirs}, this one is to be {ours}.",
    "run-wish": "{file} can't be done with a run: choose train, pause or stop.",
    "remedy": "{file} is no remedy for a training: choose one of {choices}.",
    "run-room": "There is too little room on the disk: this run needs {needed} MB and {free} MB are free.",
    "checkpoint-damaged": "{file} is damaged and was not used.",
    "checkpoint-foreign": "{file} is no checkpoint of GAN Play, so it was not used.",
    "checkpoint-shapes": "{file} holds other networks than this recipe and size have, so it was not used.",
    "bakeoff-which": "Name the pictures of a new bake-off, or, after --resume, one to go on with.",
    "bakeoff-task": "{file} makes pictures of pictures, so it can't be compared with recipes that paint: leave it out.",
    "bakeoff-count": "A bake-off compares {least} to {most} different recipes: {count} were chosen.",
    "bakeoff-size": "{file} can't paint at {size} px, only at {able}: choose another size, or leave it out.",
    "bakeoff-room": "There is too little room on the disk: these {count} runs need {needed} MB and {free} MB are free.",
    "no-bakeoff": "There is no bake-off called {file} here: see the list of bake-offs.",
    "bakeoff-damaged": "The bake-off {file} is damaged: its bakeoff.json can't be read. Its runs are still there.",
    "vote": "{file} is no vote: choose left, right or same.",
    "vote-gone": "These two can't be compared, or no longer: go on with the next pair.",
    "no-checkpoint": "{file} has no saved state that is whole: it can't go on, or be played with.",
    "not-finite": "Training went astray: {file} is no longer a number, so nothing was saved.",
    # Playing and sharing
    "seed": "{file} is not a seed: a seed is a whole number from 0 to 9223372036854775807.",
    "found-elsewhere": "{file} was found in another model than {model}: look for its picture here as well.",
    "seeds": "{file} is not a list of seeds: write them like 1,5,9 or 0-35.",
    "seed-count": "{file} seeds were given: choose between {least} and {most} here.",
    "truncation": "{file} can't be how adventurous a picture is: choose a number from {low} to {high}.",
    "label": "{file} is not a label of this model, which has {count}: labels are counted from 0.",
    "label-count": "{file} labels were given: choose between {least} and {most} here.",
    "label-stops": "{file} labels for {stops} seeds: give as many labels as seeds, or one seed for all of them.",
    "label-path": "A way between labels needs two different ones: with one only, choose it as the label.",
    "genome": "That is no picture that can be bred: start again from a seed.",
    "all-held": "Composition, form and colour can't all be held: let go of one, or nothing changes.",
    "strength": "{file} is no strength: choose a number from {low} to {high}.",
    "family-full": "The family tree holds {most} pictures, as many as it can: begin a new one in another home.",
    "family-locked": "The family tree ({file}) is in use by another program: try again in a moment.",
    "family-closed": "The family tree ({file}) can't be written: make room on the disk, and let the folder be changed.",
    "family-damaged": "The family tree ({file}) is damaged: move the file away, and a new tree begins. Your pictures "
    "and links aren't affected.",
    "gallery-full": "The Gallery holds {most} works, as many as it can: remove something first.",
    "gallery-locked": "The gallery ({file}) is in use by another program: try again in a moment.",
    "gallery-closed": "The gallery ({file}) can't be written: make room on the disk, and let the folder be changed.",
    "gallery-damaged": "The gallery ({file}) is damaged: move the file away, and a new one begins. The pictures are "
    "safe in the folder gallery.",
    "gallery-newer": "The gallery ({file}) was written by a newer GAN Play: update this one to open it.",
    "gallery-order": "{file} is no order for the gallery: choose one of {names}.",
    "gallery-gone": "That work isn't in the gallery any more: look again.",
    "gallery-none": "No work was chosen: choose some first.",
    "likes-few": "Too few to tell: {liked} pictures of this model are liked, {passed} passed over; it takes {least} of "
    "each. Like some more.",
    "not-single": "Only single pictures can be liked: open one of them first.",
    "likes-full": "{most} liked and passed-over pictures are as many as can be remembered: take some likes back.",
    "likes-full-public": "{most} pictures are liked or passed over here, as many as can be remembered of all visitors.",
    "withdrawn": "This link was withdrawn by who made it, so it shows nothing here any more.",
    "no-card": "{file} has no card of GAN Play in it: take the file as it was saved here; chat programs and editors "
    "remove cards.",
    "card-grid": "{file} is {what}, which no one code paints again: save one of its pictures alone to open it.",
    "card-styled": "{file} was painted from pictures that no link holds: paint it again from them, by the dials in its "
    "card.",
    "card-form": "{file} is no PNG, GIF, WebP or MP4, and only these carry a card.",
    "card-newer": "{file} has a card of a newer GAN Play: update this one to open it.",
    "card-damaged": "The card in {file} is damaged or was changed by hand, so nothing can be opened by it.",
    "card-large": "{file} is larger than {most} MB: nothing that was saved here is.",
    "rights-long": "A statement about rights has at most {most} characters.",
    "share-which": "Name the run whose picture to share, or, after --withdraw, a link to take back.",
    "not-sent": "{file} is no link that you made here, so you can't withdraw it.",
    "attribute": "{file} is nothing to steer by: choose one of {names}; or sefa1.",
    "step-twice": "{file} is there twice: give each thing to steer by one amount.",
    "direction": "{file} is no direction: write it as sefa1, pca2 or sefa1@coarse+fine; the number is 1 to {most}.",
    "direction-none": "This model has no direction called {file}: `directions` lists those that it has.",
    "direction-count": "{file} directions can't be listed: choose a number from 1 to {most}.",
    "direction-name": "A direction needs a name of 1 to {most} characters.",
    "directions-full": "{most} directions have been given names here, as many as are kept: put some back first.",
    "directions-closed": "The name can't be kept: make room on the disk, and let the home folder be changed.",
    "steps-room": "So many seeds and steps don't fit into one link: steer by fewer directions.",
    "amount": "{file} is no amount to steer by: choose a number from {low} to {high}.",
    "mask-all": "Almost all of the picture is hidden: leave more of it, or there is nothing to look for.",
    "mask-size": "The mask has another size than the picture: give it the same width and height.",
    "hints-size": "The colour hints have another size than the picture: give them the same width and height.",
    # Style transfer
    "no-decoder": "The network that paints at once isn't here as it was shipped: get the program's files again.",
    "no-vgg19": "The network that sees brushwork isn't here: install what requirements.txt lists, then start again.",
    "no-content": "There is no picture to paint anew: choose one.",
    "no-style": "There is no style to paint in: choose one or more pictures, or a set.",
    "style-count": "{file} pictures to take the style of are too many: choose {most} at most.",
    "style-size": "The painting can't be {file} pixels long: choose a whole number from {low} to {high}.",
    "style-strength": "{file} can't be how strong the style is: choose a number from {low} to {high}.",
    "style-weights": "{file} can't be how much each style counts: give {count} numbers from 0 to {high}, one a style.",
    "style-scale": "{file} can't be how coarse the brushwork is: choose a number from {low} to {high}.",
    "mask-none": "The mask leaves almost no place for the style: make white where it is to go.",
    "mask-everywhere": "The mask is white all over, so it keeps nothing: leave it out, or make black what is to stay.",
    "no-mask": "A second style needs a mask: white gets the first style, black the second.",
    # Translators
    "not-translator": "{file} paints from seeds and takes no picture: choose a model of pix2pix, cut or cyclegan.",
    "not-painter": "{file} turns pictures into others and paints none from seeds: use it under Transform, or by "
    "`translate`.",
    "translate-strength": "{file} can't be how strong a translation is: choose a number from {low} to {high}.",
    "translate-size": "{file} pixels are too large for a painting: {most} on the longer side are the most. Make it "
    "smaller.",
    "translate-times": "{file} times as large is not possible with this model: choose {able}.",
    "translate-side": "{file} is no size: choose a whole number from {low} to {high} pixels.",
    "steady": "{file} can't be how steady a film is: choose a number from {low} to {high}.",
    "video-one": "A film is made of one video, without a mask: name a single one.",
    "translate-one": "A mask, or a result in one file, takes a single picture: name one, or a folder for the result.",
    "one-way": "{file} translates one way only: leave the other way out.",
    "drawing-none": "Nothing is drawn yet: draw a few lines first.",
    "repair-none": "No damage is marked: brush over what is to be painted anew.",
    "no-translator": "There is no translator in hand yet: choose one above, or train one first.",
    "repair-many": "This translator repairs what you brush over, so it takes pictures one by one: drop one in above.",
    "repair-all": "Almost all of the picture is marked: leave more of it, for the painting to go by.",
    "no-input": "The picture ({file}) that this was made from isn't here: a link holds none; ask its maker for it.",
    "inputs-full": "{most} pictures of links are kept here, as many as there is room for: save the painting instead.",
    "batch-count": "{file} pictures are too many to translate in one go: choose {most} at most.",
    "palette": "{file} is no palette: give one to eight colours, as in #1a2b3c, #ffffff.",
    "steps": "{file} steps are not possible: choose a whole number from {low} to {high}.",
    "weight": "{file} is no weight for mixing: give coarse, middle and fine a number from {low} to {high} each.",
    "band": "{file} is not a band of styles: choose coarse, middle or fine.",
    "way": "{file} is not a way to walk: choose w or z.",
    "easing": "{file} is not a kind of easing: choose {names}.",
    "seconds": "A film can't be {file} seconds long: choose from {low} to {high}.",
    "fps": "A film can't have {file} frames a second: choose a whole number from {low} to {high}.",
    "film-format": "{file} is not a kind of film that can be written: choose mp4, gif or webp, or zip for its frames.",
    "keys": "{file} is no list of keyframes: write them like 1:2s,5:1.5s:hold=0.5,9.",
    "key-count": "{file} keyframes were given: choose between {least} and {most} for this film.",
    "key-seconds": "A keyframe can't take {file} seconds to the next: choose from {low} to {high}.",
    "key-hold": "A film can't rest at a keyframe for {file} seconds: choose from {low} to {high}.",
    "film-kind": "{file} is not a way to film: choose one of {names}.",
    "film-still": "Nothing moves in this film: add a keyframe, a sweep or music, or let it breathe.",
    "film-pictures": "This film would have {file} pictures, and {most} are the most: make it shorter, with fewer "
    "frames a second or fewer walks side by side.",
    "film-moving": "Something has to move: choose one or more of coarse, middle and fine.",
    "film-radius": "{file} can't be how far a picture breathes: choose a number from {low} to {high}.",
    "film-circle": "A circle is a loop through one or two seeds of one label: take out the other keyframes.",
    "film-grid": "{file} walks in a row can't be filmed side by side: choose 1, 2 or 3.",
    "film-grid-loop": "Walks side by side that share keyframes have to be a loop: add keyframes, or close it.",
    "film-code": "This film holds too much for a link: take out keyframes, above all those bred from many seeds.",
    "sweep": "{file} is no sweep: write it like truncation=0.2..1.2 or light=-1..2.",
    "reaction": "{file} is nothing that music can do: write it like speed=onset; it hears {sources}.",
    "reaction-amount": "{file} can't be how much music does: choose a number from {low} to {high}.",
    "reaction-count": "{file} reactions to music were given: choose {most} at most, each once.",
    "film-no-music": "Only music gives a film a length of its own: give keyframes their seconds, or add --music.",
    "not-sound": "{file} is no sound that can be read here: save it, or a video's sound, as WAV, MP3, FLAC or Ogg.",
    "no-audio": "There is no sound in {file}: choose another file.",
    "not-video": "{file} is no video that can be read here: save it as MP4, MOV, WebM, MKV or AVI.",
    "video-damaged": "{file} is damaged, or of a kind that can't be read here: save it again, as MP4.",
    "video-long": "{file} is {minutes} minutes long: a video of at most {most} minutes is painted. Cut it first.",
    "sound-damaged": "{file} is damaged and can't be heard: open it elsewhere and save it again.",
    "sound-big": "{file} is larger than {most} MB: save it as MP3, or cut it.",
    "sound-length": "{file} can't be the sound of a film: cut it to between {low} seconds and {high} minutes.",
    "sounds-full": "The room for sounds is full, and all of them were used within a day: come back tomorrow, or film "
    "without music.",
    "no-sound": "The sound of this film ({file}) isn't here: a link holds no sound; ask its maker for the file.",
    "operation": "{file} can't be shared as an artwork: choose a sample, a mix, a mixing figure or a walk.",
    "code-full": "That is too much for one link: it holds two pictures of your own, and few seeds beside them.",
    "not-a-code": "{file} is not a share code: copy the whole code or link again.",
    "code-mistyped": "{file} is a share code with a mistake in it, or a part is missing: copy the whole link again.",
    "code-version": "{file} was made by a newer GAN Play: update this one to open it.",
    "model-missing": "This link needs the model {file}, which isn't here: ask its maker for the run's folder.",
    # Blending
    "blend-same": "{file} is the same model: choose another one to blend it with.",
    "blend-kind": "{file} can't be blended with {other}: its {what} is {theirs}, not {ours}.",
    "blend-strangers": "{file} and {other} share no ancestor, and would blend to mush: train one from the other first.",
    "blend-weight": "{file} is no weight for blending: choose a number from {low} to {high}.",
    "blend-train": "{file} is a blend, which no training made, so it can't go on: start a new run from it.",
    "blend-start": "{file} is a blend of models without their critics, so no training can start from it.",
    "blend-full-public": "{most} blends were made here, as many as there is room for: play with one of them, or come "
    "back later.",
    "blend-full": "You have made {most} blends, as many as one visitor may here: delete one first.",
    # The page
    "video-public": "{file} is {seconds} s long: where strangers may come, at most {most} s are painted. Cut it, or "
    "use your own machine.",
    "not-uploaded": "These files didn't come through this page: drop them on it again.",
    "not-owner": "Only who started this run can steer it: open it in the browser that started it.",
    "no-chosen": "There are no pictures to train on yet: drop some in under Gather.",
    "one-each": "One training at a time for each visitor here: stop yours, or wait until it is done.",
    "no-key": "Where strangers may come, a run needs a key of 8 to 200 characters: think one up and keep it.",
    "crowded": "Too many trainings are waiting here already: come back later.",
    "port": "Port {file} is taken or not allowed: choose another one with --port.",
    # The command line
    "output": "{file} can't be written to: name another file or folder with --out.",
    "output-kind": "{file} can't be the name of the result: it has to be a file that ends in {endings}.",
    "scored": "{file} pictures can't be scored: choose a number from 16 to {most}.",
    "no-inception": "{file} isn't here: fetch it from {address}, then add --weights; "
    "or use lite2, which works offline.",
    "not-inception": "{file} isn't the published Inception network, to the last byte: fetch it again, or use lite2.",
    "no-set-kept": "{file} came without the pictures that it learnt from, so there is nothing to score it against.",
}


@dataclass(frozen=True)
class Refusal:
    """Why one thing was refused: a code of `REASONS`, the name of what was refused, the sentence to show."""

    reason: str
    file: str
    sentence: str


class Refused(Exception):
    """A whole operation can't go on. `refusal` says why; `others` are refusals of single files on the way."""

    def __init__(self, refusal: Refusal, others: tuple[Refusal, ...] = ()) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal
        self.others = others


def printable(text: str, most: int = 48) -> str:
    """`text` in one line, without control characters, its middle left out beyond `most`."""
    text = "".join(c if c.isprintable() else "?" for c in str(text)).strip()
    if len(text) <= most:
        return text
    tail = most // 3
    return text[: most - tail - 1] + "…" + text[-tail:]


def refuse(reason: str, file: str = "", **details: object) -> Refusal:
    """The refusal for a code of `REASONS`; `details` fill its sentence. An unknown code is a KeyError."""
    values = {name: printable(str(value), most=96) for name, value in details.items()}
    sentence = REASONS[reason].format(file=printable(file) or "It", **values)
    file = str(file).encode("utf-8", "replace").decode()  # half a surrogate pair can't be written as JSON
    return Refusal(reason, file, printable(sentence, most=limits.MOST_SENTENCE_CHARS))
