"""The device: where learners compute, and with how many threads."""

import torch
from threadpoolctl import threadpool_limits


def training_device() -> torch.device:
    """Return the device that learners compute on: the GPU when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def limit_threads(threads: int) -> None:
    """Hold this process to this many computing threads, in torch and in the linear algebra below numpy.

    Small matrices gain little from more than one, a busy machine loses much, and the order of sums, so the
    last digit of a result, depends on the number.
    """
    torch.set_num_threads(threads)
    threadpool_limits(threads)
