"""The truth of a simulated shop: what each logged round would have earned with every action.

A real shop has no such thing; for it there is None, and the tables leave true_value empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.deidentify import pseudonym, read_key
from features.simulator.world import World
from flows.ingest import key_file
from flows.workspace import Workspace

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """Expected rewards: of_action float64 [n, A], every action; of_log [n], the log's own policy."""

    of_action: Array
    of_log: Array


def true_rewards(
    workspace: Workspace, domain: str, rounds: pl.DataFrame, action_ids: Sequence[str]
) -> Truth | None:
    """Return what logged rounds (user_key, slot, action_id) truly earn, or None for a real shop."""
    settings = workspace.settings
    if settings.shop.source != "simulated":
        return None
    world = World.load(settings.shop.logs)
    key = read_key(key_file(workspace))
    user_of = {pseudonym(key, user_id): user_id for user_id in world.user_ids}
    users = [user_of[user_key] for user_key in rounds["user_key"]]
    if domain == "advertising":
        ad_reward = world.expected_ad_reward(users, action_ids, settings.night.reward)
        return Truth(ad_reward, (_ad_chances(world, rounds, action_ids) * ad_reward).sum(axis=1))
    slot = rounds["slot"].to_numpy()
    is_click = settings.night.reward == "click"
    reward = world.expected_reward(users, action_ids, slot, "click" if is_click else "purchase")
    order = [world.item_ids.index(item_id) for item_id in action_ids]
    shown = world.logging_policy.marginals[slot - 1][:, order]
    return Truth(reward, (shown * reward).sum(axis=1))


def _ad_chances(world: World, rounds: pl.DataFrame, action_ids: Sequence[str]) -> Array:
    """Return the chance of each creative under the log's policy, float64 [n, C]: only its cell competes."""
    order = np.array([world.creative_ids.index(name) for name in action_ids])
    cell, propensity = world.advertising.cell[order], world.advertising.propensity[order]
    logged = rounds.join(
        pl.DataFrame({"action_id": list(action_ids), "logged_cell": cell}),
        on="action_id",
        how="left",
        maintain_order="left",
    )["logged_cell"].to_numpy()
    return np.asarray((cell[None, :] == logged[:, None]) * propensity)
