"""What a shop's log knows of the money that a reward counts: prices, costs, and one currency.

A reward that counts money is refused where the log can't say it. Where single lines can't, they are counted:

* A line without a price adds nothing to revenue and margin.
* A line without a cost, whose item has none either, is taken to cost the shop's usual share of its price
  (int_line_costs). Leaving such lines out would make items without a cost look unsold, and a cost of 0 would
  make them look the most profitable.
"""

from dataclasses import dataclass

import duckdb

from features.contracts.findings import Finding
from features.errors import InputDataError
from features.rewards import Reward

MOST_ESTIMATED = 0.5
"""Share of bought lines whose cost may be estimated: beyond it, most of what is called margin is a guess."""

NO_CURRENCY = "XXX"
"""The ISO code for none, of a log without prices."""


@dataclass(frozen=True)
class BoughtLines:
    """Lines of orders that were not cancelled: all, those without a price, and of the priced ones those whose
    cost is estimated or not known.
    """

    n_lines: int
    n_unpriced: int
    n_estimated: int
    n_unknown: int

    @property
    def n_priced(self) -> int:
        """Lines with a price."""
        return self.n_lines - self.n_unpriced


def bought_lines(connection: duckdb.DuckDBPyConnection) -> BoughtLines:
    """Count the lines of a warehouse whose marts are built."""
    row = connection.execute(
        """
        SELECT
            count(*),
            count(*) FILTER (price_cents IS NULL),
            count(*) FILTER (price_cents IS NOT NULL AND known_from = 'share'),
            count(*) FILTER (price_cents IS NOT NULL AND known_from IS NULL)
        FROM int_line_costs
        """
    ).fetchone()
    assert row is not None
    return BoughtLines(*map(int, row))


def refuse_unknown_money(connection: duckdb.DuckDBPyConnection, reward: Reward, currency_code: str) -> None:
    """Refuse a reward of money that was bought for which prices or costs are not known.

    currency_code: `shop.currency_code`, in which the reward is said. A log without any order is not refused.
    Raises InputDataError with what is missing.
    """
    counts_margin = "margin" in reward.results
    if not counts_margin and "revenue" not in reward.results:
        return
    bought = bought_lines(connection)
    if not bought.n_lines:
        return
    if not bought.n_priced:
        raise InputDataError(
            f'night.reward = "{reward.name}" counts money, and none of {bought.n_lines:,} bought lines '
            "has a price. Map price_cents of the purchases, or count conversions."
        )
    _refuse_other_currency(connection, reward, currency_code)
    if counts_margin:
        _refuse_unknown_costs(connection, reward, bought)


def money_findings(connection: duckdb.DuckDBPyConnection, reward: Reward) -> tuple[Finding, ...]:
    """Return how many bought lines lack a price or a cost that the reward counts, where any do."""
    if not {"revenue", "margin"} & set(reward.results):
        return ()
    bought = bought_lines(connection)
    found = []
    if bought.n_unpriced:
        numbers = {"n_without": bought.n_unpriced, "n_lines": bought.n_lines}
        found.append(Finding("prices_missing", "purchases", numbers))
    if bought.n_estimated and "margin" in reward.results:
        numbers = {"n_without": bought.n_estimated, "n_lines": bought.n_priced}
        found.append(Finding("costs_estimated", "purchases", numbers))
    return tuple(found)


def _refuse_unknown_costs(connection: duckdb.DuckDBPyConnection, reward: Reward, bought: BoughtLines) -> None:
    n_lacking = bought.n_estimated + bought.n_unknown
    if n_lacking == bought.n_priced:
        raise InputDataError(
            f'night.reward = "{reward.name}" counts margin, and no cost is known of any of '
            f"{bought.n_priced:,} bought lines. Map cost_cents of the items or of the purchases, what one "
            "piece costs the shop, or count revenue."
        )
    if n_lacking > MOST_ESTIMATED * bought.n_priced:
        raise InputDataError(
            f'night.reward = "{reward.name}" counts margin, and {n_lacking:,} of {bought.n_priced:,} bought '
            "lines have no cost, more than half. Map cost_cents of more items or purchases, or count revenue."
        )
    rows = connection.execute(
        """
        SELECT DISTINCT currency_code
        FROM stg_items
        WHERE cost_cents IS NOT NULL AND currency_code NOT IN (SELECT currency_code FROM stg_purchases)
        ORDER BY 1
        """
    ).fetchall()
    if rows:
        raise InputDataError(
            f"The items have costs in {', '.join(row[0] for row in rows)}, and the purchases are in another "
            "currency, so no margin can be computed. Convert cost_cents in the mapping of the items."
        )


def _refuse_other_currency(connection: duckdb.DuckDBPyConnection, reward: Reward, currency_code: str) -> None:
    """Refuse purchases whose currency is not the shop's: all purchases have the same one."""
    rows = connection.execute("SELECT DISTINCT currency_code FROM stg_purchases").fetchall()
    other = sorted({str(row[0]) for row in rows} - {currency_code})
    if other:
        raise InputDataError(
            f'night.reward = "{reward.name}" is money in {currency_code} (shop.currency_code), and the '
            f"purchases are in {', '.join(other)}. Correct shop.currency_code, or the currency_code of the "
            "purchases."
        )
