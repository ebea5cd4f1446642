"""The machine a figure was measured on, and its measured limit."""

import os
import platform
import time
from datetime import date
from pathlib import Path

import torch


def title() -> str:
    """One line for the table of results: date, processor, cores, torch."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":")[1].strip() if lines else model
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{date.today()}, {model}, {os.cpu_count()} cores{gpu}, torch {torch.__version__}"


def peak_flops(dtype: torch.dtype, device: str = "cpu", side: int = 2048, seconds: float = 2.0) -> float:
    """Floating-point operations a second of square matrix products, the best of several: the limit here."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))

    def once() -> float:
        began = time.perf_counter()
        a @ b
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    once()
    until = time.perf_counter() + seconds
    best = min(once() for _ in range(3))
    while time.perf_counter() < until:
        best = min(best, once())
    return 2 * side**3 / best
