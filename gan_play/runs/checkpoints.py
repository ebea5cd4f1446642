"""Training state <-> one safetensors file, verified. The only user of safetensors.

Promises: a file written here is whole and durable, or absent; nothing that is not finite is ever saved; nothing is
used that was not verified first; and no file, however made, runs code or takes memory beyond its own size.

Three kinds of file stand in a run folder, all in the format `gan-play/1`:

- `state-00012000.safetensors`: all that is needed to go on exactly. `latest.json` names the newest, with its SHA-256.
- `model-3fa2b90c11d07e55.safetensors`: the averaged generator alone, named by its digest. Never pruned.
- `starter.safetensors`: the average and the discriminator in half precision, for others to start from; of a blend,
  which didn't come with the program, it is called `start.safetensors`.

The header of each is a closed table of short texts (`KEYS`), one of which is a SHA-256 over everything else in the
file, so that each file can be verified by itself, even where `latest.json` is lost.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gan_play import files, limits
from gan_play.refusals import Refused, refuse
from gan_play.trainers.loop import expected_shapes
from gan_play.trainers.recipes import Settings, check_settings, shaping_dials

FORMAT = "gan-play/1"
KEYS = {
    "format": "gan-play/1",
    "kind": "state, model or starter",
    "recipe": "the row of the table of recipes",
    "settings": "the settings of the training, as JSON",
    "step": "how many steps were made",
    "seed": "the seed of the run",
    "set": "digest of the set it learnt from",
    "torch": "version of torch that trained it",
    "threads": "CPU threads that trained it: another count adds up in another order",
    "device": "cpu, cuda or mps",
    "model_digest": "SHA-256 of the averaged generator: the name of the model in share codes",
    "digest": "SHA-256 over this header and every tensor",
}
"""The header of a file: these keys, all of them, and no others."""

MOST_HEADER_BYTES = 4 * limits.MB  # a network of 5,000 tensors takes about 1 MB
MOST_TEXT_CHARS = 8_000  # of one value in the header; settings take about 500
STARTER, START = "starter.safetensors", "start.safetensors"
STATES_KEPT = 3  # the newest, and two to fall back on should the disk rot
DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64", "int64": "I64"}
DTYPES |= {"int32": "I32", "uint8": "U8", "bool": "BOOL"}
TORCH_DTYPES = {code: getattr(torch, name) for name, code in DTYPES.items()}


@dataclass(frozen=True)
class State:
    """A verified training state. `sentence` says what is not as it should be (an older one was taken, ...)."""

    step: int
    tensors: dict[str, Tensor]
    header: dict[str, str]
    file: Path
    sentence: str | None = None


def make_header(settings: Settings, set_digest: str, step: int) -> dict[str, str]:
    """What a file says about itself before it has a kind and digests: recipe, settings, step, seed, versions."""
    return {
        "recipe": settings.recipe,
        "settings": json.dumps(settings.to_json(), sort_keys=True),
        "step": str(step),
        "seed": str(settings.seed),
        "set": set_digest,
        "torch": torch.__version__,
        "threads": str(settings.threads),
        "device": settings.device,
    }


def averaged(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The averaged generator among the tensors of a training, under the names that the network itself uses."""
    return {name.removeprefix("average."): t for name, t in tensors.items() if name.startswith("average.")}


def _bytes(tensor: Tensor) -> memoryview:
    plain = tensor.detach().cpu().contiguous().reshape(-1)
    return memoryview(plain.view(torch.uint8).numpy())


def _update(digest: hashlib._Hash, tensors: Mapping[str, Tensor]) -> None:
    for name in sorted(tensors):
        tensor = tensors[name]
        shape = "x".join(map(str, tensor.shape))
        digest.update(f"{name}|{str(tensor.dtype).removeprefix('torch.')}|{shape}|".encode())
        digest.update(_bytes(tensor))


def model_digest(average: Mapping[str, Tensor]) -> str:
    """SHA-256 over name, dtype, shape and bytes of the averaged generator's tensors, sorted by name: 64 hex digits.

    This is the name of a model in share codes. It depends on no file, header or version of a library.
    """
    digest = hashlib.sha256()
    _update(digest, average)
    return digest.hexdigest()


def _content_digest(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps({k: v for k, v in header.items() if k != "digest"}, sort_keys=True).encode())
    _update(digest, tensors)
    return digest.hexdigest()


def first_not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of a tensor that holds NaN or infinity, or None. One pass over the memory."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return name
    return None


def _pack(kind: str, tensors: Mapping[str, Tensor], header: Mapping[str, str], digest: str) -> bytes:
    """One file as bytes, with its digests in its header."""
    if bad := first_not_finite(tensors):
        raise Refused(refuse("not-finite", bad))
    complete = {**header, "format": FORMAT, "kind": kind, "model_digest": digest}
    complete["digest"] = _content_digest(complete, tensors)
    if set(complete) != set(KEYS):
        raise KeyError(f"a header needs exactly {sorted(KEYS)}")  # a bug of ours
    return safetensors.torch.save({name: tensors[name] for name in sorted(tensors)}, complete)


def _at_home(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the CPU that share no memory with one another, as the file format needs."""
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}


# Writing


def save(
    folder: Path,
    step: int,
    tensors: Mapping[str, Tensor],
    header: Mapping[str, str],
    keep: Iterable[str] = (),
) -> Path:
    """Saves a state, points `latest.json` at it, and removes what is no longer needed.

    Order: nothing that isn't finite, the file, the pointer, the pruning; so a kill between any two of them leaves
    a newest state that verifies. `keep` are names of further files to spare. Refused if a number isn't finite,
    OSError if the disk is full; what was saved before stays in both cases.
    """
    mine = _at_home(tensors)
    data = _pack("state", mine, header, model_digest(averaged(mine)))
    path = folder / f"state-{step:08d}.safetensors"
    files.write_atomically(path, data)
    files.write_json(folder / "latest.json", {"file": path.name, "sha256": files.sha256(data), "step": step})
    prune(folder, keep)
    return path


def save_generator(folder: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> Path:
    """Keeps the averaged generator for good, so that links to it outlive pruning; returns its file.

    `tensors` are the generator's own (names without `average.`). A file that is there already is left alone.
    """
    mine = _at_home(tensors)
    digest = model_digest(mine)
    path = folder / f"model-{digest[:16]}.safetensors"
    if not path.exists():
        files.write_atomically(path, _pack("model", mine, _plain(header), digest))
    return path


def save_starter(
    folder: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str], name: str = STARTER
) -> Path:
    """Writes `starter.safetensors`: average and discriminator of a state, floats in half precision."""
    kept = {n: t for n, t in _at_home(tensors).items() if n.startswith(("average.", "discriminator."))}
    halves = {n: t.half() if t.dtype == torch.float32 else t for n, t in kept.items()}
    digest = model_digest(
        averaged({n: t.float() if t.dtype == torch.float16 else t for n, t in halves.items()})
    )
    path = folder / name
    files.write_atomically(path, _pack("starter", halves, _plain(header), digest))
    return path


def _plain(header: Mapping[str, str]) -> dict[str, str]:
    """A header without what each file says for itself."""
    return {k: v for k, v in header.items() if k not in ("format", "kind", "model_digest", "digest")}


def mark_best(folder: Path, path: Path, score: float) -> None:
    """Notes in `best.json` that this state has the best score (lower is better), so that it is kept."""
    step = int(path.stem.removeprefix("state-"))
    files.write_json(folder / "best.json", {"file": path.name, "step": step, "score": score})


def states(folder: Path) -> list[Path]:
    """The state files of a run folder, newest first, not yet verified."""
    found = [p for p in folder.glob("state-*.safetensors") if re.fullmatch(r"state-\d{8,12}", p.stem)]
    return sorted(found, key=lambda path: int(path.stem[6:]), reverse=True)


def best(folder: Path) -> Path | None:
    """The state with the best score, or None where none was scored or it is gone."""
    noted = files.read_json(folder / "best.json")
    name = noted.get("file") if isinstance(noted, dict) else None
    return next((path for path in states(folder) if path.name == name), None)


def newest(folder: Path) -> Path | None:
    """The file to play with now: the newest state, else a kept model or a starter; None where there is nothing."""
    if found := states(folder):
        return found[0]
    models = sorted(folder.glob("model-*.safetensors"), key=lambda path: path.stat().st_mtime, reverse=True)
    starter = folder / STARTER
    return models[0] if models else starter if starter.exists() else None


def starts(folder: Path) -> list[Path]:
    """The files that another run could begin from, the best one first; not all need be there."""
    return [*states(folder), folder / STARTER, folder / START]


def prune(folder: Path, keep: Iterable[str] = ()) -> None:
    """Removes all states but the newest three, the best one, and those named in `keep`."""
    spared = {*keep, *(path.name for path in states(folder)[:STATES_KEPT])}
    if (path := best(folder)) is not None:
        spared.add(path.name)
    for path in states(folder):
        if path.name not in spared:
            with contextlib.suppress(OSError):  # Windows: somebody is reading it; the next pruning gets it
                path.unlink(missing_ok=True)


# Reading


def _damaged(path: Path) -> Refused:
    return Refused(refuse("checkpoint-damaged", path.name))


def _foreign(path: Path) -> Refused:
    return Refused(refuse("checkpoint-foreign", path.name))


def read_header(path: Path) -> tuple[dict[str, str], dict[str, tuple[tuple[int, ...], str]]]:
    """Header and table of tensors (name -> shape, dtype code) of a file, without touching a tensor.

    Refused unless the header is exactly one of ours. Reads at most `MOST_HEADER_BYTES`.
    """
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            if not 2 <= length <= MOST_HEADER_BYTES:
                raise _foreign(path)
            table = json.loads(file.read(length))
    except FileNotFoundError:
        raise
    except (OSError, struct.error, ValueError, RecursionError):
        raise _damaged(path) from None
    header = table.pop("__metadata__", None) if isinstance(table, dict) else None
    if not isinstance(header, dict) or set(header) != set(KEYS) or header["format"] != FORMAT:
        raise _foreign(path)
    if not all(isinstance(v, str) and len(v) <= MOST_TEXT_CHARS and v.isprintable() for v in header.values()):
        raise _foreign(path)
    for key, pattern in {
        "kind": "state|model|starter",
        "step": r"\d{1,12}",
        "seed": r"\d{1,19}",
        "threads": r"\d{1,4}",
        "device": "cpu|cuda|mps",
        "model_digest": "[0-9a-f]{64}",
        "digest": "[0-9a-f]{64}",
        "set": "[0-9a-f]{0,64}",
        "torch": r"[\w.+-]{1,40}",
    }.items():
        if not re.fullmatch(pattern, header[key], re.ASCII):
            raise _foreign(path)
    try:
        entries = {name: (tuple(entry["shape"]), entry["dtype"]) for name, entry in table.items()}
    except (KeyError, TypeError):
        raise _damaged(path) from None
    return header, entries


def settings_of(header: Mapping[str, str]) -> Settings:
    """The settings in a header, checked as if somebody had typed them. Refused if they are impossible."""
    try:
        values = json.loads(header["settings"])
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise Refused(refuse("checkpoint-foreign", "checkpoint"))
    return Settings.from_json(values)


@functools.lru_cache(maxsize=32)
def _table(
    recipe: str, size_px: int, width: int, num_labels: int, preset: str, dials: tuple[tuple[str, float], ...]
) -> dict[str, tuple[tuple[int, ...], str]]:
    """Name -> (shape, dtype code) of a whole state. Nothing else in the settings matters to it."""
    sizes = {"recipe": recipe, "size_px": size_px, "width": width, "num_labels": num_labels}
    sizes["preset"] = preset
    settings = check_settings(sizes | {"batch": 2, "seed": 0, "dials": dict(dials)})
    return {name: (tuple(shape), DTYPES[dtype]) for name, (shape, dtype) in expected_shapes(settings).items()}


def _expected(header: Mapping[str, str], settings: Settings) -> dict[str, tuple[tuple[int, ...], str]]:
    """The table of tensors that a file of this kind must have, computed from the recipe and not from the file."""
    dials = tuple(shaping_dials(settings.recipe, settings.dials).items())
    table = _table(
        settings.recipe, settings.size_px, settings.width, settings.num_labels, settings.preset, dials
    )
    if header["kind"] == "model":
        return {n.removeprefix("average."): entry for n, entry in table.items() if n.startswith("average.")}
    if header["kind"] == "starter":
        half = {"F32": "F16"}
        kept = {n: entry for n, entry in table.items() if n.startswith(("average.", "discriminator."))}
        return {n: (shape, half.get(dtype, dtype)) for n, (shape, dtype) in kept.items()}
    return table


def _check_table(path: Path, header: Mapping[str, str], entries: Mapping, settings: Settings) -> None:
    """Compares names, shapes and dtypes with the recipe, and the size of the file with their sum."""
    expected = _expected(header, settings)
    if dict(entries) != expected:
        raise Refused(refuse("checkpoint-shapes", path.name))
    most = MOST_HEADER_BYTES
    for shape, dtype in expected.values():
        count = TORCH_DTYPES[dtype].itemsize
        for length in shape:
            count *= length
        most += count
    if path.stat().st_size > most:
        raise _damaged(path)


def load(path: Path, settings: Settings | None = None, sha256: str | None = None) -> State:
    """Reads and verifies one file of any kind. Refused if it is damaged, foreign, or of other networks.

    `settings` are what the tensors are compared with (default: those in its own header, checked). The file is
    verified by `sha256` of its bytes where that is known, else by the digest in its header. FileNotFoundError if
    it has been pruned meanwhile.
    """
    header, entries = read_header(path)
    _check_table(path, header, entries, settings or settings_of(header))
    data = path.read_bytes()
    if sha256 is not None and files.sha256(data) != sha256:
        raise _damaged(path)
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise _damaged(path) from None
    if sha256 is None and _content_digest(header, tensors) != header["digest"]:
        raise _damaged(path)
    if header["kind"] == "starter":
        tensors = {n: t.float() if t.dtype == torch.float16 else t for n, t in tensors.items()}
    return State(int(header["step"]), tensors, header, path)


def load_newest(folder: Path, settings: Settings) -> State:
    """The newest state of a run that verifies. Its `sentence` says if an older one had to be taken, or if what
    comes next can't be bit-exact because torch, threads or device are others now. Refused if no state verifies.
    """
    noted = files.read_json(folder / "latest.json")
    noted = noted if isinstance(noted, dict) else {}
    passed_over: list[str] = []
    for path in states(folder):
        known = noted.get("sha256") if noted.get("file") == path.name else None
        try:
            state = load(path, settings, known if isinstance(known, str) else None)
            if state.header["kind"] != "state":
                raise _foreign(path)
        except FileNotFoundError:
            continue  # pruned since the folder was listed
        except Refused:
            passed_over.append(path.name)
            continue
        says = []
        if passed_over:
            says.append(f"{passed_over[0]} was damaged, so it goes on from step {state.step:,}.")
        if why := _not_exact(state.header, settings):
            says.append(f"It goes on, but not bit for bit as it would have: {why}.")
        return State(state.step, state.tensors, state.header, path, " ".join(says) or None)
    raise Refused(refuse("no-checkpoint", folder.name))


def _not_exact(header: Mapping[str, str], settings: Settings) -> str | None:
    """What differs between who saved a state and who goes on with it, in words; None if nothing does."""
    changes = []
    for word, before, now in (
        ("torch", header["torch"], torch.__version__),
        ("threads", header["threads"], str(settings.threads)),
        ("device", header["device"], settings.device),
    ):
        if before != now:
            changes.append(f"{word} was {before} and is {now}")
    return ", ".join(changes) or None


def load_generator(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The averaged generator's tensors in a file of any kind, and the header. Only these tensors are read.

    Verified: the tensors are hashed anew and must be the model that the header names. Refused if not.
    """
    header, entries = read_header(path)
    _check_table(path, header, entries, settings_of(header))
    prefix = "" if header["kind"] == "model" else "average."
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {
                name.removeprefix(prefix): file.get_tensor(name).clone()
                for name in entries
                if name.startswith(prefix)
            }
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise _damaged(path) from None
    tensors = {n: t.float() if t.dtype == torch.float16 else t for n, t in tensors.items()}
    if model_digest(tensors) != header["model_digest"]:
        raise _damaged(path)
    return tensors, header


def load_known(path: Path, sha256: str) -> dict[str, Tensor] | None:
    """The tensors of a file that the program shipped, in float32; None where it isn't, to the last byte, that file."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if files.sha256(data) != sha256:
        return None
    return {name: x.float() for name, x in safetensors.torch.load(data).items()}


def load_start(folder: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors to start another run from: of the newest state that verifies, else of what the run has as a start."""
    for path in starts(folder):
        with contextlib.suppress(Refused, FileNotFoundError):
            state = load(path)
            return state.tensors, state.header
    raise Refused(refuse("no-checkpoint", folder.name))
