"""How much memory is free, how a lack of it shows on each device, and how to give back what nobody holds any more."""

import gc

import psutil

WORDS = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed")


def is_short(error: BaseException) -> bool:
    """Whether an error says that memory is short: MemoryError, or what torch raises on each device.

    On a CPU that is a plain RuntimeError, told by its words; from cuDNN and cuBLAS too.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in WORDS)


def free_bytes(device: str) -> int:
    """What could still be taken on a device: of its own memory on a graphics card, else of the computer's."""
    import torch

    return torch.cuda.mem_get_info()[0] if device == "cuda" else psutil.virtual_memory().available


def release() -> None:
    """Frees what is left of a training that was let go: graphs that hold each other, a graphics card's cache."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
