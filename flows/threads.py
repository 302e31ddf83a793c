"""Threads: as many as the configuration says, in torch and in the linear algebra below numpy.

Small matrices gain little from more than one, a busy machine loses much, and the order of sums, so the last
digit of a result, depends on the number.
"""

import torch
from threadpoolctl import threadpool_limits


def limit_threads(threads: int) -> None:
    """Hold this process to a number of computing threads."""
    torch.set_num_threads(threads)
    threadpool_limits(threads)
