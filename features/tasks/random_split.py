"""A random split of rounds by user, for experiments whose table has no times.

Where all rounds have the same one or two times, they can't be split into three windows of time. Such a log
shows no change over time, so whole users are assigned at random, or rounds where there are no users: no user
is in two windows.
"""

import hashlib

import polars as pl

from features.codes import LATE, Window

# How rounds are split into windows.
BY_TIME, BY_USER, BY_ROUND = "time", "user", "round"


def dealt(rounds: pl.DataFrame, salt: str) -> pl.Series:
    """Return a uniform number in [0, 1) for each round, the same for all rounds of a user.

    rounds: user_key (null where there is none), round_id. The number is a hash, so it does not depend on the
    order of the rows.

    >>> rows = pl.DataFrame({"user_key": ["ann", "bob", "ann"], "round_id": ["1", "2", "3"]})
    >>> first, second, third = dealt(rows, salt="s")
    >>> first == third != second
    True
    """
    units = rounds.select(unit=pl.coalesce("user_key", pl.concat_str(pl.lit("\x1f"), "round_id")))
    drawn = units.unique()
    numbers = pl.Series("number", [_uniform(f"{salt}\x1f{unit}") for unit in drawn["unit"]], pl.Float64)
    return units.join(drawn.with_columns(numbers), on="unit", how="left", maintain_order="left")["number"]


def random_windows(
    number: pl.Series, is_mature: pl.Series, support_share: float, query_share: float
) -> pl.Series:
    """Return each round's Window as Int8, from its random number.

    is_mature: whether the reward can no longer change; otherwise the round is OPEN.
    """
    window = (
        pl.when(~pl.col("is_mature"))
        .then(Window.OPEN)
        .when(pl.col("number") < support_share)
        .then(Window.SUPPORT)
        .when(pl.col("number") < support_share + query_share)
        .then(Window.QUERY)
        .otherwise(Window.HOLDOUT)
    )
    frame = pl.DataFrame({"number": number, "is_mature": is_mature})
    return frame.select(window.cast(pl.Int8).alias("window")).to_series()


def random_origins(number: pl.Series, windows: pl.Series, support_share: float) -> pl.Series:
    """Return the rolling origin that each round is evaluated from, as Int8: see `windows.assign_origins`.

    The parts replace dates: a policy learned from the first half of support is evaluated on the second, and
    so on.
    """
    origin = (
        pl.when(pl.col("window") == Window.SUPPORT)
        .then(pl.when(pl.col("number") < support_share / 2).then(0).otherwise(1))
        .when(pl.col("window").is_in([Window.GAP, Window.OPEN]))
        .then(LATE)
        .otherwise(pl.col("window") + 1)
    )
    frame = pl.DataFrame({"number": number, "window": windows})
    return frame.select(origin.cast(pl.Int8).alias("origin")).to_series()


def _uniform(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
