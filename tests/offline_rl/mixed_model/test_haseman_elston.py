"""Variances from products of residuals: against all pairs, and where the posterior mode sees too little."""

import pytest
import torch

from offline_rl.mixed_model.fit import (
    FEWEST_GROUPS,
    START,
    FitSettings,
    Fitted,
    LevelRows,
    fit_mixed_model,
)
from offline_rl.mixed_model.haseman_elston import MomentVariances, moment_variances
from offline_rl.mixed_model.level import Block, CellRows, Level

F64 = torch.float64


def test_it_is_the_regression_over_all_pairs_of_a_group() -> None:
    """Blocks of both kinds, columns of both, solved once by sums and once pair by pair."""
    generator = torch.Generator().manual_seed(0)
    groups, items, n = 5, 4, 60
    level = Level(
        blocks=(Block("item", "one"), Block("kind", "one"), Block("kind", "trait")),
        item_block=torch.tensor([0, -1, -1]),
        feature_block=torch.tensor([[-1, -1, -1], [1, 2, 2]]),
        n_groups=groups,
    )
    features = torch.randn(items, 2, generator=generator, dtype=F64)
    columns = torch.cat(
        [torch.ones(n, 1, dtype=F64), torch.randn(n, 2, generator=generator, dtype=F64)], dim=1
    )
    group, item = (torch.randint(0, many, (n,), generator=generator) for many in (groups, items))
    gradient, curvature = (
        torch.randn(n, generator=generator, dtype=F64),
        torch.rand(n, generator=generator, dtype=F64),
    )
    found = moment_variances(
        level, CellRows.of(columns, group, item, groups, items), features, gradient, curvature
    )
    kind = features[item, 1]
    kernels = torch.stack(
        [
            (item[:, None] == item).double(),
            kind[:, None] * kind,
            kind[:, None] * kind * (columns[:, 1:] @ columns[:, 1:].T),
        ]
    )
    pairs = (group[:, None] == group) & ~torch.eye(n, dtype=torch.bool)
    right = (kernels * (gradient[:, None] * gradient * pairs)).sum((1, 2))
    left = torch.einsum("bij,dij,ij->bd", kernels, kernels, curvature[:, None] * curvature * pairs)
    torch.testing.assert_close(found.value, torch.linalg.solve(left, right))


def cells(
    deviation: float, each: int, groups: int = 3000, seed: int = 1
) -> tuple[Level, CellRows, torch.Tensor]:
    """Groups of 5 items, `each` rounds of every one; and their rewards."""
    generator = torch.Generator().manual_seed(seed)
    level = Level((Block("item", "one"),), torch.zeros(1, dtype=torch.int64), torch.full((1, 1), -1), groups)
    group = torch.arange(groups).repeat_interleave(5 * each)
    item = torch.arange(5).repeat_interleave(each).repeat(groups)
    effect = deviation * torch.randn(groups, 5, generator=generator, dtype=F64)
    chance = torch.sigmoid(-1.5 + effect[group, item])
    reward = (torch.rand(len(item), generator=generator, dtype=F64) < chance).double()
    return level, CellRows.of(torch.ones(len(item), 1), group, item, groups, 5), reward


@pytest.mark.parametrize("deviation", [0.0, 0.5])
def test_two_rounds_a_cell_are_enough(deviation: float) -> None:
    level, rows, reward = cells(deviation, each=2)
    found = around_the_mean(level, rows, reward)
    assert float(found.error) < 0.06
    assert float(found.value) == pytest.approx(deviation**2, abs=3 * float(found.error))
    assert float(found.groups) == pytest.approx(3000)


@pytest.mark.parametrize("deviation", [0.0, 0.4])
def test_errors_are_right(deviation: float) -> None:
    """Of 200 logs about 5 % lie further from the truth than two errors."""
    far = 0
    for seed in range(200):
        found = around_the_mean(*cells(deviation, each=4, groups=120, seed=seed))
        far += abs(float(found.value) - deviation**2) > 2.0 * float(found.error)
    assert 0.01 <= far / 200 <= 0.1


def around_the_mean(level: Level, rows: CellRows, reward: torch.Tensor) -> MomentVariances:
    share = reward.mean()
    curvature = torch.full_like(reward, float(share * (1 - share)))
    return moment_variances(level, rows, torch.zeros(5, 1, dtype=F64), reward - share, curvature)


@pytest.mark.parametrize("sizes", [[400], [400, 400], [2000, *[2] * 39]], ids=["one", "two", "one giant"])
def test_a_few_groups_raise_nothing(sizes: list[int]) -> None:
    """A log of one item, 30 % everywhere, in few of 40 groups or nearly all in one."""
    generator = torch.Generator().manual_seed(5)
    groups = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    reward = (torch.rand(len(groups), generator=generator) < 0.3).double()
    level = Level((Block("item", "one"),), torch.zeros(1, dtype=torch.int64), torch.full((1, 1), -1), 40)
    rows = CellRows.of(torch.ones(len(groups), 1), groups, torch.zeros_like(groups), 40, 1)
    found = moment_variances(
        level, rows, torch.zeros(1, 1, dtype=F64), reward - 0.5, torch.full_like(reward, 0.25)
    )
    assert float(found.groups) < FEWEST_GROUPS
    assert float(found.value) > 0.05  # residuals that are off by .2 in all groups alike
    fitted = fitted_to(level, rows, reward)
    assert float(fitted.variances[0]) <= START


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_where_nothing_or_everything_succeeds_groups_do_not_differ(outcome: float) -> None:
    level, rows, reward = cells(0.0, each=4, groups=100)
    fitted = fitted_to(level, rows, torch.full_like(reward, outcome))
    assert float(fitted.variances[0]) <= START


def test_a_fit_believes_in_differences_that_each_cell_alone_hardly_shows() -> None:
    """Around the posterior mode alone it would find .32 in place of 1."""
    fitted = fitted_to(*cells(1.0, each=2))
    assert 0.75 <= float(fitted.variances[0].sqrt()) <= 1.1


def test_a_fit_follows_no_cell_where_none_differs() -> None:
    """The variance has hardly moved from its start, and makes no more than this of two rounds."""
    fitted = fitted_to(*cells(0.0, each=2))
    assert float(fitted.coefficients[0].item.abs().max()) < 0.1


def fitted_to(level: Level, rows: CellRows, reward: torch.Tensor) -> Fitted:
    return fit_mixed_model(
        [LevelRows(level, rows)],
        torch.zeros(rows.n_items, 1, dtype=F64),
        reward,
        is_binary=True,
        settings=FitSettings(),
    )


def test_a_group_of_one_round_says_nothing() -> None:
    level = Level((Block("item", "one"),), torch.zeros(1, dtype=torch.int64), torch.full((1, 1), -1), 3)
    alone = CellRows.of(torch.ones(3, 1), torch.arange(3), torch.zeros(3, dtype=torch.int64), 3, 1)
    found = moment_variances(level, alone, torch.zeros(1, 1, dtype=F64), torch.ones(3), torch.ones(3))
    assert found.value.tolist() == [0.0]
    assert found.error.tolist() == [0.0]
