"""The resident meta-step: the plain step's numbers, with or without rehearsal, and on a GPU as a graph."""

import math
from functools import partial

import pytest
import torch
from torch import Tensor

from offline_rl.meta import maml
from offline_rl.meta.fast_path import perceptron
from offline_rl.meta.fast_path.captured_step import CapturedMetaStep, MetaGradient
from offline_rl.meta.fast_path.meta_gradient import meta_gradient
from offline_rl.meta.fast_path.policy_rows import PolicyRows

Tensors = dict[str, Tensor]
TASKS, STEPS, OUTER_LR = 6, 5, 0.02
HOW = {"inner_lr": 0.4, "inner_steps": 2}
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]


def resident_rows(seed: int, device: str) -> PolicyRows:
    generator = torch.Generator().manual_seed(seed)
    rows = PolicyRows(
        context=torch.randn(TASKS, 20, 4, generator=generator, dtype=torch.float64),
        action=torch.randint(5, (TASKS, 20), generator=generator),
        coefficient=0.3 * torch.randn(TASKS, 20, generator=generator, dtype=torch.float64),
        ceiling=0.1 + torch.rand(TASKS, 20, generator=generator, dtype=torch.float64),
    )
    return rows.to(device, torch.float64)


def start(device: str) -> Tensors:
    generator = torch.Generator().manual_seed(0)
    parameters = perceptron.init_parameters([4, 6, 5], generator=generator, dtype=torch.float64)
    return {name: value.to(device) for name, value in parameters.items()}


def draws(device: str) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randperm(TASKS, generator=generator)[:3].to(device) for _ in range(STEPS)]


def hand_written(parameters: Tensors, support: PolicyRows, query: PolicyRows) -> tuple[Tensor, Tensors]:
    return meta_gradient(parameters, support, query, **HOW)


def by_autograd(parameters: Tensors, support: PolicyRows, query: PolicyRows) -> tuple[Tensor, Tensors]:
    """The readable path on the same rows, as a second direction that a step can take."""

    def loss(params: Tensors, batch: Tensors) -> Tensor:
        logged = perceptron.log_probabilities(params, batch).gather(-1, batch["action"].unsqueeze(-1))
        return (batch["coefficient"] * torch.minimum(logged.squeeze(-1).exp(), batch["ceiling"])).sum(-1)

    batches = (
        {name: getattr(rows, name) for name in ("context", "action", "coefficient", "ceiling")}
        for rows in (support, query)
    )
    return maml.meta_gradient(loss, parameters, *batches, **HOW)


def plain_steps(device: str, rate_of: partial[float]) -> tuple[list[float], Tensors]:
    """What the step does, spelled out with tools of torch alone."""
    parameters, support, query = start(device), resident_rows(2, device), resident_rows(3, device)
    optimizer = torch.optim.Adam(list(parameters.values()), lr=OUTER_LR, capturable=device == "cuda")
    values = []
    for step, tasks in enumerate(draws(device)):
        value, gradient = by_autograd(parameters, support.select(tasks), query.select(tasks))
        for name, parameter in parameters.items():
            parameter.grad = gradient[name]
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), 0.05)
        optimizer.param_groups[0]["lr"] = rate_of(step)
        optimizer.step()
        values.append(float(value))
    return values, parameters


def falling(step: int) -> float:
    return OUTER_LR * 0.5 * (1.0 + math.cos(math.pi * step / STEPS))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rehearsals", [None, 2])
@pytest.mark.parametrize("direction", [hand_written, by_autograd])
def test_it_is_the_plain_step(direction: MetaGradient, rehearsals: int | None, device: str) -> None:
    expected_values, expected = plain_steps(device, partial(falling))
    captured = CapturedMetaStep(
        start(device),
        resident_rows(2, device),
        resident_rows(3, device),
        direction,
        tasks_per_step=3,
        outer_lr=OUTER_LR,
        gradient_norm=0.05,
        warm_up_steps=rehearsals,
    )
    values = []
    for step, tasks in enumerate(draws(device)):
        captured.rate.fill_(falling(step))
        values.append(float(captured.step(tasks)))
    assert values == pytest.approx(expected_values, rel=1e-6)
    # The rate is a single-precision number on the device: that, and its use, may cost 1e-7 of a step.
    for name, value in expected.items():
        torch.testing.assert_close(captured.parameters[name], value, rtol=0, atol=1e-8)


def test_training_lowers_the_loss() -> None:
    support, query = resident_rows(2, "cpu"), resident_rows(3, "cpu")
    captured = CapturedMetaStep(
        start("cpu"), support, query, hand_written, tasks_per_step=TASKS, outer_lr=OUTER_LR
    )
    everyone = torch.arange(TASKS)
    values = [float(captured.step(everyone)) for _ in range(30)]
    assert values[-1] < values[0] - 0.1


def test_tasks_that_disagree_are_refused() -> None:
    rows = resident_rows(2, "cpu")
    with pytest.raises(ValueError, match="these have 6 and 2"):
        CapturedMetaStep(
            start("cpu"), rows, rows.chunk(0, 2), hand_written, tasks_per_step=2, outer_lr=OUTER_LR
        )
