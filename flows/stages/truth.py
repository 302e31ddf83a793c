"""The truth of a simulated shop: the expected reward of each logged round with every action.

For a real shop it is unknown: the functions return None, and true_value is empty in the tables.
"""

from collections.abc import Iterable, Sequence
from typing import cast, get_args

import numpy as np
import polars as pl
import torch

from features.deidentify import pseudonym, read_key
from features.simulator.world import Domain, Result, World
from flows.stages.ingest import key_file
from flows.workspace import Workspace
from offline_rl.comparison.unseen import Truth


def true_rewards(
    workspace: Workspace, domain: str, rounds: pl.DataFrame, action_ids: Sequence[str]
) -> Truth | None:
    """Return the true expected rewards of logged rounds.

    rounds: user_key, decided_at, slot, action_id, policy_version. Where a published table served a round, the
    logging policy's expected reward is that of what was shown: no round knows the probabilities of all other
    items, and the mean is right. None for a real shop, and for a domain that the simulated world does not
    have.
    """
    settings = workspace.settings
    if settings.shop.source != "simulated" or domain not in get_args(Domain):
        return None
    world = World.load(settings.shop.logs)
    users, days = user_ids(workspace, world, rounds["user_key"]), world.days(rounds["decided_at"])
    of_action, of_log = np.zeros((rounds.height, len(action_ids))), np.zeros(rounds.height)
    for result, worth in settings.night.counted.worth.items():
        rewards = world.logged_rewards(
            cast(Domain, domain),
            users,
            action_ids,
            shown_ids=rounds["action_id"].to_list(),
            slot=rounds["slot"].to_numpy(),
            day=days,
            reward=cast(Result, result),
        )
        of_action, of_log = of_action + worth * rewards.of_action, of_log + worth * rewards.of_log
    is_served = ~rounds["policy_version"].fill_null("").is_in(["", *world.logging.versions]).to_numpy()
    places = {action_id: place for place, action_id in enumerate(action_ids)}
    shown = np.array([places[action_id] for action_id in rounds["action_id"]], np.int64)
    of_log = np.where(is_served, of_action[np.arange(rounds.height), shown], of_log)
    return Truth(torch.from_numpy(of_action), torch.from_numpy(of_log))


def user_ids(workspace: Workspace, world: World, user_keys: Iterable[str]) -> list[str]:
    """Return the user id of each pseudonym of a simulated shop; for a real shop that is not possible."""
    key = read_key(key_file(workspace))
    user_of = {pseudonym(key, user_id): user_id for user_id in world.user_ids}
    return [user_of[user_key] for user_key in user_keys]
