"""The most memory that the process has used."""

import resource
import sys


def peak_memory_mb() -> float:
    """Return the most memory that this process has used so far, in MB (2**20 bytes)."""
    # Linux counts in kilobytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
