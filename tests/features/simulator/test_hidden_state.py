"""The hidden state is guessed by what the project learns with: REINFORCE on one code, MAML across codes."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from torch import Tensor

from features.errors import UsageError
from features.simulator.hidden_state import Code, HiddenState
from offline_rl.meta.adaptation import adapt, differentiable
from offline_rl.meta.maml import meta_gradient
from offline_rl.meta.reinforce import pooled_gradient
from offline_rl.two_tower import with_task_dimension

EPISODES, STEPS = 100, 10
INNER = {"inner_lr": 1.0, "inner_steps": 3}

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Softmax:
    """Two actions, softmax of ±gain·weight·signal: two layers of one unit each, so that a gradient step on
    one goes as far as the other is large. `parameters`: gain and weight, each without task dimension."""

    parameters: dict[str, Tensor]

    @staticmethod
    def random(seed: int) -> "Softmax":
        values = 0.3 * torch.randn(2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        return Softmax({"gain": values[0].abs() + 0.1, "weight": values[1]})

    def act(self, signal: int, random: np.random.Generator) -> int:
        score = self.parameters["gain"] * self.parameters["weight"] * (2 * signal - 1)
        return int(random.random() < float(torch.sigmoid(score)))


def loss(parameters: dict[str, Tensor], batch: Batch) -> Tensor:
    """Minus the importance-weighted reward of each task."""
    score = (parameters["gain"] * parameters["weight"]).unsqueeze(-1) * (2 * batch["signal"] - 1)
    probability = torch.sigmoid(torch.where(batch["action"] == 1, score, -score))
    return -(batch["reward"] * probability / batch["propensity"]).mean(-1)


def play(code: Code, episodes: int, seed: int) -> Batch:
    """Log episodes of an environment under uniform actions, [1 task, episodes x steps]."""
    environment, random = HiddenState(code), np.random.default_rng(seed)
    rows: dict[str, list[float]] = {"signal": [], "action": [], "reward": [], "propensity": []}
    for episode in range(episodes):
        signal, _ = environment.reset(seed=1000 * seed + episode)
        over = False
        while not over:
            action = random.integers(2)
            following, reward, over, _, _ = environment.step(action)
            for name, value in zip(rows, (signal, action, reward, 0.5), strict=True):
                rows[name].append(float(value))
            signal = following
    return {name: torch.tensor([values], dtype=torch.float64) for name, values in rows.items()}


def together(*tasks: Batch) -> Batch:
    return {name: torch.cat([task[name] for task in tasks]) for name in tasks[0]}


def right_guesses(policy: Softmax, code: Code, seed: int) -> int:
    """Steps of one fresh episode in which the guess was right."""
    environment, random = HiddenState(code), np.random.default_rng(seed)
    signal, _ = environment.reset(seed=90_000 + seed)
    right, over = 0, False
    while not over:
        signal, reward, over, _, _ = environment.step(np.int64(policy.act(int(signal), random)))
        right += reward > 0
    return right


def adapted(policy: Softmax, code: Code, seed: int) -> Softmax:
    """The policy after its inner steps on one logged episode of the code."""
    support = play(code, 1, seed)
    one_task = with_task_dimension(differentiable(policy.parameters), 1)
    after = adapt(loss, one_task, support, create_graph=False, **INNER)
    return Softmax({name: value[0].detach() for name, value in after.items()})


@pytest.mark.parametrize("code", ["plain", "swapped"])
def test_gymnasium_finds_nothing_wrong(code: Code) -> None:
    check_env(HiddenState(code), skip_render_check=True)


@pytest.mark.parametrize("code", ["plain", "swapped"])
def test_the_reward_is_one_where_action_and_state_agree(code: Code) -> None:
    log = play(code, 20, seed=0)
    state = log["signal"] if code == "plain" else 1 - log["signal"]
    assert torch.equal(log["reward"], torch.where(log["action"] == state, 1.0, -1.0).double())
    assert log["signal"].shape == (1, 20 * STEPS)
    assert 0.3 < float(log["signal"].mean()) < 0.7


@pytest.mark.parametrize("seed", range(3))
def test_reinforce_solves_it_from_a_hundred_logged_episodes(seed: int) -> None:
    log, policy = play("plain", EPISODES, seed), Softmax.random(seed)
    for _ in range(200):
        _, gradient = pooled_gradient(loss, policy.parameters, log)
        policy = Softmax({name: value - gradient[name] for name, value in policy.parameters.items()})
    assert right_guesses(policy, "plain", seed) >= 9


@pytest.mark.parametrize("seed", range(3))
def test_maml_learns_to_infer_the_code_from_one_episode(seed: int) -> None:
    codes: tuple[Code, Code] = ("plain", "swapped")
    start = policy = Softmax.random(seed)
    for step in range(EPISODES // 2):  # each step plays an episode of both codes to adapt on
        support, query = (
            together(*(play(code, 1, seed=10_000 * part + 100 * seed + step) for code in codes))
            for part in (1, 2)
        )
        _, gradient = meta_gradient(loss, policy.parameters, support, query, **INNER)
        policy = Softmax({name: value - gradient[name] for name, value in policy.parameters.items()})
    for code in codes:
        assert right_guesses(adapted(policy, code, 50_000 + seed), code, seed) >= 9
    # neither the start's inner steps nor the trained start without them would do
    assert min(right_guesses(adapted(start, code, 50_000 + seed), code, seed) for code in codes) < 9
    assert min(right_guesses(policy, code, seed) for code in codes) < 9


def test_what_is_not_a_code_is_refused() -> None:
    with pytest.raises(UsageError, match="plain or swapped"):
        HiddenState("secret")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="1 or more"):
        HiddenState(steps=0)
