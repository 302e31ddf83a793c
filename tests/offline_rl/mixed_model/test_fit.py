"""The fit against what can be worked out: normal equations, a plain logistic regression, a known variance."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from offline_rl.mixed_model.fit import FitSettings, LevelRows, base_score, fit_mixed_model
from offline_rl.mixed_model.level import Block, CellRows, Coefficients, Level

F64 = torch.float64


def of_items_alone(groups: int, items: int) -> Level:
    """Each item of each group has one coefficient of its own."""
    nothing = torch.full((1, 1), -1)
    return Level((Block("item", "one"),), torch.zeros(1, dtype=torch.int64), nothing, groups)


def rows_of(group: torch.Tensor, item: torch.Tensor, groups: int, items: int) -> CellRows:
    return CellRows.of(torch.ones(len(item), 1), group, item, groups, items)


def test_two_items_by_hand() -> None:
    """Rewards 1, 1 of item 0 and 0 of item 1, noise 1: w = n (mean - base) / (n + 1 / v), v = 1."""
    item = torch.tensor([0, 0, 1])
    fitted = fit_mixed_model(
        [LevelRows(of_items_alone(1, 2), rows_of(torch.zeros_like(item), item, 1, 2))],
        torch.zeros(2, 1, dtype=F64),
        torch.tensor([1.0, 1.0, 0.0]),
        is_binary=False,
        settings=FitSettings(rounds=0),
        variances=[torch.ones(1, dtype=F64)],
        offset=torch.zeros(3),
        noise=1.0,
    )
    assert fitted.coefficients[0].item.flatten().tolist() == pytest.approx([2 / 3, 0.0])


def test_the_mode_is_that_of_a_ridge_logistic_regression() -> None:
    random = np.random.default_rng(0)
    n, columns = 400, 3
    x = random.normal(size=(n, columns))
    y = (random.random(n) < 1 / (1 + np.exp(-x @ [1.0, -0.5, 0.2]))).astype(float)
    level = Level(
        (Block("item", "x"),), torch.zeros(columns, dtype=torch.int64), torch.full((1, columns), -1), 1
    )
    item = torch.zeros(n, dtype=torch.int64)
    fitted = fit_mixed_model(
        [LevelRows(level, CellRows.of(torch.from_numpy(x), item, item, 1, 1))],
        torch.zeros(1, 1, dtype=F64),
        torch.from_numpy(y),
        is_binary=True,
        settings=FitSettings(rounds=0, settling=12),
        variances=[torch.full((1,), 0.5, dtype=F64)],
        offset=torch.zeros(n),
    )
    plain = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=1000).fit(x, y)
    np.testing.assert_allclose(fitted.coefficients[0].item[0, 0], plain.coef_[0], atol=1e-5)


@pytest.mark.parametrize("deviation", [0.0, 0.3, 0.6])
def test_how_much_segments_differ_is_found(deviation: float) -> None:
    """200 segments x 10 items, 60 rounds each: the log says it to a tenth."""
    generator = torch.Generator().manual_seed(1)
    groups, items, each = 200, 10, 60
    effect = deviation * torch.randn(groups, items, generator=generator, dtype=F64)
    group = torch.arange(groups).repeat_interleave(items * each)
    item = torch.arange(items).repeat_interleave(each).repeat(groups)
    chance = torch.sigmoid(-1.5 + effect[group, item])
    reward = (torch.rand(len(item), generator=generator, dtype=F64) < chance).double()
    fitted = fit_mixed_model(
        [LevelRows(of_items_alone(groups, items), rows_of(group, item, groups, items))],
        torch.zeros(items, 1, dtype=F64),
        reward,
        is_binary=True,
        settings=FitSettings(rounds=30),
    )
    assert float(fitted.variances[0][0].sqrt()) == pytest.approx(deviation, abs=0.06)


def test_rewards_that_are_amounts_have_a_noise_of_their_own() -> None:
    generator = torch.Generator().manual_seed(0)
    item = torch.randint(4, (8000,), generator=generator)
    mean = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=F64)
    reward = mean[item] + 0.5 * torch.randn(8000, generator=generator, dtype=F64)
    fitted = fit_mixed_model(
        [LevelRows(of_items_alone(1, 4), rows_of(torch.zeros_like(item), item, 1, 4))],
        torch.zeros(4, 1, dtype=F64),
        reward,
        is_binary=False,
        settings=FitSettings(),
    )
    assert fitted.noise == pytest.approx(0.25, abs=0.02)
    np.testing.assert_allclose(fitted.base + fitted.coefficients[0].item.flatten(), mean, atol=0.05)


def test_no_rounds_are_refused() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    with pytest.raises(ValueError, match="no rounds"):
        fit_mixed_model(
            [LevelRows(of_items_alone(1, 1), rows_of(nothing, nothing, 1, 1))],
            torch.zeros(1, 1, dtype=F64),
            torch.zeros(0),
            is_binary=True,
            settings=FitSettings(),
        )


@pytest.mark.parametrize("fewest", [0, 10_000], ids=["a product for each cell", "scattered"])
def test_sums_by_cell_are_those_of_a_loop(fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offline_rl.mixed_model.level.WORTH_A_CELL", fewest)
    monkeypatch.setattr("offline_rl.mixed_model.level._NUMBERS_AT_ONCE", 60)
    generator = torch.Generator().manual_seed(2)
    n, groups, items, size = 50, 3, 4, 2
    columns = torch.randn(n, size, generator=generator, dtype=F64)
    group, item = (torch.randint(most, (n,), generator=generator) for most in (groups, items))
    weight = torch.rand(n, generator=generator, dtype=F64)
    rows = CellRows.of(columns, group, item, groups, items)
    coefficients = torch.randn(groups, items, size, generator=generator, dtype=F64)
    gram, moments = rows.gram(weight), rows.moments(weight)
    for g in range(groups):
        for a in range(items):
            own = (group == g) & (item == a)
            torch.testing.assert_close(gram[g, a], columns[own].T @ (weight[own, None] * columns[own]))
            torch.testing.assert_close(moments[g, a], weight[own] @ columns[own])
    torch.testing.assert_close(rows.scores(coefficients), (columns * coefficients[group, item]).sum(1))
    constant = CellRows.of(columns[:, :1], group, item, groups, items)
    torch.testing.assert_close(constant.gram(weight), gram[..., :1, :1])
    torch.testing.assert_close(constant.moments(weight), moments[..., :1])
    torch.testing.assert_close(
        constant.scores(coefficients[..., :1]), columns[:, 0] * coefficients[group, item, 0]
    )


def test_coefficients_of_features_add_to_those_of_items() -> None:
    own = Coefficients(torch.ones(1, 2, 1, dtype=F64), torch.tensor([[[3.0]]], dtype=F64))
    of_items = own.of_items(torch.tensor([[0.0], [2.0]], dtype=F64))
    assert of_items.flatten().tolist() == [1.0, 7.0]


def test_a_log_without_clicks_has_a_base() -> None:
    assert base_score(torch.zeros(9), is_binary=True) == pytest.approx(np.log(0.05 / 0.95))
