"""Memory: what a night can have, of the machine or of its container."""

import os
from pathlib import Path

from features.exit_statuses import ExitStatus
from flows.health.check import Check, fault, printed_bytes, warning, well

NAME = "memory"

# The whole night of the demo shop (2,000 users, 28 days) was measured at 1.1 GB; DuckDB, polars and
# torch alone take most of LEAST.
ENOUGH, LEAST = 1_500_000_000, 500_000_000

_CONTAINER = Path("/sys/fs/cgroup")


def available_bytes(meminfo: Path = Path("/proc/meminfo"), container: Path = _CONTAINER) -> int:
    """Return the bytes that new work can have; the smaller of the machine's and the container's.

    On systems without /proc: all memory of the machine.
    """
    if not meminfo.is_file():
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    lines = dict(line.split(":", maxsplit=1) for line in meminfo.read_text().splitlines())
    machine = int(lines["MemAvailable"].split()[0]) * 1024
    limit, used = container / "memory.max", container / "memory.current"
    if not limit.is_file() or limit.read_text().strip() == "max":
        return machine
    return min(machine, max(int(limit.read_text()) - int(used.read_text()), 0))


def check_memory(n_bytes: int) -> Check:
    """Compare the available bytes with what a night needs."""
    said = f"{printed_bytes(n_bytes)} are available."
    advice = f"A night of a small shop needs {printed_bytes(ENOUGH)}: close other programs or add memory."
    if n_bytes < LEAST:
        return fault(NAME, said, advice, ExitStatus.RESOURCES)
    return warning(NAME, said, advice) if n_bytes < ENOUGH else well(NAME, said)
