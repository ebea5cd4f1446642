"""The machine a figure was measured on, and its measured limits."""

import os
import platform
import socket
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch
import torch.nn.functional as F

from gan_play.trainers.preflight import wait_for


def title() -> str:
    """One line for the table of results: date, processor, cores, torch."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":")[1].strip() if lines else model
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{date.today()}, {model}, {os.cpu_count()} cores{gpu}, torch {torch.__version__}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def best_seconds(work: Callable[[], object], device: str = "cpu", seconds: float = 2.0) -> float:
    """The shortest time that the work took: of three, and of more where they fit into so many seconds."""

    def once() -> float:
        wait_for(device)
        began = time.perf_counter()
        work()
        wait_for(device)
        return time.perf_counter() - began

    once()
    until = time.perf_counter() + seconds
    best = min(once() for _ in range(3))
    while time.perf_counter() < until:
        best = min(best, once())
    return best


def peak_flops(dtype: torch.dtype, device: str = "cpu", side: int = 2048, seconds: float = 2.0) -> float:
    """Floating-point operations a second of square matrix products, the best of several: the limit here."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2 * side**3 / best_seconds(lambda: a @ b, device, seconds)


def peak_convolution_flops(
    dtype: torch.dtype,
    device: str = "cpu",
    channels_last: bool = True,
    channels: int = 128,
    size_px: int = 32,
    batch: int = 16,
    seconds: float = 2.0,
) -> float:
    """The same of convolutions of 3 x 3, padded, that keep size and channels."""
    order = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.randn(batch, channels, size_px, size_px, device=device).to(dtype, memory_format=order)
    weight = torch.randn(channels, channels, 3, 3, device=device).to(dtype, memory_format=order)
    done = 2 * batch * size_px**2 * channels**2 * 9
    return done / best_seconds(lambda: F.conv2d(x, weight, padding=1), device, seconds)


def bandwidth(device: str = "cpu", triad: bool = False, megabytes: int = 256, seconds: float = 2.0) -> float:
    """Bytes a second through memory: b to a, or as a triad a = b + 2 c (McCalpin's STREAM counts them so)."""
    a, b, c = (torch.ones(megabytes * 250_000, device=device) for _ in range(3))
    if triad:
        best = best_seconds(lambda: torch.add(b, c, alpha=2, out=a), device, seconds)
    else:
        best = best_seconds(lambda: a.copy_(b), device, seconds)
    return (3 if triad else 2) * a.numel() * a.element_size() / best
