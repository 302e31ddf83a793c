"""The names of what metacart publishes: `<policy or ranker>-<run_id>`, the run_id of the night that made it.

A shop names its own policies as it likes. A champion that stands keeps the version of the night that promoted
it, so several nights may publish one version, each with propensities of its own.
"""

import re

import polars as pl

RUN_ID = r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}"
"""The form of a run_id: a date and eight hexadecimal characters."""

_VERSION = r"^(.+)-(\d{4}-\d{2}-\d{2})-[0-9a-f]{8}$"


OWN_POLICY = "logging"
"""What the shop's own policies are called together, where the configuration names none of them."""


def version_of(policy: str, run_id: str) -> str:
    """Return the version of a policy or ranker that a night has made.

    >>> version_of("maml", "2026-01-05-0a1b2c3d")
    'maml-2026-01-05-0a1b2c3d'
    """
    return f"{policy}-{run_id}"


def policy_of(version: str) -> str:
    """Return the policy or ranker of a version; a version of the shop's own is returned as it is.

    >>> policy_of("maml-2026-01-05-0a1b2c3d"), policy_of("bts")
    ('maml', 'bts')
    """
    found = re.search(_VERSION, version)
    return found[1] if found else version


def policy_named(version: pl.Expr) -> pl.Expr:
    """Return the policy or ranker that a version names, as `policy_of` does; null where there is none.

    >>> versions = ["maml-2026-01-05-0a1b2c3d", "bts", None]
    >>> pl.select(policy_named(pl.lit(pl.Series(versions)))).to_series().to_list()
    ['maml', 'bts', None]
    """
    return pl.coalesce(version.str.extract(_VERSION, 1), version)


def is_given_by_metacart(version: pl.Expr) -> pl.Expr:
    """Whether a version has the form of those that metacart gives; null where there is none.

    >>> versions = ["maml-2026-01-05-0a1b2c3d", "maml-2026-13-45-0a1b2c3d", "2026-01-05-0a1b2c3d", "bts"]
    >>> pl.select(is_given_by_metacart(pl.lit(pl.Series(versions)))).to_series().to_list()
    [True, False, False, False]
    """
    return version.str.extract(_VERSION, 2).str.to_date("%Y-%m-%d", strict=False).is_not_null()


def first_night_sql(version: str) -> str:
    """Return the SQL expression for the night that a version names, the first that could publish it.

    version: SQL expression of a text. Null for a version that metacart has not given.
    """
    return f"TRY_CAST(nullif(regexp_extract({version}, '{_VERSION}', 2), '') AS DATE)"
