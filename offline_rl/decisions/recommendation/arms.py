"""The arms of an experiment: which users are in which, and their rows in one table."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts.recommendation import Recommendations
from offline_rl.decisions.recommendation.keyed_uniforms import keyed_uniforms
from offline_rl.decisions.recommendation.ranked_lists import SURFACE
from offline_rl.experiments.tonight import ExperimentTonight


def in_candidate_arm(user_keys: Sequence[str], experiment_id: str, share: float) -> NDArray[np.bool_]:
    """Return which users are in the candidate's arm, bool [users].

    A user stays in an arm for as long as an experiment runs, and another experiment assigns all users anew.

    >>> users = [f"user {n}" for n in range(1000)]
    >>> first, second = (in_candidate_arm(users, name, 0.2) for name in ("one", "two"))
    >>> int(first.sum()), int((first & second).sum())
    (187, 37)
    """
    return keyed_uniforms(user_keys, 1, salt=f"experiment/{experiment_id}")[:, 0] < share


def in_arms(todays: pl.DataFrame, candidates: pl.DataFrame, experiment: ExperimentTonight) -> pl.DataFrame:
    """Return tomorrow's table: today's rows, the candidate's in their place for whom it serves, and the arms.

    todays, candidates: rows of `Recommendations`, the latter of any users. The candidate serves the users of
    its arm, or all where it has won, but for protected segments, in the places that it has a list for. A list
    for any place (`SURFACE`) makes room for those.
    """
    serves = candidates.filter(~pl.col("segment_id").is_in(list(experiment.protected)))
    if not experiment.is_won:
        serves = serves.filter(_is_candidate(serves["user_key"], experiment))
    places = serves.select("user_key", "surface").unique()
    stays = todays.join(places, on=["user_key", "surface"], how="anti")
    everywhere = pl.col("surface") == SURFACE
    stays = pl.concat(
        [stays.filter(~everywhere), stays.filter(everywhere).join(places, on="user_key", how="anti")]
    )
    rows = pl.concat([stays, serves])
    if not experiment.is_won:
        is_candidate = _is_candidate(rows["user_key"], experiment)
        rows = rows.with_columns(
            arm=pl.when(is_candidate).then(pl.lit("candidate")).otherwise(pl.lit("champion")),
            arm_probability=pl.when(is_candidate).then(experiment.share).otherwise(1.0 - experiment.share),
        )
    return Recommendations.validate(rows.sort("user_key", "surface", "slot_rank"), cast=True)


def _is_candidate(user_key: pl.Series, experiment: ExperimentTonight) -> pl.Series:
    users = user_key.unique()
    assigned = in_candidate_arm(users.to_list(), experiment.experiment_id, experiment.share)
    return user_key.is_in(users.filter(pl.Series(assigned)).to_list())
