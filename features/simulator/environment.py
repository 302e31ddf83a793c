"""The simulated shop as a Gymnasium environment: one step is one visit.

So an agent from any library of reinforcement learning can be trained and evaluated in the same world whose
logs a night learns from offline. Only this module and hidden_state.py need Gymnasium.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import UsageError
from features.simulator.world import World

try:
    import gymnasium
    from gymnasium import spaces
except ImportError as error:
    raise UsageError(
        "The shop as an environment needs Gymnasium, which is not installed: pip install gymnasium."
    ) from error

Observation = dict[str, Any]

_LARGEST_LEVEL = 3.0


class ShopEnvironment(gymnasium.Env[Observation, NDArray[np.int64] | np.int64]):
    """The shop of one day: the agent fills the slots of one visitor after another; the reward is clicks.

    Observation: `context`, float32[d], all attributes of the visitor in the users log; `available`, int8[A],
    1 for each item that can be shown. Action: the item of slot 1, or with `whole_slate` one item for each
    slot. A slot with an item that isn't available, or is already shown in an earlier slot, stays empty.
    Reward: number of clicks. What is shown to one visitor changes nothing for the next, so an episode has no
    natural end: it is truncated.

    visits: length of an episode.
    reset(options={"day": 3}) starts that day of the shop; without it, a day of the settings is drawn.
    `info` has `user_id`, and after a step the exact `expected_reward` of the action.
    Raises UsageError for an option that isn't known or a day before the first.
    """

    def __init__(self, world: World, *, whole_slate: bool = False, visits: int = 100) -> None:
        if visits < 1:
            raise UsageError(f"An episode has one visit or more, not {visits}.")
        self.world = world
        self.visits = visits
        items, width = len(world.item_ids), world.people.context.shape[1]
        self._slots = world.settings.slots if whole_slate else 1
        self._context = world.people.context
        self.observation_space = spaces.Dict(
            {
                "context": spaces.Box(-_LARGEST_LEVEL, _LARGEST_LEVEL, (width,), np.float32),
                "available": spaces.MultiBinary(items),
            }
        )
        self.action_space = (
            spaces.MultiDiscrete([items] * self._slots) if whole_slate else spaces.Discrete(items)
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start a day with its first visitor."""
        super().reset(seed=seed)
        asked = dict(options or {})
        number = asked.pop("day", None)
        if asked or (number is not None and number < 0):
            raise UsageError(f"The only option of an episode is a day of 0 or more, not {options}.")
        if number is None:
            number = int(self.np_random.integers(self.world.settings.days))
        self._day = self.world.open(number)
        rate = self._day.visit_rate
        self._visitors = self.np_random.choice(len(rate), self.visits, p=rate / rate.sum())
        self._visit = 0
        return self._observe()

    def step(
        self, action: NDArray[np.int64] | np.int64
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Show items to the present visitor, and go on to the next one.

        Raises UsageError when the episode is over.
        """
        if self._visit >= self.visits:
            raise UsageError(f"The episode ended after its {self.visits} visits: call reset.")
        items = np.atleast_1d(np.asarray(action, dtype=np.int64))
        user = self._visitors[[self._visit]]
        is_first = np.array([item not in items[:place] for place, item in enumerate(items)])
        shown = self._day.available[items] & is_first
        click_model = self.world.click_model
        attraction = click_model.attraction(user, items, self._day.number)
        chance = shown * click_model.examination[: self._slots] * attraction
        reward = float((self.np_random.random(self._slots) < chance).sum())
        self._visit += 1
        observation, info = self._observe()
        return (
            observation,
            reward,
            False,
            self._visit >= self.visits,
            info | {"expected_reward": float(chance.sum())},
        )

    def _observe(self) -> tuple[Observation, dict[str, Any]]:
        # after the last visit nobody comes; the observation is of the last visitor again
        user = self._visitors[min(self._visit, self.visits - 1)]
        observation = {
            "context": self._context[user].copy(),
            "available": self._day.available.astype(np.int8),
        }
        return observation, {"user_id": self.world.user_ids[user]}
