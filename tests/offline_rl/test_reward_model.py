from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from offline_rl.logged_data import LoggedRounds
from offline_rl.reward_model import fit_reward_model
from tests.laws.learners import World, load_world, log_rounds, make_world


def logged(folder: Path, world: World, rounds_per_segment: int, seed: int = 0) -> LoggedRounds:
    return load_world(folder, log_rounds(world, rounds_per_segment, seed)).rounds


def logged_predictions(model: object, rounds: LoggedRounds) -> torch.Tensor:
    q_hat = model.predict(rounds.context, rounds.slot, rounds.item_features)  # type: ignore[attr-defined]
    return q_hat.gather(-1, rounds.action.unsqueeze(-1)).squeeze(-1).double()


def test_forty_clicks_in_ten_thousand_rounds_teach_nothing_but_the_rate(tmp_path: Path) -> None:
    world = make_world(segments=10, items=30, contexts=12, click_rate=0.004, heterogeneity=0, shared=0)
    rounds = logged(tmp_path, world, 1000)
    assert 20 < float(rounds.reward.sum()) < 70
    q_hat = fit_reward_model(rounds).predict(rounds.context, rounds.slot, rounds.item_features)
    rate = float(rounds.reward.mean())
    assert float(q_hat.max()) < 1.25 * rate
    assert float(q_hat.min()) > 0.8 * rate


def test_it_finds_what_a_rich_log_shows_and_is_calibrated_on_new_rounds(tmp_path: Path) -> None:
    world = make_world(segments=6, items=12, click_rate=0.1, heterogeneity=0, shared=0.8)
    model = fit_reward_model(logged(tmp_path, world, 1000))
    fresh = logged(tmp_path, world, 1000, seed=1)
    truth = torch.from_numpy(
        world.click_probability(fresh.context.double().numpy(), fresh.slot.numpy(), fresh.segment.numpy())
    )
    q_hat = model.predict(fresh.context, fresh.slot, fresh.item_features).double()
    stacked = torch.stack([q_hat.logit().flatten(), truth.logit().flatten()])
    assert float(torch.corrcoef(stacked)[0, 1]) > 0.9
    predicted = logged_predictions(model, fresh)
    standard_error = float((fresh.reward - predicted).std()) / fresh.n**0.5
    assert abs(float((fresh.reward - predicted).mean())) < 4 * standard_error
    doubtful = predicted < predicted.median()
    assert float(fresh.reward[doubtful].mean()) < float(fresh.reward[~doubtful].mean())


def test_fitted_rewards_add_up_to_the_logged_ones(tmp_path: Path) -> None:
    rounds = logged(tmp_path, make_world(segments=4, items=8, click_rate=0.1), 500)
    model = fit_reward_model(rounds)
    assert float(logged_predictions(model, rounds).mean()) == pytest.approx(
        float(rounds.reward.mean()), rel=1e-3
    )


def test_real_rewards_are_fitted_in_their_own_units(tmp_path: Path) -> None:
    arrays = log_rounds(make_world(segments=4, items=6, features=2), 600)
    worth = 500.0 + 200.0 * arrays["item_features"][arrays["action"], 0]
    noise = 50.0 * np.random.default_rng(0).standard_normal(len(worth))
    rounds = load_world(tmp_path, {**arrays, "reward": worth + noise}).rounds
    model = fit_reward_model(rounds)
    assert not model.is_binary
    error = logged_predictions(model, rounds) - torch.from_numpy(worth)
    assert float(error.square().mean().sqrt()) < 15.0


def test_a_log_without_clicks_gives_a_small_constant(tmp_path: Path) -> None:
    rounds = logged(tmp_path, make_world(segments=2, items=5), 200)
    silent = LoggedRounds(**{**vars(rounds), "reward": torch.zeros_like(rounds.reward)})
    q_hat = fit_reward_model(silent).predict(silent.context, silent.slot, silent.item_features)
    assert 0.0 <= float(q_hat.min()) <= float(q_hat.max()) < 0.01


def test_equal_seeds_give_equal_models_and_order_does_not_matter_much(tmp_path: Path) -> None:
    rounds = logged(tmp_path, make_world(segments=3, items=8, click_rate=0.1), 400)
    quick = {"penalties": (10.0, 100.0), "seed": 3}
    first, again = (fit_reward_model(rounds, **quick) for _ in range(2))
    assert all(torch.equal(first.parameters[name], again.parameters[name]) for name in first.parameters)
    shuffled = rounds.select(torch.randperm(rounds.n, generator=torch.Generator().manual_seed(0)))
    permuted = fit_reward_model(shuffled, **quick)
    torch.testing.assert_close(
        logged_predictions(permuted, rounds), logged_predictions(first, rounds), atol=0.01, rtol=0.05
    )


def test_no_rounds_are_refused(tmp_path: Path) -> None:
    rounds = logged(tmp_path, make_world(segments=2, items=5), 10)
    with pytest.raises(ValueError, match="can't be fitted on no rounds"):
        fit_reward_model(rounds.select(torch.zeros(rounds.n, dtype=torch.bool)))


def test_on_an_offset_that_explains_everything_hardly_anything_is_left(tmp_path: Path) -> None:
    world = make_world(segments=6, items=12, click_rate=0.1, heterogeneity=0, shared=0.8)
    rounds = logged(tmp_path, world, 1000)
    truth = world.click_probability(
        rounds.context.double().numpy(), rounds.slot.numpy(), rounds.segment.numpy()
    )
    known = torch.from_numpy(truth).logit()
    left = fit_reward_model(replace(rounds, offset=known.float()))
    q_hat = left.expected_rewards(replace(rounds, offset=known))
    assert float((q_hat.double().logit() - known).abs().max()) < 0.1
    # On an offset that is too low everywhere, the level is what is left.
    lower = fit_reward_model(replace(rounds, offset=known.float() - 1.0))
    assert float(lower.parameters["level"]) == pytest.approx(1.0, abs=0.1)
