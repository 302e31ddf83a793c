"""A split of rounds at random by user: for experiments whose table says nothing of when.

Where all rounds carry the same moment, or two, no window of time can hold one of three parts. Nothing can be
known of tomorrow from such a log but that it is like today, so chance deals out whole users, or rounds where
there are no users: nobody both teaches and judges.
"""

import hashlib

import polars as pl

from features.codes import LATE, Window

# What decided which rounds teach and which judge.
BY_TIME, BY_USER, BY_ROUND = "time", "user", "round"


def dealt(rounds: pl.DataFrame, salt: str) -> pl.Series:
    """Return a uniform number in [0, 1) for each round, the same for all rounds of a user.

    rounds: user_key (null where there is none), round_id. The number is a hash, so that the same log is dealt
    the same way in any order of its rows.

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
    """Return each round's Window as Int8, from the number that it was dealt.

    is_mature: whether the reward can't change any more; a round of which it may is a GAP.
    """
    window = (
        pl.when(~pl.col("is_mature"))
        .then(Window.GAP)
        .when(pl.col("number") < support_share)
        .then(Window.SUPPORT)
        .when(pl.col("number") < support_share + query_share)
        .then(Window.QUERY)
        .otherwise(Window.HOLDOUT)
    )
    frame = pl.DataFrame({"number": number, "is_mature": is_mature})
    return frame.select(window.cast(pl.Int8).alias("window")).to_series()


def random_origins(number: pl.Series, windows: pl.Series, support_share: float) -> pl.Series:
    """Return the rolling origin from which each round is judged, as Int8: see `windows.assign_origins`.

    The parts stand in for dates: the second half of support is judged by what the first taught, and so on.
    """
    origin = (
        pl.when(pl.col("window") == Window.SUPPORT)
        .then(pl.when(pl.col("number") < support_share / 2).then(0).otherwise(1))
        .when(pl.col("window") == Window.GAP)
        .then(LATE)
        .otherwise(pl.col("window") + 1)
    )
    frame = pl.DataFrame({"number": number, "window": windows})
    return frame.select(origin.cast(pl.Int8).alias("origin")).to_series()


def _uniform(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
