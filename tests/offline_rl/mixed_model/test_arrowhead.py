"""Elimination by items gives what a dense solver gives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_rl.mixed_model.arrowhead import Precisions, Solution, solve_arrowhead

F64 = torch.float64


def dense(gram: torch.Tensor, features: torch.Tensor, precisions: Precisions) -> torch.Tensor:
    """The system of one group written out: coefficients (item, column) first, then (feature, column)."""
    items, columns, _ = gram.shape
    count = features.shape[1]
    size = (items + count) * columns
    design = torch.zeros(items, columns, size, dtype=F64)
    for item in range(items):
        for column in range(columns):
            design[item, column, item * columns + column] = 1.0
            for feature in range(count):
                design[item, column, (items + feature) * columns + column] = features[item, feature]
    system = torch.einsum("adp,ade,aeq->pq", design, gram, design)
    prior = torch.cat([precisions.item.expand(items, -1).flatten(), precisions.feature.flatten()])
    return system + torch.diag(prior)


@st.composite
def systems(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor, Precisions]:
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    groups, items, columns, count = (draw(st.integers(1, most)) for most in (2, 4, 3, 3))
    rows = torch.from_numpy(random.normal(size=(groups, items, draw(st.integers(0, 5)), columns)))
    gram = rows.transpose(-1, -2) @ rows
    features = torch.from_numpy(random.normal(size=(items, count)))
    item = torch.from_numpy(random.uniform(0.5, 3.0, columns) * (random.random(columns) < 0.7))
    feature = torch.from_numpy(
        random.uniform(0.5, 3.0, (count, columns)) * (random.random((count, columns)) < 0.7)
    )
    return gram, features, Precisions(item, feature)


@settings(max_examples=60, deadline=None)
@given(systems())
def test_it_solves_what_a_dense_solver_solves(
    system: tuple[torch.Tensor, torch.Tensor, Precisions],
) -> None:
    gram, features, precisions = system
    groups, items, columns, _ = gram.shape
    count = features.shape[1]
    sides = torch.Generator().manual_seed(0)
    item_side = torch.randn(groups, items, columns, generator=sides, dtype=F64)
    feature_side = torch.randn(groups, count, columns, generator=sides, dtype=F64)
    found = solve_arrowhead(gram, features, precisions, item_side, feature_side, with_variances=True)
    exists = torch.cat([precisions.item.expand(items, -1).flatten(), precisions.feature.flatten()]) > 0
    for group in range(groups):
        matrix = dense(gram[group], features, precisions)[exists][:, exists]
        side = torch.cat([item_side[group].flatten(), feature_side[group].flatten()])[exists]
        torch.testing.assert_close(flat(found, group)[exists], torch.linalg.solve(matrix, side))
        torch.testing.assert_close(variances(found, group)[exists], torch.linalg.inv(matrix).diagonal())
        assert not bool(flat(found, group)[~exists].any())


def flat(found: Solution, group: int) -> torch.Tensor:
    return torch.cat([found.item[group].flatten(), found.feature[group].flatten()])


def variances(found: Solution, group: int) -> torch.Tensor:
    assert found.item_variance is not None
    assert found.feature_variance is not None
    return torch.cat([found.item_variance[group].flatten(), found.feature_variance[group].flatten()])


def test_variances_are_left_out_where_nobody_asks() -> None:
    one = torch.ones(1, 1, 1, dtype=F64)
    found = solve_arrowhead(one[None], one[0], Precisions(one[0, 0], one[0]), one, one, with_variances=False)
    assert found.item_variance is None
    assert found.feature_variance is None


def test_groups_that_are_solved_a_few_at_a_time_are_solved_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(5, 3, 4, 2, generator=generator, dtype=F64)
    gram, features = rows.transpose(-1, -2) @ rows, torch.randn(3, 2, generator=generator, dtype=F64)
    both = Precisions(torch.ones(2, dtype=F64), torch.ones(2, 2, dtype=F64))
    sides = rows[:, :, 0], rows[:, :2, 1]
    whole = solve_arrowhead(gram, features, both, *sides, with_variances=True)
    monkeypatch.setattr("offline_rl.mixed_model.arrowhead._NUMBERS_AT_ONCE", 2 * 16)
    for one, other in zip(
        vars(whole).values(),
        vars(solve_arrowhead(gram, features, both, *sides, with_variances=True)).values(),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
