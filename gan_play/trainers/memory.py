"""How a lack of memory shows on each device, and how to give back what nobody holds any more."""

import gc

WORDS = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed")


def is_short(error: BaseException) -> bool:
    """Whether an error says that memory is short: MemoryError, or what torch raises on each device.

    On a CPU that is a plain RuntimeError, told by its words; from cuDNN and cuBLAS too.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in WORDS)


def release() -> None:
    """Frees what is left of a training that was let go: graphs that hold each other, a graphics card's cache."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
