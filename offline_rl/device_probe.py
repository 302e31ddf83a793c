"""A probe of the GPU: one training step of a tiny model, computed plainly, then captured as a CUDA graph."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

_DRIVER = Path("/dev/nvidia0")


@dataclass(frozen=True)
class GpuProbe:
    """What the GPU can do.

    name: None without a GPU that torch can use; has_driver: whether the machine has an NVIDIA GPU all the
    same. step_error, capture_error: what torch said, empty where the step went well.
    """

    name: str | None = None
    has_driver: bool = False
    step_error: str = ""
    capture_error: str = ""


def probe_gpu() -> GpuProbe:
    """Try one training step on the GPU, if there is one."""
    if not torch.cuda.is_available():
        return GpuProbe(has_driver=_DRIVER.exists())
    step_error = _error(_plain_step)
    capture_error = "" if step_error else _error(_captured_step)
    return GpuProbe(torch.cuda.get_device_name(), True, step_error, capture_error)


def training_step(device: torch.device) -> Callable[[], torch.Tensor]:
    """Return a function that takes one step of gradient descent and returns the weights, shape (4, 1).

    The model is linear, its loss the mean squared error; the first step leads from 0 to 5.
    """
    weights = torch.zeros(4, 1, device=device, requires_grad=True)
    inputs = torch.eye(4, device=device)
    targets = torch.full((4, 1), 100.0, device=device)

    def step() -> torch.Tensor:
        loss = (inputs @ weights - targets).square().mean()
        (gradient,) = torch.autograd.grad(loss, [weights])
        with torch.no_grad():
            weights.sub_(gradient, alpha=0.1)
        return weights.detach()

    return step


def _plain_step() -> None:
    training_step(torch.device("cuda"))()


def _captured_step() -> None:
    """Capture one step and replay it; source: the pattern of torch.cuda.graph's documentation."""
    step = training_step(torch.device("cuda"))
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        weights = step()
    before = weights.clone()
    graph.replay()
    torch.cuda.synchronize()
    if torch.equal(before, weights):
        raise RuntimeError("the captured step changed nothing when it was replayed")


def _error(attempt: Callable[[], object]) -> str:
    try:
        attempt()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    except RuntimeError as error:
        return " ".join(str(error).split())
    return ""
