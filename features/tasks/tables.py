"""The tables of the warehouse for one domain, as frames."""

from dataclasses import dataclass, field
from datetime import date

import duckdb
import polars as pl

from features.areas import area_of
from features.codes import MOST_SLOTS
from features.tasks.evidence import RoundSplit, mark_evidence
from features.tasks.settings import TaskSettings
from features.tasks.windows import night_end
from features.warehouse.popularity import read_popularity
from features.warehouse.touches import Touched, read_touches


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema={"user_key": pl.String, "decided_at": pl.Datetime("us", "UTC")})


@dataclass(frozen=True)
class ShopTables:
    """The tables of the warehouse for one domain.

    rounds: fct_rounds of the domain in the order of time and round_id, marked as evidence (`mark_evidence`);
    split: of the evidence. users: dim_users; items: one row per known action, item_id first; candidate_sets:
    candidate_set_id, item_id.
    *_keys: names inside the JSON columns rounds.context, users.attributes and items.attributes.
    snapshots: fct_user_snapshots, the history of each user at the end of the night.
    touched: the touches of actions by users, in the order of action_ids; empty where acts name none of the
    actions, as items are not ads.
    n_later_slots: rounds of slots after the first MOST_SLOTS, which are not among the rounds.
    """

    domain: str
    rounds: pl.DataFrame
    split: RoundSplit
    users: pl.DataFrame
    items: pl.DataFrame
    candidate_sets: pl.DataFrame
    context_keys: tuple[str, ...] = ()
    user_keys: tuple[str, ...] = ()
    item_keys: tuple[str, ...] = ()
    snapshots: pl.DataFrame = field(default_factory=_nobody)
    touched: Touched | None = None
    n_later_slots: int = 0

    @property
    def action_ids(self) -> tuple[str, ...]:
        """The actions of the domain, sorted: those of items, and those shown without being among them."""
        return _action_ids(self.items, self.rounds)


def read_tables(
    connection: duckdb.DuckDBPyConnection, domain: str, settings: TaskSettings, as_of: date
) -> ShopTables:
    """Read one domain from the marts that `build` made for the night of `as_of`.

    Item popularity is that at the end of the support window. All rounds share one matrix of item features; a
    later popularity would include the clicks of the query or the holdout.
    Rounds of slots after the first MOST_SLOTS are left out: one line with an absurd slot would otherwise make
    every slate as long.

    Raises InputDataError if no round can serve as evidence.
    """
    rounds = connection.sql(
        "FROM fct_rounds WHERE domain = $domain ORDER BY decided_at, round_id", params={"domain": domain}
    ).pl()
    n_rounds = rounds.height
    rounds = rounds.filter(pl.col("slot") <= MOST_SLOTS)
    n_later_slots = n_rounds - rounds.height
    rounds, split = mark_evidence(rounds, settings, as_of, domain)
    actions = area_of(domain).actions
    items = connection.sql(actions).pl()
    return ShopTables(
        domain=domain,
        rounds=rounds.drop("domain", "is_mature"),
        split=split,
        users=connection.sql("FROM dim_users ORDER BY user_key").pl(),
        items=items.join(
            read_popularity(connection, domain, split.boundaries.support_until.date()),
            on="item_id",
            how="left",
            maintain_order="left",
        ),
        candidate_sets=connection.sql("SELECT candidate_set_id, item_id FROM stg_candidate_sets").pl(),
        context_keys=_keys(connection, "fct_rounds", "context"),
        user_keys=_keys(connection, "dim_users", "attributes"),
        item_keys=_keys(connection, f"({actions})", "attributes"),
        snapshots=connection.sql("FROM fct_user_snapshots ORDER BY user_key").pl(),
        touched=read_touches(connection, domain, _action_ids(items, rounds), night_end=night_end(as_of)),
        n_later_slots=n_later_slots,
    )


def _action_ids(items: pl.DataFrame, rounds: pl.DataFrame) -> tuple[str, ...]:
    return tuple(pl.concat([items["item_id"], rounds["action_id"]]).unique().sort())


def _keys(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> tuple[str, ...]:
    """Return the names inside a JSON object column, sorted."""
    rows = connection.sql(f"SELECT DISTINCT unnest(json_keys({column})) FROM {table} ORDER BY 1").fetchall()
    return tuple(name for (name,) in rows)
