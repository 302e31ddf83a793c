"""The hand-written meta-gradient: equal to autograd's in float64, and to closed forms, to the last digits."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from offline_rl.meta import maml
from offline_rl.meta.adaptation import gradient_per_task
from offline_rl.meta.fast_path import perceptron
from offline_rl.meta.fast_path.derivatives import Layer, Layers, gradient, hessian_product
from offline_rl.meta.fast_path.meta_gradient import meta_gradient
from offline_rl.meta.fast_path.policy_rows import PolicyRows, importance_weighted_rows
from offline_rl.two_tower import with_task_dimension

BANDIT: dict[str, Any] = json.loads(Path(__file__).with_name("meta_gradients.json").read_text())[
    "linear_softmax_bandit"
]
Tensors = dict[str, Tensor]
INPUTS, ACTIONS, CLIP = 5, 6, 3.0
DEPTHS = {"linear": (), "one hidden layer": (7,), "two hidden layers": (7, 4)}


def logged_batch(seed: int, *, tasks: int = 5, rows: int = 30) -> Tensors:
    """Tasks of different lengths, some actions unavailable, trust in them uneven, rewards of both signs."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    available = uniform(tasks, rows, ACTIONS) < 0.7
    action = torch.randint(ACTIONS, (tasks, rows), generator=generator)
    lengths = torch.randint(rows // 2, rows + 1, (tasks, 1), generator=generator)
    return {
        "context": torch.randn(tasks, rows, INPUTS, generator=generator, dtype=torch.float64),
        "action": action,
        "propensity": 0.02 + 0.3 * uniform(tasks, rows),
        "advantage": (uniform(tasks, rows) < 0.4).double() - 0.3,
        "mask": torch.arange(rows) < lengths,
        "available": available.scatter(-1, action.unsqueeze(-1), True),
        "trust": 0.5 + uniform(tasks),
    }


@pytest.fixture(params=DEPTHS)
def start(request: pytest.FixtureRequest) -> Tensors:
    generator = torch.Generator().manual_seed(0)
    widths = [INPUTS, *DEPTHS[request.param], ACTIONS]
    parameters = perceptron.init_parameters(widths, generator=generator, dtype=torch.float64)
    return {
        name: value + 0.1 * torch.randn(value.shape, generator=generator, dtype=value.dtype)
        for name, value in parameters.items()
    }


def relative_error(found: Tensors, expected: Tensors) -> float:
    assert found.keys() == expected.keys()
    return max(float((found[name] - expected[name]).norm() / expected[name].norm()) for name in expected)


def layers_of(parameters: Tensors) -> Layers:
    return [
        Layer(parameters[f"weight_{layer}"], parameters[f"bias_{layer}"].unsqueeze(-1))
        for layer in range(len(parameters) // 2)
    ]


def named(layers: Layers) -> Tensors:
    pairs = [
        {f"weight_{k}": layer.weight, f"bias_{k}": layer.bias.squeeze(-1)} for k, layer in enumerate(layers)
    ]
    return {name: value for pair in pairs for name, value in pair.items()}


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_it_is_autograds_meta_gradient(start: Tensors, steps: int, first_order: bool) -> None:
    batches = logged_batch(1), logged_batch(2)
    settings = {"inner_lr": 0.4, "inner_steps": steps, "first_order": first_order}
    expected_value, expected = maml.meta_gradient(
        partial(perceptron.importance_weighted_loss, clip=CLIP), start, *batches, **settings
    )
    rows = [importance_weighted_rows(batch, clip=CLIP) for batch in batches]
    value, found = meta_gradient(start, *rows, **settings)
    assert float(value) == pytest.approx(float(expected_value), rel=1e-14)
    assert relative_error(found, expected) < 1e-14


def test_the_second_order_terms_and_the_clip_are_at_work(start: Tensors) -> None:
    """Otherwise the tests above would prove little."""
    rows = [importance_weighted_rows(logged_batch(seed), clip=CLIP) for seed in (1, 2)]
    exact, first = (
        meta_gradient(start, *rows, inner_lr=0.4, inner_steps=3, first_order=first_order)[1]
        for first_order in (False, True)
    )
    assert relative_error(first, exact) > 0.01
    *_, linearization = gradient(layers_of(with_task_dimension(start, 5)), rows[0])
    clipped = (linearization.slope.squeeze(1) == 0) & (rows[0].coefficient != 0)
    assert 0.02 < float(clipped.double().mean()) < 0.5


def test_a_head_alone_adapts_as_if_the_body_were_part_of_the_context(start: Tensors) -> None:
    """ANIL: the last layer's meta-gradient is that of a linear policy on what the body puts out."""
    last = len(start) // 2 - 1
    head = (f"weight_{last}", f"bias_{last}")
    rates = {name: 0.4 if name in head else 0.0 for name in start}
    batches = logged_batch(1), logged_batch(2)
    rows = [importance_weighted_rows(batch, clip=CLIP) for batch in batches]
    _, found = meta_gradient(start, *rows, inner_lr=rates, inner_steps=3)
    shared = with_task_dimension(start, 5)
    features = [gradient(layers_of(shared), part)[2].inputs[-1].transpose(1, 2) for part in rows]
    seen = [
        importance_weighted_rows({**batch, "context": context}, clip=CLIP)
        for batch, context in zip(batches, features, strict=True)
    ]
    linear = {"weight_0": start[head[0]], "bias_0": start[head[1]]}
    _, expected = meta_gradient(linear, *seen, inner_lr=0.4, inner_steps=3)
    assert relative_error({"weight_0": found[head[0]], "bias_0": found[head[1]]}, expected) < 1e-13


@pytest.mark.parametrize("name", ["ipw", "ipw_clip"])
@pytest.mark.parametrize("order", ["maml", "fomaml"])
def test_softmax_bandit_matches_sixty_digit_differences(name: str, order: str) -> None:
    expected = BANDIT["results"][name]
    value, found = meta_gradient(
        {"weight_0": exact(BANDIT["W0"]).T, "bias_0": torch.zeros(3, dtype=torch.float64)},
        bandit_rows("support", name),
        bandit_rows("query", name),
        # The reference's policy has no bias: this one's stays at 0.
        inner_lr={"weight_0": BANDIT["inner_lr"], "bias_0": 0.0},
        inner_steps=BANDIT["inner_steps"],
        first_order=order == "fomaml",
    )
    assert float(value) == pytest.approx(expected["meta_objective"], abs=1e-12)
    torch.testing.assert_close(found["weight_0"].T, exact(expected[order]), rtol=0, atol=1e-12)


def exact(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def bandit_rows(part: str, name: str) -> PolicyRows:
    tasks = [task[part] for task in BANDIT["tasks"]]
    action = torch.tensor([task["a"] for task in tasks])
    propensity = exact([task["mu"] for task in tasks]).gather(-1, action.unsqueeze(-1)).squeeze(-1)
    advantage = exact([task["r"] for task in tasks]) - BANDIT["baseline"]
    return PolicyRows(
        context=exact([task["x"] for task in tasks]),
        action=action,
        coefficient=-advantage / propensity / action.shape[1],
        ceiling=propensity * (BANDIT["clip"] if name == "ipw_clip" else torch.inf),
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_hessian_product_is_the_derivative_of_the_gradient(start: Tensors, seed: int) -> None:
    rows = importance_weighted_rows(logged_batch(seed), clip=CLIP)
    generator = torch.Generator().manual_seed(seed)
    point = with_task_dimension(start, rows.tasks)
    left, right = (
        {name: torch.randn(v.shape, generator=generator, dtype=v.dtype) for name, v in point.items()}
        for _ in range(2)
    )
    *_, linearization = gradient(layers_of(point), rows)
    product = named(hessian_product(linearization, layers_of(right)))
    ahead, behind = (
        named(gradient(layers_of({k: point[k] + h * right[k] for k in point}), rows)[1])
        for h in (1e-6, -1e-6)
    )
    assert relative_error({k: (ahead[k] - behind[k]) / 2e-6 for k in ahead}, product) < 1e-6
    # H is symmetric: u'Hv = v'Hu, task by task.
    mirrored = named(hessian_product(linearization, layers_of(left)))
    for task in range(rows.tasks):
        one, other = (
            sum(float((u[name][task] * w[name][task]).sum()) for name in u)
            for u, w in ((left, product), (right, mirrored))
        )
        assert one == pytest.approx(other, rel=1e-10)


def test_an_action_that_cannot_be_shown_has_no_say(start: Tensors) -> None:
    """A last action that is never available leaves everything else as if it did not exist."""
    batch = logged_batch(4)
    batch["available"][..., -1] = False
    batch["action"] = batch["action"] % (ACTIONS - 1)
    batch["available"].scatter_(-1, batch["action"].unsqueeze(-1), True)
    rows = importance_weighted_rows(batch, clip=CLIP)
    smaller = replace(rows, available=batch["available"][..., :-1])
    last = len(start) // 2 - 1
    cut = {
        name: value[:-1] if name in (f"weight_{last}", f"bias_{last}") else value
        for name, value in start.items()
    }
    _, whole = meta_gradient(start, rows, rows, inner_lr=0.4, inner_steps=2)
    _, part = meta_gradient(cut, smaller, smaller, inner_lr=0.4, inner_steps=2)
    assert float(whole[f"bias_{last}"][-1]) == 0.0
    whole = {name: value[: len(part[name])] for name, value in whole.items()}
    assert relative_error(whole, part) < 1e-13


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
def test_chunks_change_nothing(start: Tensors, size: int) -> None:
    rows = [importance_weighted_rows(logged_batch(seed), clip=CLIP) for seed in (1, 2)]
    (value, whole), (other, chunked) = (
        meta_gradient(start, *rows, inner_lr=0.4, inner_steps=2, tasks_per_chunk=tasks)
        for tasks in (None, size)
    )
    assert float(value) == pytest.approx(float(other), rel=1e-13)
    assert relative_error(chunked, whole) < 1e-13


def test_padding_and_the_order_of_tasks_change_nothing(start: Tensors) -> None:
    batch = logged_batch(1)
    garbage = {**batch, "advantage": torch.where(batch["mask"], batch["advantage"], 7.0)}
    garbage["context"] = torch.where(batch["mask"].unsqueeze(-1), batch["context"], -3.0)
    order = torch.tensor([3, 0, 4, 2, 1])
    plain = importance_weighted_rows(batch, clip=CLIP)
    padded = importance_weighted_rows(garbage, clip=CLIP).select(order)
    (_, one), (_, other) = (
        meta_gradient(start, rows, rows, inner_lr=0.4, inner_steps=2) for rows in (plain, padded)
    )
    assert relative_error(other, one) < 1e-13


def test_a_task_without_rows_or_certain_of_its_action_gives_zero_and_no_nan(start: Tensors) -> None:
    batch = logged_batch(1)
    batch["mask"][0] = False
    rows = importance_weighted_rows(batch, clip=CLIP)
    values, slopes, _ = gradient(layers_of(with_task_dimension(start, 5)), rows)
    assert float(values[0]) == 0.0
    assert all(not bool(part[0].any()) for layer in slopes for part in layer)
    last = len(start) // 2 - 1
    sure = {
        **start,
        f"bias_{last}": start[f"bias_{last}"] + 2000.0 * torch.eye(ACTIONS, dtype=torch.float64)[0],
    }
    _, found = meta_gradient(sure, rows, rows, inner_lr=0.4, inner_steps=3)
    assert all(bool(value.isfinite().all()) for value in found.values())


def test_single_precision_agrees_to_single_precision(start: Tensors) -> None:
    rows = [importance_weighted_rows(logged_batch(seed), clip=CLIP) for seed in (1, 2)]
    _, double = meta_gradient(start, *rows, inner_lr=0.1, inner_steps=3)
    _, single = meta_gradient(
        {name: value.float() for name, value in start.items()},
        *(part.to("cpu", torch.float32) for part in rows),
        inner_lr=0.1,
        inner_steps=3,
    )
    assert all(value.dtype == torch.float32 for value in single.values())
    assert relative_error({name: value.double() for name, value in single.items()}, double) < 1e-5


def test_one_gradient_is_that_of_the_readable_loss(start: Tensors) -> None:
    batch = logged_batch(6)
    point = {name: v.clone().requires_grad_() for name, v in with_task_dimension(start, 5).items()}
    loss = partial(perceptron.importance_weighted_loss, clip=CLIP)
    expected = gradient_per_task(loss, point, batch, create_graph=False)
    _, slopes, _ = gradient(
        layers_of(with_task_dimension(start, 5)), importance_weighted_rows(batch, clip=CLIP)
    )
    assert relative_error(named(slopes), expected) < 1e-14


def test_tasks_that_disagree_and_parameters_of_another_network_are_refused(start: Tensors) -> None:
    rows = importance_weighted_rows(logged_batch(1), clip=CLIP)
    with pytest.raises(ValueError, match="these have 5 and 2"):
        meta_gradient(start, rows, rows.chunk(0, 2), inner_lr=0.1, inner_steps=1)
    with pytest.raises(ValueError, match="these have 0 and 0"):
        meta_gradient(start, rows.chunk(0, 0), rows.chunk(0, 0), inner_lr=0.1, inner_steps=1)
    with pytest.raises(ValueError, match="weight_0, bias_0"):
        meta_gradient({"W": start["weight_0"]}, rows, rows, inner_lr=0.1, inner_steps=1)
