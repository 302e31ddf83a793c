"""The worked example of introductory texts, as a Gymnasium environment: guess the hidden state.

There are two states and two actions. The reward is +1 when the action equals the hidden state, else -1. An
episode has ten steps, and each step has a new state. The agent observes a signal: with the plain code the
state itself, with the swapped code the other one. With the plain code, this is the single task of the texts,
which any policy gradient solves. With an unknown code, signals alone have no information: the code has to be
inferred from the rewards of earlier steps. Then the codes are the tasks of a meta-learner.
"""

from typing import Any, Literal

import numpy as np

from features.errors import UsageError

try:
    import gymnasium
    from gymnasium import spaces
except ImportError as error:
    raise UsageError(
        "The hidden-state environment needs Gymnasium, which is not installed: pip install gymnasium."
    ) from error

Code = Literal["plain", "swapped"]


class HiddenState(gymnasium.Env[np.int64, np.int64]):
    """The guess of a hidden state. Observation: the signal, 0 or 1. Action: the guessed state, 0 or 1.

    code: the meaning of the signal. steps: length of an episode.
    Raises UsageError for an unknown code or no steps.
    """

    def __init__(self, code: Code = "plain", *, steps: int = 10) -> None:
        if code not in ("plain", "swapped") or steps < 1:
            raise UsageError(f"A code is plain or swapped and steps are 1 or more, not {code} and {steps}.")
        self.code = code
        self.steps = steps
        self.observation_space = spaces.Discrete(2)
        self.action_space = spaces.Discrete(2)

    def reset(
        self,
        *,
        seed: int | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.int64, dict[str, Any]]:
        """Start an episode with a new hidden state."""
        super().reset(seed=seed, options=options)
        self._step = 0
        return self._hide(), {}

    def step(self, action: np.int64) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        """Compare the guess with the state, and draw the next state."""
        reward = 1.0 if action == self._state else -1.0
        self._step += 1
        return self._hide(), reward, self._step >= self.steps, False, {}

    def _hide(self) -> np.int64:
        self._state = self.np_random.integers(2)
        return self._state if self.code == "plain" else 1 - self._state
