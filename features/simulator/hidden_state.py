"""The worked example of introductory texts, as a Gymnasium environment: guess the hidden state.

There are two states and two actions. The reward is +1 when the action equals the hidden state, else -1. An
episode has ten steps, each with a state of its own. Whoever acts sees a signal: with the plain code the state
itself, with the swapped code the other one. Known to be plain, this is the texts' single task, solved by any
policy gradient. With the code unknown, signals alone say nothing: the code has to be inferred from the
rewards of earlier steps. Codes are then the tasks of a meta-learner.
"""

from typing import Any, Literal

import numpy as np

from features.errors import UsageError

try:
    import gymnasium
    from gymnasium import spaces
except ImportError as error:
    raise UsageError(
        "The hidden state can be guessed only with Gymnasium, which isn't installed: pip install gymnasium."
    ) from error

Code = Literal["plain", "swapped"]


class HiddenState(gymnasium.Env[np.int64, np.int64]):
    """Observation: the signal, 0 or 1. Action: the guessed state, 0 or 1.

    code: what the signal means. steps: length of an episode.
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
        """Hide the first state."""
        super().reset(seed=seed, options=options)
        self._step = 0
        return self._hide(), {}

    def step(self, action: np.int64) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        """Compare the guess with the state and hide the next one."""
        reward = 1.0 if action == self._state else -1.0
        self._step += 1
        return self._hide(), reward, self._step >= self.steps, False, {}

    def _hide(self) -> np.int64:
        self._state = self.np_random.integers(2)
        return self._state if self.code == "plain" else 1 - self._state
