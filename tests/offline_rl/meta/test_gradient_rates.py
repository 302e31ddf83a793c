"""Learned rates, the learned kappa and head-only steps: their gradients, and what they move."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from offline_rl import two_tower
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.adaptation import adapt, differentiable, distance_moved, within_reach
from offline_rl.meta.inner_step import HEAD, InnerStep, network_of
from offline_rl.meta.maml import gradient_of, meta_gradient, value_after_adapting
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.task_batches import pad_tasks
from offline_rl.two_tower import with_task_dimension
from tests.laws.learners import load_world, log_rounds, make_world, task_batch

QUADRATIC: dict[str, Any] = json.loads(Path(__file__).with_name("meta_gradients.json").read_text())[
    "quadratic"
]
OBJECTIVE = SegmentObjective("reward_likelihood", 0.5, True, 1.0, 0.2, 0.16, 5.0, 3.0, 0.1, 0.05)
EVERYTHING = InnerStep(0.5, 2, learns_rates=True, learns_shrinkage=True)
HEADS = InnerStep(0.5, 2, moved=HEAD, learns_rates=True, learns_shrinkage=True)

Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> LoggedRounds:
    world = make_world(segments=4, items=5, features=3, contexts=2, click_rate=0.2)
    tasks = load_world(tmp_path_factory.mktemp("world"), log_rounds(world, 40))
    return tasks.rounds.to("cpu", torch.float64)


@pytest.fixture(scope="module")
def start() -> Tensors:
    generator = torch.Generator().manual_seed(0)
    parameters = two_tower.init_parameters(2, 3, 5, 3, hidden=4, generator=generator, dtype=torch.float64)
    return {
        name: value + 0.2 * torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for name, value in parameters.items()
    }


def coordinate_bowl(params: Tensors, batch: Tensors) -> Tensor:
    """0.5 (theta - center)' curvature (theta - center), with each coordinate of theta a tensor of its own."""
    offset = torch.stack([params["0"], params["1"], params["2"]], -1) - batch["center"]
    return 0.5 * torch.einsum("ti,tij,tj->t", offset, batch["curvature"], offset)


def test_rates_of_coordinates_match_the_closed_form_of_meta_sgd() -> None:
    def stack(key: str) -> Tensor:
        return torch.tensor([task[key] for task in QUADRATIC["tasks"]], dtype=torch.float64)

    theta = {
        str(i): torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for i, v in enumerate(QUADRATIC["theta0"])
    }
    rates = {
        name: torch.full(
            (QUADRATIC["inner_steps"],), QUADRATIC["inner_lr"], dtype=torch.float64
        ).requires_grad_()
        for name in theta
    }
    value = value_after_adapting(
        coordinate_bowl,
        theta,
        {"curvature": stack("A"), "center": stack("c")},
        {"curvature": stack("Q"), "center": stack("d")},
        inner_lr=rates,
        inner_steps=QUADRATIC["inner_steps"],
        first_order=False,
    )
    gradient = gradient_of(value, {**theta, **{f"rate {name}": rate for name, rate in rates.items()}})
    assert float(value.detach()) == pytest.approx(QUADRATIC["meta_objective"], abs=1e-12)
    for i in range(3):
        assert float(gradient[str(i)]) == pytest.approx(QUADRATIC["maml"][i], abs=1e-12)
        # the reference has one rate for all steps, whose gradient is the sum over the steps
        assert float(gradient[f"rate {i}"].sum()) == pytest.approx(QUADRATIC["meta_sgd_lr"][i], abs=1e-12)


def meta_value(
    step: InnerStep, meta: Tensors, support: Tensors, query: Tensors, *, first_order: bool = False
) -> Tensor:
    trusted, size = step.on(meta, OBJECTIVE, support)
    return value_after_adapting(
        OBJECTIVE.loss,
        network_of(meta),
        trusted,
        query,
        inner_lr=size,
        inner_steps=step.inner_steps,
        first_order=first_order,
    )


@pytest.mark.parametrize("step", [EVERYTHING, HEADS], ids=["all", "head"])
def test_gradients_of_rates_and_kappa_agree_with_finite_differences(
    step: InnerStep, rounds: LoggedRounds, start: Tensors
) -> None:
    support, query = task_batch(rounds, [0, 1]), task_batch(rounds, [2, 3])
    meta = differentiable({**start, **step.learned(OBJECTIVE, start["level"])})
    gradient = gradient_of(meta_value(step, meta, support, query), meta)
    generator = torch.Generator().manual_seed(1)
    for name, value in meta.items():
        change = 1e-5 * torch.randn(value.shape, generator=generator, dtype=value.dtype)
        ahead, behind = (
            float(meta_value(step, {**meta, name: value + sign * change}, support, query).detach())
            for sign in (1, -1)
        )
        slope = float((gradient[name] * change).sum())
        assert (ahead - behind) / 2 == pytest.approx(slope, rel=1e-5, abs=1e-14), name


def test_in_first_order_a_rate_still_has_its_whole_gradient_at_the_last_step(
    rounds: LoggedRounds, start: Tensors
) -> None:
    """The last step is followed by no Hessian: dJ/d alpha_K and dJ/d kappa of one step are the exact ones."""
    support, query = task_batch(rounds, [0, 1]), task_batch(rounds, [2, 3])
    step = InnerStep(0.5, 1, learns_rates=True, learns_shrinkage=True)
    meta = differentiable({**start, **step.learned(OBJECTIVE, start["level"])})
    exact, first = (
        gradient_of(meta_value(step, meta, support, query, first_order=first_order), meta)
        for first_order in (False, True)
    )
    learned = meta.keys() - start.keys()
    assert len(learned) == 9
    for name in learned:
        assert float(exact[name].abs().max()) > 0.0
        torch.testing.assert_close(first[name], exact[name], rtol=0, atol=1e-12)


def test_learned_numbers_start_as_the_fixed_step(rounds: LoggedRounds, start: Tensors) -> None:
    support, query = task_batch(rounds, [0, 1]), task_batch(rounds, [2, 3])
    meta = differentiable({**start, **EVERYTHING.learned(OBJECTIVE, start["level"])})
    value = meta_value(EVERYTHING, meta, support, query)
    gradient = gradient_of(value, network_of(meta))
    fixed, expected = meta_gradient(
        OBJECTIVE.loss, start, OBJECTIVE.as_support(support), query, inner_lr=0.5, inner_steps=2
    )
    assert float(value.detach()) == pytest.approx(float(fixed), abs=1e-12)
    for name in start:
        torch.testing.assert_close(gradient[name], expected[name], rtol=0, atol=1e-12)
    assert EVERYTHING.objective(meta, OBJECTIVE).shrinkage == pytest.approx(OBJECTIVE.shrinkage)


def test_a_rate_or_kappa_of_zero_can_still_be_learned(start: Tensors) -> None:
    step = InnerStep(0.0, 1, learns_rates=True, learns_shrinkage=True)
    numbers = step.learned(SegmentObjective(**{**vars(OBJECTIVE), "shrinkage": 0.0}), start["level"])
    assert all(bool(torch.isfinite(number).all()) for number in numbers.values())


def test_the_head_moves_alone_and_its_loss_is_convex(rounds: LoggedRounds, start: Tensors) -> None:
    batch = task_batch(rounds, [0, 1])
    begun = with_task_dimension(differentiable(start), 2)

    def moved(seed: int) -> Tensors:
        generator = torch.Generator().manual_seed(seed)
        return {
            name: begun[name].detach()
            + torch.randn(begun[name].shape, generator=generator, dtype=torch.float64)
            for name in HEAD
        }

    step = InnerStep(0.5, 3, moved=HEAD)
    adapted = adapt(
        OBJECTIVE.loss, begun, batch, inner_lr=step.size(start), inner_steps=3, create_graph=False
    )
    for name in start:
        assert torch.equal(adapted[name], begun[name]) == (name not in HEAD), name
    for seed in range(5):
        left, right = moved(seed), moved(seed + 100)
        middle = {name: 0.5 * (left[name] + right[name]) for name in HEAD}
        ends = [OBJECTIVE.loss({**begun, **side}, batch) for side in (left, right)]
        assert bool((OBJECTIVE.loss({**begun, **middle}, batch) <= 0.5 * (ends[0] + ends[1]) + 1e-12).all())


def test_each_task_may_have_its_own_rate(rounds: LoggedRounds, start: Tensors) -> None:
    batch = task_batch(rounds, [0, 1])
    begun = with_task_dimension(differentiable(start), 2)
    rates = {name: torch.tensor([[0.0, 0.5]], dtype=torch.float64) for name in start}
    own = adapt(OBJECTIVE.loss, begun, batch, inner_lr=rates, inner_steps=1, create_graph=False)
    alike = adapt(OBJECTIVE.loss, begun, batch, inner_lr=0.5, inner_steps=1, create_graph=False)
    for name in start:
        assert torch.equal(own[name][0], begun[name][0])
        assert torch.equal(own[name][1], alike[name][1])


def test_each_step_has_its_own_rate(rounds: LoggedRounds, start: Tensors) -> None:
    """A first step of nothing and then one of 0.5 is one step of 0.5."""
    batch = task_batch(rounds, [0, 1])
    begun = with_task_dimension(differentiable(start), 2)
    rates = {name: torch.tensor([0.0, 0.5], dtype=torch.float64) for name in start}
    late = adapt(OBJECTIVE.loss, begun, batch, inner_lr=rates, inner_steps=2, create_graph=False)
    once = adapt(OBJECTIVE.loss, begun, batch, inner_lr=0.5, inner_steps=1, create_graph=False)
    for name in start:
        assert torch.equal(late[name], once[name])


def test_steps_are_drawn_back_to_the_longest_and_no_further(rounds: LoggedRounds, start: Tensors) -> None:
    batch = pad_tasks(rounds, [torch.arange(0, 40), torch.arange(40, 80), torch.arange(0)])
    begun = with_task_dimension(differentiable(start), 3)
    adapted = adapt(OBJECTIVE.loss, begun, batch, inner_lr=0.5, inner_steps=3, create_graph=False)
    distance = distance_moved(begun, adapted).detach()
    assert float(distance[2]) == 0.0
    longest = float(distance[:2].mean())
    clipped = within_reach(begun, adapted, longest)
    expected = distance.clamp_max(longest)
    torch.testing.assert_close(distance_moved(begun, clipped), expected)
    near = int(distance[:2].argmin())
    for name in start:
        torch.testing.assert_close(clipped[name][near], adapted[name][near])
