"""Candidate sets: which actions could have been shown in a round.

A log that records candidate sets is believed. Otherwise every action that was shown at least once that
day on that surface counts as available there that day (ads: on that channel for that campaign).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

PLACE = ("surface", "campaign_id")
SET_NAME = pl.concat_str(pl.lit("set\x1f"), "candidate_set_id")


@dataclass(frozen=True)
class Candidates:
    """Distinct candidate sets and who faced which.

    available: bool[S, A]; set_index: int64[n], the row of `available` that a round faced;
    latest: (surface, campaign_id) → row of `available` that is in force after the last day.
    """

    available: npt.NDArray[np.bool_]
    set_index: npt.NDArray[np.int64]
    latest: dict[tuple[str, str], int]


def find_candidates(rounds: pl.DataFrame, action_ids: list[str], logged_sets: pl.DataFrame) -> Candidates:
    """Collect the candidate sets that the rounds faced.

    rounds: surface, campaign_id, decided_date, candidate_set_id, action_id.
    logged_sets: candidate_set_id, item_id; may have no rows.
    """
    place = [pl.col(column).fill_null("") for column in PLACE]
    day = pl.concat_str([*place, pl.col("decided_date").cast(pl.String)], separator="\x1f")
    known = set(logged_sets["candidate_set_id"].unique().to_list())
    logged = pl.col("candidate_set_id").is_in(known).fill_null(False)
    faced = rounds.select(
        *place,
        "decided_date",
        "action_id",
        pl.when(logged).then(SET_NAME).otherwise(day).alias("set"),
    )
    names = faced["set"].unique().sort()
    rows = pl.DataFrame({"set": names, "row": np.arange(len(names))})
    columns = pl.DataFrame({"action_id": action_ids, "column": np.arange(len(action_ids))})
    members = pl.concat(
        [
            faced.select("set", "action_id"),
            logged_sets.select(
                SET_NAME.alias("set"),
                pl.col("item_id").alias("action_id"),
            ),
        ]
    ).unique()
    cells = members.join(rows, on="set").join(columns, on="action_id")
    available = np.zeros((len(names), len(action_ids)), dtype=np.bool_)
    available[cells["row"].to_numpy(), cells["column"].to_numpy()] = True
    indexed = faced.join(rows, on="set", how="left", maintain_order="left")
    newest = indexed.sort("decided_date", "set").group_by(PLACE, maintain_order=True).last()
    latest = {(surface, campaign): row for surface, campaign, row in newest.select(*PLACE, "row").iter_rows()}
    return Candidates(available, indexed["row"].to_numpy().astype(np.int64), latest)
