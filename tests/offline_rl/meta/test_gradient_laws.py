"""Laws of the meta-gradients on the real network and the real objectives, in float64."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from offline_rl import two_tower
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta import maml, reptile
from offline_rl.meta.adaptation import gradient_per_task
from offline_rl.meta.curvature import largest_curvature
from offline_rl.meta.reinforce import pooled_gradient
from offline_rl.meta.segment_objective import SegmentObjective
from offline_rl.meta.task_batches import pad_tasks, rows_by_segment, sample_rows
from offline_rl.two_tower import with_task_dimension
from tests.laws.learners import load_world, log_rounds, make_world, task_batch

LIKELIHOOD = SegmentObjective(
    kind="reward_likelihood",
    temperature=0.5,
    is_binary=True,
    reward_scale=1.0,
    mean_reward=0.2,
    reward_variance=0.16,
    shrinkage=5.0,
    clip=3.0,
    kl_weight=0.1,
    entropy_weight=0.05,
)
OBJECTIVES = {"likelihood": LIKELIHOOD, "weighted": replace(LIKELIHOOD, kind="importance_weighted")}
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
    noise = {name: torch.randn(v.shape, generator=generator, dtype=v.dtype) for name, v in parameters.items()}
    return {name: value + 0.2 * noise[name] for name, value in parameters.items()}


def assert_equal(left: Tensors, right: Tensors) -> None:
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(left[name], right[name], rtol=0, atol=1e-12)


@pytest.fixture(params=OBJECTIVES)
def objective(request: pytest.FixtureRequest) -> SegmentObjective:
    return OBJECTIVES[request.param]


def query_gradient(objective: SegmentObjective, start: Tensors, query: Tensors) -> Tensors:
    tasks = len(query["mask"])
    leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
    value = objective.loss(with_task_dimension(leaves, tasks), query).mean()
    return dict(
        zip(leaves, torch.autograd.grad(value, list(leaves.values()), materialize_grads=True), strict=True)
    )


@pytest.mark.parametrize("step", [{"inner_lr": 0.0, "inner_steps": 3}, {"inner_lr": 0.5, "inner_steps": 0}])
def test_without_inner_steps_maml_is_the_pooled_learner(
    step: dict[str, float], objective: SegmentObjective, rounds: LoggedRounds, start: Tensors
) -> None:
    support, query = task_batch(rounds, [0, 1]), task_batch(rounds, [2, 3])
    pooled = query_gradient(objective, start, query)
    for first_order in (False, True):
        _, gradient = maml.meta_gradient(
            objective.loss, start, support, query, first_order=first_order, **step
        )
        assert_equal(gradient, pooled)


def test_second_order_terms_matter(objective: SegmentObjective, rounds: LoggedRounds, start: Tensors) -> None:
    support, query = task_batch(rounds, [0, 1]), task_batch(rounds, [2, 3])
    exact, first = (
        maml.meta_gradient(
            objective.loss, start, support, query, inner_lr=0.5, inner_steps=2, first_order=first_order
        )[1]
        for first_order in (False, True)
    )
    assert max(float((exact[name] - first[name]).abs().max()) for name in exact) > 1e-4


def test_autograd_agrees_with_finite_differences(
    objective: SegmentObjective, rounds: LoggedRounds, start: Tensors
) -> None:
    support, query = task_batch(rounds, [0, 1]), task_batch(rounds, [2, 3])
    smooth = replace(objective, clip=float("inf")).loss

    def value(params: Tensors) -> tuple[float, Tensors]:
        mean, gradient = maml.meta_gradient(smooth, params, support, query, inner_lr=0.5, inner_steps=2)
        return float(mean), gradient

    generator = torch.Generator().manual_seed(1)
    step = {
        name: 1e-5 * torch.randn(v.shape, generator=generator, dtype=v.dtype) for name, v in start.items()
    }
    ahead, _ = value({name: start[name] + step[name] for name in start})
    behind, _ = value({name: start[name] - step[name] for name in start})
    _, gradient = value(start)
    slope = sum(float((gradient[name] * step[name]).sum()) for name in start)
    assert (ahead - behind) / 2 == pytest.approx(slope, rel=1e-6)


def test_one_reptile_step_points_along_the_pooled_support_gradient(
    objective: SegmentObjective, rounds: LoggedRounds, start: Tensors
) -> None:
    support = task_batch(rounds, [0, 1, 2])
    direction = reptile.meta_gradient(objective.loss, start, support, inner_lr=0.25, inner_steps=1)
    pooled = query_gradient(objective, start, support)
    assert_equal(direction, {name: 0.25 * value for name, value in pooled.items()})


def test_the_order_of_tasks_and_of_rows_does_not_matter(
    objective: SegmentObjective, rounds: LoggedRounds, start: Tensors
) -> None:
    shuffled = rounds.select(torch.randperm(rounds.n, generator=torch.Generator().manual_seed(2)))
    found = [
        maml.meta_gradient(
            objective.loss,
            start,
            objective.as_support(task_batch(log, order)),
            task_batch(log, order),
            inner_lr=0.5,
            inner_steps=2,
        )[1]
        for log, order in ((rounds, [0, 1, 2, 3]), (shuffled, [2, 0, 3, 1]))
    ]
    assert_equal(*found)


def test_padding_rows_change_nothing(
    objective: SegmentObjective, rounds: LoggedRounds, start: Tensors
) -> None:
    """A short task beside a long one is padded; alone it isn't."""
    short, long = torch.arange(5, 12), torch.arange(40, 80)
    alone = objective.as_support(pad_tasks(rounds, [short]))
    beside = objective.as_support(pad_tasks(rounds, [short, long]))
    assert beside["mask"].shape == (2, 40)

    def gradients(batch: Tensors) -> Tensors:
        leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
        expanded = with_task_dimension(leaves, len(batch["mask"]))
        per_task = gradient_per_task(objective.loss, expanded, batch, create_graph=False)
        return {name: value[0] for name, value in per_task.items()}

    assert_equal(gradients(beside), gradients(alone))


def test_a_task_without_rows_has_no_loss_to_descend(rounds: LoggedRounds, start: Tensors) -> None:
    batch = LIKELIHOOD.as_support(pad_tasks(rounds, [torch.arange(0), torch.arange(3)]))
    values = LIKELIHOOD.loss(with_task_dimension(start, 2), batch)
    assert float(values[0]) == 0.0
    assert float(batch["trust"][0]) == 0.0


def test_trust_grows_with_the_number_of_clicks(rounds: LoggedRounds) -> None:
    batch = LIKELIHOOD.as_support(pad_tasks(rounds, [torch.arange(10), torch.arange(100)]))
    assert batch["trust"].tolist() == [pytest.approx(1.6 / 6.6), pytest.approx(16 / 21)]


def test_the_pooled_gradient_is_that_of_one_task_with_all_rows(
    objective: SegmentObjective, rounds: LoggedRounds, start: Tensors
) -> None:
    batch = pad_tasks(rounds, [torch.arange(rounds.n)])
    value, gradient = pooled_gradient(objective.loss, start, batch)
    assert_equal(gradient, query_gradient(objective, start, batch))
    assert value == pytest.approx(float(objective.loss(with_task_dimension(start, 1), batch)[0]))


def test_curvature_bounds_the_step_that_descends(rounds: LoggedRounds, start: Tensors) -> None:
    batch = pad_tasks(rounds, [torch.arange(rounds.n)])
    steepest = largest_curvature(LIKELIHOOD.loss, start, batch, iterations=50)
    value, gradient = pooled_gradient(LIKELIHOOD.loss, start, batch)

    def after(step: float) -> float:
        moved = {name: tensor - step * gradient[name] for name, tensor in start.items()}
        return pooled_gradient(LIKELIHOOD.loss, moved, batch)[0]

    assert after(1.0 / steepest) < value
    assert pooled_gradient(replace(LIKELIHOOD, curvature=steepest).loss, start, batch)[
        0
    ] * steepest == pytest.approx(value)


def test_losses_and_batches_of_the_wrong_shape_are_refused(rounds: LoggedRounds, start: Tensors) -> None:
    batch = task_batch(rounds, [0, 1])
    with pytest.raises(ValueError, match="one value per task"):
        maml.meta_gradient(
            lambda params, rows: LIKELIHOOD.loss(params, rows).mean(),
            start,
            batch,
            batch,
            inner_lr=0.1,
            inner_steps=1,
        )
    with pytest.raises(ValueError, match="one leading task dimension"):
        reptile.meta_gradient(
            LIKELIHOOD.loss, start, {**batch, "mask": batch["mask"][:1]}, inner_lr=0.1, inner_steps=1
        )


def test_sampled_rows_are_distinct_rows_of_their_own_task(rounds: LoggedRounds) -> None:
    rows = rows_by_segment(rounds, [1, 3])
    sampled = sample_rows(rows, 25, torch.Generator().manual_seed(0))
    for task, indices in zip((1, 3), sampled, strict=True):
        assert len(set(indices.tolist())) == 25
        assert set(rounds.segment[indices].tolist()) == {task}
    assert [len(indices) for indices in sample_rows(rows, 1000, torch.Generator())] == [40, 40]
