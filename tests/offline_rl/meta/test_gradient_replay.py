"""Prioritized replay: what is drawn how often, and that the mean over draws is the mean over the log."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.cross_fitting import cross_fitted_rewards, held_out_folds
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.reinforce import Reinforce, pooled_gradient
from offline_rl.meta.replay import Replay
from offline_rl.meta.segment_objective import Kind
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.task_batches import pad_tasks
from offline_rl.meta.warm_start import WarmStart
from tests.laws.learners import load_world, log_rounds, make_world

QUICK = LearningSettings(max_steps=10, patience=2, hidden=4, rows_per_task=32, tasks_per_step=4)
KINDS: tuple[Kind, ...] = (
    "importance_weighted",
    "implicit_exploration",
    "self_normalized",
    "doubly_robust",
)

Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> WarmStart:
    world = make_world(segments=6, items=5, features=3, contexts=2, click_rate=0.3)
    return SharedFits(
        load_world(tmp_path_factory.mktemp("replay"), log_rounds(world, 60)), QUICK, 0
    ).warm_start


@pytest.fixture(scope="module")
def few(start: WarmStart) -> LoggedRounds:
    """Thirty rounds in float64, in sessions of one to five rounds that lie scattered in the log."""
    rounds = start.training.select(torch.arange(30)).to("cpu", torch.float64)
    cluster = torch.tensor([7, 3, 3, 9, 9, 9, 1, 1, 1, 1, 5, 5, 5, 5, 5] * 2)
    return LoggedRounds(**{**vars(rounds), "cluster": cluster})


def surprise(rounds: LoggedRounds) -> Tensor:
    return rounds.reward - 0.2


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_over_all_draws_the_expected_gradient_is_that_of_the_whole_log(
    alpha: float, start: WarmStart, few: LoggedRounds
) -> None:
    """E over P of the gradient of one drawn session, summed over all sessions exactly: no sampling error."""
    objective = start.objective("importance_weighted", QUICK)
    params = {name: value.double() for name, value in start.parameters().items()}
    replay = Replay.of(few.cluster, surprise(few), alpha=alpha)
    value, full = pooled_gradient(objective.loss, params, pad_tasks(few, [torch.arange(few.n)]))
    expected_value, expected = 0.0, {name: torch.zeros_like(tensor) for name, tensor in params.items()}
    for session, probability in enumerate(replay.probability.tolist()):
        drawn, gradient = pooled_gradient(
            objective.loss, params, replay.batch_of(few, torch.tensor([session]))
        )
        expected_value += probability * drawn
        expected = {name: expected[name] + probability * gradient[name] for name in expected}
    assert expected_value == pytest.approx(value, rel=1e-10)
    for name in full:
        torch.testing.assert_close(expected[name], full[name], rtol=0, atol=1e-10)


def test_several_draws_are_the_mean_of_single_ones(start: WarmStart, few: LoggedRounds) -> None:
    objective = start.objective("importance_weighted", QUICK)
    params = {name: value.double() for name, value in start.parameters().items()}
    replay = Replay.of(few.cluster, surprise(few), alpha=0.6)
    draws = torch.tensor([4, 0, 4, 2])
    _, together = pooled_gradient(objective.loss, params, replay.batch_of(few, draws))
    alone = [
        pooled_gradient(objective.loss, params, replay.batch_of(few, draw))[1] for draw in draws.split(1)
    ]
    for name, gradient in together.items():
        torch.testing.assert_close(
            gradient, torch.stack([one[name] for one in alone]).mean(0), rtol=0, atol=1e-12
        )


def test_sessions_are_drawn_whole_and_as_often_as_they_surprise(few: LoggedRounds) -> None:
    replay = Replay.of(few.cluster, surprise(few), alpha=1.0)
    sizes = dict(zip(torch.unique(few.cluster).tolist(), replay.size.tolist(), strict=True))
    assert sizes == {1: 8, 3: 4, 5: 10, 7: 2, 9: 6}
    for session, cluster in enumerate(sizes):
        batch = replay.batch_of(few, torch.tensor([session]))
        assert torch.equal(batch["reward"][0], few.reward[few.cluster == cluster])
    priority = torch.tensor(
        [float(surprise(few)[few.cluster == cluster].abs().sum()) for cluster in sizes], dtype=torch.float64
    )
    torch.testing.assert_close(
        replay.probability, (priority + 0.1 * priority.mean()) / (1.1 * priority.sum())
    )
    drawn = replay.sample(few, 4000, torch.Generator().manual_seed(0))
    assert 3000 < drawn["reward"].shape[1] < 5000
    assert float(drawn["mask"].mean()) == pytest.approx(1.0, abs=0.1)


def test_nothing_surprising_and_no_priority_draw_sessions_alike(few: LoggedRounds) -> None:
    for replay in (
        Replay.of(few.cluster, torch.zeros(30), alpha=0.6),
        Replay.of(few.cluster, surprise(few), alpha=0.0),
    ):
        torch.testing.assert_close(replay.probability, torch.full((5,), 0.2, dtype=torch.float64))


def test_without_correction_every_drawn_session_counts_alike(few: LoggedRounds) -> None:
    replay = Replay.of(few.cluster, surprise(few), alpha=1.0, beta=0.0)
    mask = replay.batch_of(few, torch.tensor([0, 3]))["mask"]
    assert float(mask.min()) == float(mask.max()) > 0.0


def test_priorities_lower_the_variance_where_few_sessions_earn(start: WarmStart) -> None:
    """One session in 50 has a reward: drawn by surprise, the mean reward is known far better."""
    log = start.training
    cluster = torch.arange(log.n)
    reward = (cluster % 50 == 0).to(log.reward)
    rounds = LoggedRounds(**{**vars(log), "cluster": cluster, "reward": reward})

    def spread(alpha: float) -> float:
        replay = Replay.of(cluster, reward - reward.mean(), alpha=alpha)
        generator = torch.Generator().manual_seed(0)
        means = [
            (batch["mask"] * batch["reward"]).mean()
            for batch in (replay.sample(rounds, 50, generator) for _ in range(200))
        ]
        assert float(torch.stack(means).mean()) == pytest.approx(float(reward.mean()), rel=0.2)
        return float(torch.stack(means).std())

    assert spread(0.6) < 0.5 * spread(0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_objective_learns_a_finite_policy(kind: Kind, tmp_path: Path) -> None:
    tasks = load_world(tmp_path, log_rounds(make_world(segments=6, items=5, click_rate=0.2), 100))
    policy = Reinforce(kind=kind).meta_train(SharedFits(tasks, QUICK, 0))
    assert not policy.adapts
    assert policy.objective.kind == kind
    assert len(policy.curve) > 1
    assert all(bool(torch.isfinite(tensor).all()) for tensor in policy.numbers().values())
    assert not any(note.code == "diverged" for note in policy.notes)


def test_cross_fitted_rewards_have_not_seen_their_segment(start: WarmStart) -> None:
    """Turning a segment's rewards around changes predictions elsewhere, and nothing in its own fold."""
    log = start.training
    own = log.segment == log.segment[0]
    changed = LoggedRounds(**{**vars(log), "reward": torch.where(own, 1.0 - log.reward, log.reward)})
    fold = next(mask for mask, _ in held_out_folds(log, start.model, seed=0) if bool(mask[0]))
    first, second = (cross_fitted_rewards(rounds, start.model, seed=0) for rounds in (log, changed))
    assert first.shape == (log.n, log.n_actions)
    assert bool(fold[own].all())
    assert torch.equal(first[fold], second[fold])
    assert float((first[~fold] - second[~fold]).abs().min()) > 0.0


def test_a_single_segment_is_predicted_by_the_model_itself(start: WarmStart) -> None:
    alone = start.training.select(start.training.segment == start.training.segment[0])
    expected = start.model.predict(alone.context, alone.slot, alone.item_features)
    assert torch.equal(cross_fitted_rewards(alone, start.model, seed=0), expected)
