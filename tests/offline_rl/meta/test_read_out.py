from pathlib import Path

import torch

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.read_out import choose_temperature
from offline_rl.reward_model import fit_reward_model
from tests.laws.learners import load_world, log_rounds, make_world


def logged(folder: Path, seed: int) -> LoggedRounds:
    world = make_world(segments=4, items=8, click_rate=0.1, heterogeneity=0, shared=1.0, logging_tilt=0)
    return load_world(folder, log_rounds(world, 600, seed)).rounds


def test_a_model_that_knows_is_followed_greedily(tmp_path: Path) -> None:
    model = fit_reward_model(logged(tmp_path, 0), penalties=(30.0,))
    assert choose_temperature(model, logged(tmp_path, 1)) <= 0.25


def test_a_model_that_errs_is_not_followed(tmp_path: Path) -> None:
    """Fitted on the opposite of what happens, its every preference is wrong."""
    rounds = logged(tmp_path, 0)
    opposite = LoggedRounds(**{**vars(rounds), "reward": 1.0 - rounds.reward})
    model = fit_reward_model(opposite, penalties=(30.0,))
    assert choose_temperature(model, logged(tmp_path, 1)) == 1.0


def test_without_rounds_to_evaluate_on_it_stays_soft(tmp_path: Path) -> None:
    rounds = logged(tmp_path, 0)
    nothing = rounds.select(torch.zeros(rounds.n, dtype=torch.bool))
    assert choose_temperature(fit_reward_model(rounds, penalties=(30.0,)), nothing) == 1.0
