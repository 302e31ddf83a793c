"""How fast one meta-gradient is: `PYTHONPATH=. python tests/benchmarks/meta_step.py` prints JSON.

64 tasks of 256 support and 256 query rows with 64 features, a 64-64-64-34 perceptron, three inner steps, the
clipped importance-weighted loss, single precision.  Needs torch and numpy alone, so that it also runs on a
bare GPU machine: `--device cuda`.

Each round times every path once more, so that a busy neighbor slows all of them alike; a round's figure is
the median of its repeats, and a path's the median of its best round.  The floor is the arithmetic at the rate
of the fastest batched matrix product of these shapes, measured in the same rounds.  Waiting threads that spin
make a shared machine many times slower: OMP_WAIT_POLICY=passive in front of the command.
Goal: exact second order, 2 cores: 4 times the loop over tasks and 45 % of the floor; on an H100-class GPU 500
meta-steps a second and 20 times the loop.
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
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from offline_rl.matmul_precision import fastest_exact_matmul, medium_error
from offline_rl.meta import maml
from offline_rl.meta.fast_path import perceptron
from offline_rl.meta.fast_path.captured_step import CapturedMetaStep
from offline_rl.meta.fast_path.meta_gradient import meta_gradient
from offline_rl.meta.fast_path.policy_rows import PolicyRows, importance_weighted_rows

TASKS, ROWS, WIDTHS, CLIP = 64, 256, (64, 64, 64, 34), 5.0
HOW = {"inner_lr": 0.1, "inner_steps": 3}
LOSS = partial(perceptron.importance_weighted_loss, clip=CLIP)
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
    rows = [importance_weighted_rows(batch, clip=CLIP) for batch in batches]
    paths = {f"matrix products, {name}": path for name, path in products(device).items()}
    for order in (2, 1):
        paths |= {
            f"{name}, order {order}": path
            for name, path in gradients(parameters, batches, rows, order).items()
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
        "onednn": onednn(device),
        **summary(milliseconds),
        "relative_difference": difference(parameters, batches, rows),
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
    drawn = perceptron.init_parameters(WIDTHS, generator=torch.Generator().manual_seed(0))
    return {name: value.to(device) for name, value in drawn.items()}


def gradients(
    parameters: Tensors, batches: list[Tensors], rows: list[PolicyRows], order: int
) -> dict[str, Run]:
    """Every way to the same meta-gradient, and on a GPU whole steps in one graph."""
    first_order = order == 1
    hand_written = partial(meta_gradient, **HOW, first_order=first_order)
    autograd = partial(maml.meta_gradient, LOSS, **HOW, first_order=first_order)
    paths: dict[str, Run] = {
        "loop over tasks": lambda: loop_over_tasks(parameters, *batches, first_order=first_order),
        "batched autograd": lambda: autograd(parameters, *batches),
        "hand-written": lambda: hand_written(parameters, *rows),
    }
    if not rows[0].action.is_cuda:

        def with_exact_products() -> None:
            torch.set_float32_matmul_precision("medium")
            hand_written(parameters, *rows)
            torch.set_float32_matmul_precision("highest")

        with fastest_exact_matmul() as chosen:
            if chosen.setting == "medium":
                paths["hand-written, oneDNN"] = with_exact_products
        return paths

    def graph(
        direction: Callable[[Mapping[str, Tensor], PolicyRows, PolicyRows], tuple[Tensor, Tensors]],
    ) -> Run:
        captured = CapturedMetaStep(
            start(rows[0].action.device), *rows, direction, tasks_per_step=TASKS, outer_lr=1e-3
        )
        everyone = torch.arange(TASKS, device=rows[0].action.device)
        return lambda: captured.step(everyone)

    paths["graph of the hand-written step with Adam"] = graph(hand_written)
    paths["graph of the autograd step with Adam"] = graph(
        lambda params, support, query: maml.meta_gradient(
            rows_loss, dict(params), as_batch(support), as_batch(query), **HOW, first_order=first_order
        )
    )
    return paths


def as_batch(rows: PolicyRows) -> Tensors:
    return {name: getattr(rows, name) for name in ("context", "action", "coefficient", "ceiling")}


def rows_loss(params: Tensors, batch: Tensors) -> Tensor:
    """The loss of `PolicyRows`, for autograd."""
    logged = perceptron.log_probabilities(params, batch).gather(-1, batch["action"].unsqueeze(-1))
    return (batch["coefficient"] * torch.minimum(logged.squeeze(-1).exp(), batch["ceiling"])).sum(-1)


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


def products(device: torch.device) -> dict[str, Run]:
    """Batched products of a hidden layer's shapes, rows or columns first, all tasks at once or some."""

    def product(tasks: int, *, columns: bool) -> Run:
        wide, square = torch.randn(tasks, ROWS, 64, device=device), torch.randn(tasks, 64, 64, device=device)
        if columns:
            wide = wide.transpose(1, 2).contiguous()
        out = torch.empty_like(wide)
        left, right = (square, wide) if columns else (wide, square)

        def multiplied() -> None:
            for _ in range(TASKS // tasks):
                torch.bmm(left, right, out=out)

        return multiplied

    return {
        f"{tasks} tasks, {'columns' if columns else 'rows'} first": product(tasks, columns=columns)
        for tasks in (8, 16, TASKS)
        for columns in (False, True)
    }


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


def flop(order: int) -> int:
    """Floating-point operations of one meta-gradient's matrix products.

    A gradient multiplies by every weight forward and once more for the weight's own slope, and by all but the
    first layer's on the way back.  A Hessian product does each twice, once with the direction and once with
    what it moved, except in the first layer, whose input doesn't move.
    """
    weights = [inputs * outputs for inputs, outputs in itertools.pairwise(WIDTHS)]
    whole, behind = sum(weights), sum(weights[1:])
    gradient = 2 * (2 * whole + behind)
    product = 2 * (2 * (whole + behind) + 2 * behind)
    steps = HOW["inner_steps"]
    return TASKS * ROWS * ((steps + 1) * gradient + (steps * product if order == 2 else 0))


def summary(milliseconds: dict[str, float]) -> dict[str, object]:
    """Each path's time, its multiple of the loop's speed, and its share of the floor."""
    product_flop = 2 * TASKS * ROWS * 64 * 64
    rates = {
        name.removeprefix("matrix products, "): product_flop / (1e6 * taken)
        for name, taken in milliseconds.items()
        if name.startswith("matrix products")
    }
    best = max(rates.values())
    orders: dict[str, object] = {}
    for order, word in ((2, "second_order"), (1, "first_order")):
        floor = flop(order) / (1e6 * best)
        suffix = f", order {order}"
        taken = {n.removesuffix(suffix): t for n, t in milliseconds.items() if n.endswith(suffix)}
        orders[word] = {
            "gflop": flop(order) / 1e9,
            "floor_milliseconds": round(floor, 4),
            "paths": {
                name: {
                    "milliseconds": round(time_taken, 3),
                    "per_second": round(1000.0 / time_taken, 2),
                    "times_the_loop": round(taken["loop over tasks"] / time_taken, 2),
                    "share_of_floor": round(floor / time_taken, 3),
                }
                for name, time_taken in taken.items()
            },
        }
    return {
        "matrix_products_gflop_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        **orders,
    }


def difference(parameters: Tensors, batches: list[Tensors], rows: list[PolicyRows]) -> dict[str, float]:
    """Distance of each second-order gradient from autograd's in double precision, relative to its norm."""
    exact = maml.meta_gradient(
        LOSS,
        {name: value.double() for name, value in parameters.items()},
        *({k: v.double() if v.is_floating_point() else v for k, v in batch.items()} for batch in batches),
        **HOW,
    )[1]
    found = {
        "loop over tasks": loop_over_tasks(parameters, *batches, first_order=False)[1],
        "batched autograd": maml.meta_gradient(LOSS, parameters, *batches, **HOW)[1],
        "hand-written": meta_gradient(parameters, *rows, **HOW)[1],
        "hand-written in double precision": meta_gradient(
            {name: value.double() for name, value in parameters.items()},
            *(
                importance_weighted_rows(
                    {k: v.double() if v.is_floating_point() else v for k, v in batch.items()}, clip=CLIP
                )
                for batch in batches
            ),
            **HOW,
        )[1],
    }
    whole = torch.cat([value.flatten() for value in exact.values()])
    return {
        path: float(
            (torch.cat([gradient[name].double().flatten() for name in exact]) - whole).norm() / whole.norm()
        )
        for path, gradient in found.items()
    }


def onednn(device: torch.device) -> dict[str, object]:
    """Whether the faster products of this processor are exact, or why they aren't used."""
    if device.type == "cuda":
        return {"used": False, "reason": "a GPU would round to TF32 under the same switch"}
    with fastest_exact_matmul() as chosen:
        return {"used": chosen.setting == "medium", "relative_error": medium_error()}


def processor() -> str:
    """The processor's name where the system tells it; its architecture elsewhere."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
