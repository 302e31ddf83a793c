"""How fast one meta-gradient is: `PYTHONPATH=. python tests/benchmarks/meta_step.py` prints JSON.

64 tasks of 256 support and 256 query rows with 64 features, a 64-64-64-34 perceptron, three inner steps, the
clipped importance-weighted loss, single precision. `offline_rl.meta.maml` takes all tasks at once; the loop
takes one after the other, as the libraries do. Needs torch and numpy alone, so that it also runs on a bare
GPU machine: `--device cuda`.

Each round times both once more, so that a busy neighbor slows both alike; a round's figure is the median of
its repeats, and a path's the median of its best round. Waiting threads that spin make a shared machine many
times slower: OMP_WAIT_POLICY=passive in front of the command.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from offline_rl import objectives
from offline_rl.meta import maml

TASKS, ROWS, WIDTHS, CLIP = 64, 256, (64, 64, 64, 34), 5.0
HOW = {"inner_lr": 0.1, "inner_steps": 3}
Tensors = dict[str, Tensor]
Run = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    device = torch.device(asked.device)
    load_before = os.getloadavg()
    batches = [logged_batch(seed, device) for seed in (1, 2)]
    parameters = start(device)
    paths = {
        f"{name}, order {order}": path
        for order in (2, 1)
        for name, path in gradients(parameters, batches, order).items()
    }
    milliseconds = timed(paths, asked.rounds, asked.repeats, device)
    figures = {
        "benchmark": "meta_step",
        "tasks": TASKS,
        "rows": [ROWS, ROWS],
        "widths": WIDTHS,
        "inner_steps": HOW["inner_steps"],
        "device": torch.cuda.get_device_name() if device.type == "cuda" else processor(),
        "threads": torch.get_num_threads(),
        "rounds": asked.rounds,
        "load_average": {"before": load_before[0], "after": os.getloadavg()[0], "cores": os.cpu_count()},
        "torch": torch.__version__,
        "python": platform.python_version(),
        **summary(milliseconds),
        "relative_difference": difference(parameters, batches),
    }
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")


def logged_batch(seed: int, device: torch.device) -> Tensors:
    """Rounds of every task: one in five rewarded, weights around 2 with a tail that is clipped."""
    generator = np.random.default_rng(seed)
    columns = {
        "context": generator.standard_normal((TASKS, ROWS, WIDTHS[0]), dtype=np.float32),
        "action": generator.integers(WIDTHS[-1], size=(TASKS, ROWS)),
        "propensity": generator.uniform(0.01, 0.11, (TASKS, ROWS)).astype(np.float32),
        "advantage": (generator.random((TASKS, ROWS)) < 0.2).astype(np.float32) - np.float32(0.2),
        "mask": np.ones((TASKS, ROWS), dtype=np.bool_),
    }
    return {name: torch.from_numpy(column).to(device) for name, column in columns.items()}


def start(device: torch.device) -> Tensors:
    """Normal weights of variance 2 / inputs (He et al. 2015, eq. 10), biases zero."""
    generator = torch.Generator().manual_seed(0)
    drawn: Tensors = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(WIDTHS)):
        weight = torch.randn(outputs, inputs, generator=generator, dtype=torch.float64)
        drawn[f"weight_{layer}"] = weight.mul((2.0 / inputs) ** 0.5).float().to(device)
        drawn[f"bias_{layer}"] = torch.zeros(outputs, device=device)
    return drawn


def loss(parameters: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
    """The loss of all tasks, one value per task."""
    hidden, last = batch["context"], len(WIDTHS) - 2
    for layer in range(last + 1):
        weight, bias = parameters[f"weight_{layer}"], parameters[f"bias_{layer}"]
        hidden = torch.baddbmm(bias.unsqueeze(1), hidden, weight.transpose(1, 2))
        hidden = hidden if layer == last else torch.relu(hidden)
    logged = torch.log_softmax(hidden, dim=-1).gather(-1, batch["action"].unsqueeze(-1)).squeeze(-1)
    return objectives.importance_weighted_loss(
        logged, batch["propensity"], batch["advantage"], batch["mask"], clip=CLIP
    )


def gradients(parameters: Tensors, batches: list[Tensors], order: int) -> dict[str, Run]:
    """Both ways to the same meta-gradient."""
    first_order = order == 1
    return {
        "loop over tasks": lambda: loop_over_tasks(parameters, *batches, first_order=first_order),
        "all tasks at once": lambda: maml.meta_gradient(
            loss, parameters, *batches, **HOW, first_order=first_order
        ),
    }


def loop_over_tasks(
    parameters: Tensors, support: Tensors, query: Tensors, *, first_order: bool
) -> tuple[Tensor, Tensors]:
    """What the libraries do: one task after the other, gradient steps recorded by autograd."""
    leaves = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    total = dict.fromkeys(leaves, torch.zeros(()))
    value = torch.zeros((), device=support["context"].device)
    for task in range(TASKS):
        adapted = leaves
        for _ in range(HOW["inner_steps"]):
            loss = loss_of_task(adapted, support, task)
            slopes = torch.autograd.grad(loss, list(adapted.values()), create_graph=not first_order)
            moved = zip(adapted.items(), slopes, strict=True)
            adapted = {name: weight - HOW["inner_lr"] * slope for (name, weight), slope in moved}
        loss = loss_of_task(adapted, query, task)
        for name, slope in zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True):
            total[name] = slope if task == 0 else total[name] + slope
        value = value + loss.detach()
    return value / TASKS, {name: slope / TASKS for name, slope in total.items()}


def loss_of_task(parameters: Tensors, batch: Tensors, task: int) -> Tensor:
    hidden, last = batch["context"][task], len(WIDTHS) - 2
    for layer in range(last + 1):
        hidden = torch.nn.functional.linear(
            hidden, parameters[f"weight_{layer}"], parameters[f"bias_{layer}"]
        )
        hidden = hidden if layer == last else torch.relu(hidden)
    logged = torch.log_softmax(hidden, -1).gather(-1, batch["action"][task].unsqueeze(-1)).squeeze(-1)
    weight, advantage = logged.exp() / batch["propensity"][task], batch["advantage"][task]
    return -torch.minimum(weight * advantage, weight.clamp_max(CLIP) * advantage).mean()


def timed(paths: dict[str, Run], rounds: int, repeats: int, device: torch.device) -> dict[str, float]:
    """Milliseconds of each path: the median of its best round."""

    def seconds(path: Run) -> float:
        began = time.perf_counter()
        path()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    for path in paths.values():
        seconds(path)
    medians: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            medians[name].append(statistics.median(seconds(path) for _ in range(repeats)))
    return {name: 1000.0 * min(found) for name, found in medians.items()}


def summary(milliseconds: dict[str, float]) -> dict[str, dict[str, object]]:
    """Each path's time by order, and its multiple of the loop's speed."""
    orders: dict[str, dict[str, object]] = {}
    for order, word in ((2, "second_order"), (1, "first_order")):
        suffix = f", order {order}"
        taken = {n.removesuffix(suffix): t for n, t in milliseconds.items() if n.endswith(suffix)}
        orders[word] = {
            name: {
                "milliseconds": round(time_taken, 3),
                "per_second": round(1000.0 / time_taken, 2),
                "times_the_loop": round(taken["loop over tasks"] / time_taken, 2),
            }
            for name, time_taken in taken.items()
        }
    return orders


def difference(parameters: Tensors, batches: list[Tensors]) -> dict[str, float]:
    """Distance of each second-order gradient from autograd's in double precision, relative to its norm."""
    exact = maml.meta_gradient(
        loss,
        {name: value.double() for name, value in parameters.items()},
        *({k: v.double() if v.is_floating_point() else v for k, v in batch.items()} for batch in batches),
        **HOW,
    )[1]
    found = {
        "loop over tasks": loop_over_tasks(parameters, *batches, first_order=False)[1],
        "all tasks at once": maml.meta_gradient(loss, parameters, *batches, **HOW)[1],
    }
    whole = torch.cat([value.flatten() for value in exact.values()])
    return {
        path: float(
            (torch.cat([gradient[name].double().flatten() for name in exact]) - whole).norm() / whole.norm()
        )
        for path, gradient in found.items()
    }


def processor() -> str:
    """The processor's name where the system tells it; its architecture elsewhere."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
