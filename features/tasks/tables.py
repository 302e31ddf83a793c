"""What the warehouse knows about one domain, as frames."""

from dataclasses import dataclass, field
from datetime import date

import duckdb
import polars as pl

from features.tasks.evidence import mark_evidence
from features.tasks.settings import TaskSettings
from features.tasks.windows import night_end
from features.warehouse.affinities import read_affinities
from features.warehouse.popularity import read_popularity

# The items, the categories and the brands whose affinities enter the context: those that users did most with.
LEADING_VALUES = 8

ACTIONS = {
    "recommendation": """
        SELECT item_id, category, brand, price_cents, price_position, attributes
        FROM dim_items ORDER BY item_id""",
    "advertising": """
        SELECT action_id AS item_id, any_value(campaign_id) AS campaign, any_value(surface) AS channel,
               CAST(NULL AS VARCHAR) AS attributes
        FROM fct_rounds WHERE domain = 'advertising' GROUP BY action_id ORDER BY action_id""",
}


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema={"user_key": pl.String, "decided_at": pl.Datetime("us", "UTC")})


@dataclass(frozen=True)
class ShopTables:
    """What the warehouse knows about one domain.

    rounds: fct_rounds of the domain in the order of round_id; users: dim_users; items: one row per known
    action, item_id first; candidate_sets: candidate_set_id, item_id.
    *_keys: names inside the JSON columns rounds.context, users.attributes and items.attributes.
    affinities: user_key, decided_at, affinity[...]: of each round, and of each user at the end of the night.
    snapshots: fct_user_snapshots, what is known of each user at the end of the night.
    """

    domain: str
    rounds: pl.DataFrame
    users: pl.DataFrame
    items: pl.DataFrame
    candidate_sets: pl.DataFrame
    context_keys: tuple[str, ...] = ()
    user_keys: tuple[str, ...] = ()
    item_keys: tuple[str, ...] = ()
    affinities: pl.DataFrame = field(default_factory=_nobody)
    snapshots: pl.DataFrame = field(default_factory=_nobody)


def read_tables(
    connection: duckdb.DuckDBPyConnection, domain: str, settings: TaskSettings, as_of: date
) -> ShopTables:
    """Read one domain from the marts that `build` made for the night of `as_of`.

    Item popularity, and the choice of the items, categories and brands whose affinities are features, are as
    known at the end of the support window. One matrix of item features serves all rounds; known any later, it
    would hold the clicks that query rounds are to judge with, or the holdout.

    Raises InputDataError if no round can serve as evidence.
    """
    rounds = connection.sql(
        "FROM fct_rounds WHERE domain = $domain ORDER BY decided_at, round_id", params={"domain": domain}
    ).pl()
    _, boundaries = mark_evidence(rounds, settings, as_of, domain)
    known_until = boundaries.support_until
    items = connection.sql(ACTIONS[domain]).pl()
    return ShopTables(
        domain=domain,
        rounds=rounds.drop("domain", "is_mature"),
        users=connection.sql("FROM dim_users ORDER BY user_key").pl(),
        items=items.join(
            read_popularity(connection, domain, known_until.date()),
            on="item_id",
            how="left",
            maintain_order="left",
        ),
        candidate_sets=connection.sql("SELECT candidate_set_id, item_id FROM stg_candidate_sets").pl(),
        context_keys=_keys(connection, "fct_rounds", "context"),
        user_keys=_keys(connection, "dim_users", "attributes"),
        item_keys=_keys(connection, "dim_items", "attributes") if domain == "recommendation" else (),
        affinities=read_affinities(
            connection,
            domain,
            known_until=known_until,
            night_end=night_end(as_of),
            n_leading=LEADING_VALUES,
        ),
        snapshots=connection.sql("FROM fct_user_snapshots ORDER BY user_key").pl(),
    )


def _keys(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> tuple[str, ...]:
    """Return the names inside a JSON object column, sorted."""
    rows = connection.sql(f"SELECT DISTINCT unnest(json_keys({column})) FROM {table} ORDER BY 1").fetchall()
    return tuple(name for (name,) in rows)
