"""The outer loop: when it stops, which step it keeps, and that nothing which isn't finite leaves it."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor

from offline_rl.artifacts import load_policy, save_policy
from offline_rl.logged_data import Tasks
from offline_rl.meta.convergence import Checkpoint
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.inner_step import HEAD, InnerStep
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.outer_loop import RATE_SPEED, Direction, descend
from offline_rl.meta.policy_validation import validation_tasks
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.step_length import validated_step
from offline_rl.meta.validation import Validation
from offline_rl.meta.warm_start import WarmStart
from offline_rl.policies.policy import Policy
from tests.laws.learners import load_world, log_rounds, opposite_world

QUICK = LearningSettings(max_steps=20, patience=2, hidden=4, rows_per_task=64, evaluate_every=5)
Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Tasks:
    return load_world(tmp_path_factory.mktemp("outer"), log_rounds(opposite_world(), 200))


@pytest.fixture(scope="module")
def start(tasks: Tasks) -> WarmStart:
    return SharedFits(tasks, QUICK, 0).warm_start


@pytest.fixture(scope="module")
def learned(tasks: Tasks) -> GradientMetaPolicy:
    both = Maml("maml_rates", learned_rates=True, learned_shrinkage=True)
    return both.meta_train(SharedFits(tasks, replace(QUICK, max_steps=10), 0))


def loop(
    start: WarmStart, direction: Direction, settings: LearningSettings = QUICK, *, inner_steps: int = 2
) -> GradientMetaPolicy:
    return descend(
        "tried",
        start,
        start.objective("reward_likelihood", settings),
        direction,
        settings=settings,
        seed=0,
        inner_steps=inner_steps,
        progress=None,
    )


def towards(change: Callable[[int], float], name: str = "item_linear") -> Direction:
    """A direction that is the same number in every element of one tensor, step by step."""
    steps = iter(range(1, 1000))

    def direction(params: Tensors, generator: torch.Generator) -> tuple[float, Tensors]:
        number = change(next(steps))
        return number, {key: torch.full_like(value, number * (key == name)) for key, value in params.items()}

    return direction


def is_finite(policy: GradientMetaPolicy) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in policy.numbers().values())


def chances(policy: Policy, tasks: Tasks) -> Tensor:
    rounds = tasks.window("holdout")
    return policy.action_probabilities(
        rounds.context, rounds.slot, rounds.item_features, rounds.availability()
    )


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_ends_training_with_the_best_look_so_far(
    broken: float, start: WarmStart
) -> None:
    policy = loop(start, towards(lambda step: broken if step == 8 else 0.5))
    assert (policy.notes[0].code, policy.notes[0].subject) == ("diverged", "tried")
    assert {name: policy.notes[0].numbers[name] for name in ("step", "kept_step", "outer_lr")} == {
        "step": 8,
        "kept_step": 0,
        "outer_lr": 0.005,
    }
    assert [point.step for point in policy.curve] == [0, 5]
    assert is_finite(policy)


def test_a_gradient_that_is_not_finite_never_reaches_the_parameters(start: WarmStart) -> None:
    def direction(params: Tensors, generator: torch.Generator) -> tuple[float, Tensors]:
        return 0.5, {key: torch.full_like(value, torch.nan) for key, value in params.items()}

    policy = loop(start, direction)
    assert (policy.notes[0].code, policy.notes[0].numbers["step"]) == ("diverged", 1)
    assert torch.equal(policy.parameters["item_linear"], start.model.parameters["item_linear"])


def test_parameters_that_overflow_are_not_a_checkpoint(start: WarmStart) -> None:
    settings = replace(QUICK, outer_lr=float("inf"))
    policy = loop(start, towards(lambda step: 1.0), settings, inner_steps=0)
    assert (policy.notes[0].code, policy.notes[0].numbers["step"]) == ("diverged", 5)
    assert len(policy.curve) == 1
    assert is_finite(policy)


def test_a_learner_that_diverges_still_returns_a_policy(tasks: Tasks, start: WarmStart) -> None:
    policy = Maml().meta_train(SharedFits(tasks, replace(QUICK, outer_lr=float("inf")), 0))
    assert ("diverged", "maml", 2) in {
        (note.code, note.subject, note.numbers.get("step")) for note in policy.notes
    }
    assert is_finite(policy)
    assert bool(torch.isfinite(chances(policy.adapt(tasks.window("training", [0])), tasks)).all())


def test_inner_steps_that_overflow_are_switched_off(start: WarmStart) -> None:
    policy = loop(start, towards(lambda step: 0.0), replace(QUICK, inner_lr=1e38))
    assert policy.inner_steps == 0
    assert policy.longest_move == 0.0
    assert "adaptation_off" in {note.code for note in policy.notes}
    assert policy.validation_gain == 0.0


def test_a_step_that_overflows_is_never_the_validated_one(start: WarmStart) -> None:
    checkpoint = start.validation.measure(
        0, start.model.parameters, start.objective("reward_likelihood", QUICK), 0.1, 1
    )

    class Overflowing:
        cluster = start.validation.cluster

        @staticmethod
        def measure(
            step: int, params: Tensors, objective: object, inner_lr: float, inner_steps: int
        ) -> Checkpoint:
            gain = {1.0: torch.nan, 0.5: 0.1, 0.25: 0.2, 0.125: -0.1}[inner_lr]
            return replace(checkpoint, adapted=checkpoint.zero_shot + gain)

    seen = replace(start, validation=cast("Validation", Overflowing))
    objective = start.objective("reward_likelihood", QUICK)
    assert validated_step(seen, objective, QUICK, InnerStep(1.0, 1)).inner_lr == 0.25


def test_the_best_step_is_restored_when_later_ones_are_worse(start: WarmStart) -> None:
    """The level starts 2 too low and rises by 0.1 a step: right after 20 steps, far too high in the end."""
    low = {**start.model.parameters, "level": start.model.parameters["level"] - 2.0}
    lowered = replace(start, model=replace(start.model, parameters=low))
    settings = replace(QUICK, outer_lr=0.1, max_steps=10_000, patience=6, gradient_norm=1e9)
    policy = loop(lowered, towards(lambda step: -1.0, "level"), settings, inner_steps=0)
    stopped = policy.curve[-1].step
    reached = float(policy.parameters["level"] - low["level"])
    kept = round(reached / 0.1)
    assert kept == pytest.approx(20, abs=settings.evaluate_every)
    assert kept % settings.evaluate_every == 0
    assert stopped == kept + settings.patience * settings.evaluate_every
    assert "start_kept" not in {note.code for note in policy.notes}


def test_a_start_that_nothing_beats_is_kept_and_the_notes_say_so(start: WarmStart) -> None:
    settings = replace(QUICK, outer_lr=0.5, max_steps=40, patience=4)
    policy = loop(start, towards(lambda step: 1.0, "level"), settings, inner_steps=0)
    assert torch.equal(policy.parameters["level"], start.model.parameters["level"])
    assert "start_kept" in {note.code for note in policy.notes}
    assert policy.curve[-1].step == 5 * settings.patience


def test_a_gradient_that_has_vanished_ends_training(start: WarmStart) -> None:
    settings = replace(QUICK, max_steps=200, patience=100, evaluate_every=10)
    policy = loop(start, towards(lambda step: 1.0 if step == 1 else 0.0), settings, inner_steps=0)
    # 0.7^20 = 0.0008 is the first smoothed norm below a thousandth that a checkpoint sees, after 21 steps
    assert policy.curve[-1].step == 30


def test_rates_are_restored_from_the_same_step_as_the_network(start: WarmStart) -> None:
    """All rates fall all the time, by a share that Adam and RATE_SPEED give; the level rises to its best."""
    low = {**start.model.parameters, "level": start.model.parameters["level"] - 2.0}
    lowered = replace(start, model=replace(start.model, parameters=low))
    settings = replace(QUICK, outer_lr=0.005, max_steps=10_000, patience=6, gradient_norm=1e9)

    def direction(params: Tensors, generator: torch.Generator) -> tuple[float, Tensors]:
        return 1.0, {
            key: torch.full_like(value, 0.0 if key in network else 1.0) for key, value in params.items()
        }

    network = set(start.model.parameters)
    step = InnerStep(0.5, 2, learns_rates=True)
    policy = descend(
        "tried",
        lowered,
        start.objective("reward_likelihood", settings),
        direction,
        settings=settings,
        seed=0,
        inner_steps=2,
        progress=None,
        inner_step=step,
    )
    kept = policy.curve[-1].step - settings.patience * settings.evaluate_every
    expected = 0.5 * math.exp(-RATE_SPEED * settings.outer_lr * kept)
    for rate in policy.rates.values():
        torch.testing.assert_close(rate, torch.full((2,), expected), rtol=1e-2, atol=0)


def test_rates_and_kappa_are_learned_with_the_network(learned: GradientMetaPolicy, start: WarmStart) -> None:
    assert set(learned.rates) == set(learned.parameters) == set(start.model.parameters)
    assert all(rate.shape == (QUICK.inner_steps,) for rate in learned.rates.values())
    assert not torch.equal(learned.parameters["level"], start.model.parameters["level"])
    assert any(float((rate - rate[0]).abs().max()) > 0.0 for rate in learned.rates.values())
    assert learned.objective.shrinkage != QUICK.shrinkage


@pytest.mark.parametrize("learner", [Maml("anil", head_only=True), Maml("anil_rates", False, True, True)])
def test_a_head_only_policy_moves_the_head_only(learner: Maml, tasks: Tasks) -> None:
    policy = learner.meta_train(SharedFits(tasks, replace(QUICK, max_steps=5), 0))
    served = policy.adapt(tasks.window("training", [0]))
    moved = {
        name for name, value in policy.parameters.items() if not torch.equal(value, served.parameters[name])
    }
    assert moved <= set(HEAD)
    assert "item_linear" in moved
    assert set(policy.rates) == set(HEAD)


def test_rates_and_kappa_are_stored_and_come_back(
    learned: GradientMetaPolicy, tasks: Tasks, tmp_path: Path
) -> None:
    loaded = load_policy(save_policy(learned, tmp_path))
    assert isinstance(loaded, GradientMetaPolicy)
    assert loaded.objective == learned.objective
    assert loaded.longest_move == learned.longest_move is not None
    assert loaded.parameters.keys() == learned.parameters.keys()
    assert all(torch.equal(loaded.rates[name], rate) for name, rate in learned.rates.items())
    support = tasks.window("training", [1])
    assert torch.equal(chances(loaded.adapt(support), tasks), chances(learned.adapt(support), tasks))


def test_rates_decide_how_far_a_segment_moves(learned: GradientMetaPolicy, tasks: Tasks) -> None:
    support = tasks.window("training", [1])
    still = replace(learned, rates={name: 0.0 * rate for name, rate in learned.rates.items()})
    assert torch.equal(chances(still.adapt(support), tasks), chances(learned.zero_shot(), tasks))
    assert not torch.equal(chances(learned.adapt(support), tasks), chances(learned.zero_shot(), tasks))


def distance(policy: GradientMetaPolicy, served: Policy) -> float:
    squares = [
        (value - served.parameters[name]).square().sum()  # type: ignore[attr-defined]
        for name, value in policy.parameters.items()
    ]
    return float(torch.stack(squares).sum().sqrt())


def test_no_segment_moves_further_than_twice_what_validation_has_seen(
    learned: GradientMetaPolicy, tasks: Tasks
) -> None:
    assert learned.longest_move is not None
    seen = validation_tasks(SharedFits(tasks, QUICK, 0).warm_start)
    moves = [distance(learned, learned.adapt(task.support)) for task in seen]
    assert learned.longest_move == pytest.approx(2.0 * max(moves), rel=1e-4)
    short = replace(learned, longest_move=0.5 * max(moves))
    for segment in range(tasks.n_segments):
        move = distance(short, short.adapt(tasks.window("training", [segment])))
        assert move <= 0.5 * max(moves) * (1 + 1e-5)


def test_a_support_that_leads_nowhere_finite_is_refused_in_a_sentence(
    learned: GradientMetaPolicy, tasks: Tasks
) -> None:
    support = tasks.window("training", [1])
    endless = replace(support, reward=support.reward + torch.inf)
    assert learned.refusal(support) is None
    assert "aren't finite" in (learned.refusal(endless) or "")
    assert torch.equal(chances(learned.adapt(endless), tasks), chances(learned.zero_shot(), tasks))
    unknown = replace(support, context=torch.full_like(support.context, torch.nan))
    assert "effective sample size" in (learned.refusal(unknown) or "")
    assert torch.equal(chances(learned.adapt(unknown), tasks), chances(learned.zero_shot(), tasks))


def test_a_support_without_evidence_falls_back_to_zero_shot(
    learned: GradientMetaPolicy, tasks: Tasks
) -> None:
    """ESS = (sum rho)^2 / sum rho^2: one row with a tiny propensity outweighs all others."""
    support = tasks.window("training", [1])
    propensity = support.propensity.clone()
    propensity[0] = 1e-6
    lopsided = replace(support, propensity=propensity)
    assert "effective sample size is 1.0" in (learned.refusal(lopsided) or "")
    assert torch.equal(chances(learned.adapt(lopsided), tasks), chances(learned.zero_shot(), tasks))
