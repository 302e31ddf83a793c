"""`metacart plan`: how many days of how much exploration, or of an experiment, show a lift.

The rest is imported when the command runs: `metacart --help` should not wait for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from features.exit_statuses import ExitStatus
from flows.commands.finite import Finite, Shares
from flows.commands.json_flag import JsonFlag
from flows.settings import Evaluation, Settings, read_settings
from flows.shops import CONFIG
from flows.workspace import Workspace

if TYPE_CHECKING:
    from features.contracts.findings import Finding
    from features.warehouse.traffic import LoggedTraffic

NO_SHOP = "plan"
"""What a plan without a configuration is called."""


def plan(
    *,
    config: Path | None = None,
    lift: Finite = 0.05,
    exploration: Shares = (0.02, 0.05, 0.1, 0.2, 1.0),
    share: Shares = (0.5, 0.1),
    power: Finite = 0.8,
    confidence: Finite | None = None,
    differs: Finite = 1.0,
    days: int | None = None,
    rate: Finite | None = None,
    users_per_day: Finite | None = None,
    rounds_per_user: Finite | None = None,
    correlation: Finite | None = None,
    users_in_28_days: Finite | None = None,
    items: int | None = None,
    slots: int | None = None,
    as_json: JsonFlag = False,
) -> int:
    """Say how many days of exploration, or of a test of two arms, show a lift. Nothing is changed.

    Exit status 3: nothing shows the lift in a year, or a number is missing, which is named.

    Parameters
    ----------
    config
        The shop's configuration file, by default metacart.toml where there is one. The numbers of its log are
        read from the warehouse; without a shop the options give them.
    lift
        Relative gain of the reward per round: 0.05 is from 4 % to 4.2 %. Where the shop's reward is money,
        the plan is of orders, and says how much more that money needs.
    exploration
        Shares of whole slates that are drawn uniformly, for off-policy evaluation.
    share
        Shares of the users that get the candidate in a test of two arms.
    power
        Probability that a gain of this size is shown.
    confidence
        Level of the interval, by default that of the configuration, or 0.95.
    differs
        Share of the rounds in which the candidate shows another item than today's policy.
    days
        Say the smallest lift that this many days show, in the place of 7, 14, 28, 56 and those of the log.
    rate
        Share of rounds with a reward, in the place of the log's.
    users_per_day
        Users with a round on a day.
    rounds_per_user
        Rounds of such a user on the day; a round is one item in one slot.
    correlation
        Intraclass correlation of the rounds of a user, 0 to 1.
    users_in_28_days
        Distinct users of 28 days; as many as of one day where the same ones come every day.
    items
        Items to choose from.
    slots
        Slots of a slate.
    """
    from flows.commands.plan.known_numbers import GivenNumbers
    from flows.commands.plan.plan_answer import PlanQuestion, answer
    from flows.commands.plan.plan_json import json_line
    from flows.commands.plan.printed_plan import printed

    settings = _settings(config)
    logged, lacking = (None, ()) if settings is None else _logged(settings)
    evaluation = Evaluation() if settings is None else settings.evaluation
    question = PlanQuestion(
        shop=NO_SHOP if settings is None else settings.shop.name,
        lift=lift,
        exploration=exploration,
        shares=share,
        power=power,
        confidence=evaluation.confidence if confidence is None else confidence,
        differs=differs,
        days=days,
        given=GivenNumbers(rate, users_per_day, rounds_per_user, correlation, users_in_28_days, items, slots),
        min_ess=evaluation.min_ess,
        lacking=lacking,
        money=settings.night.reward if settings is not None and settings.night.counted.is_money else "",
    )
    answered = answer(question, logged)
    print(json_line(answered) if as_json else printed(answered))
    return ExitStatus.DONE if answered.is_possible else ExitStatus.NOT_TRUSTED


def _settings(config: Path | None) -> Settings | None:
    """Return the settings of the shop that was named, or of the one in this folder; None without one."""
    if config is not None or CONFIG.is_file():
        return read_settings(config or CONFIG)
    return None


def _logged(settings: Settings) -> "tuple[LoggedTraffic | None, tuple[Finding, ...]]":
    """Return the log's numbers, or why there are none."""
    import duckdb

    from features.contracts.findings import Finding
    from features.errors import InputDataError
    from features.warehouse.store import open_to_read
    from features.warehouse.traffic import logged_traffic

    warehouse, shop = Workspace(settings).warehouse, settings.shop.name
    if not warehouse.is_file():
        return None, (Finding("not_ingested", shop),)
    with open_to_read(warehouse) as connection:
        try:
            logged = logged_traffic(connection, settings.night.counted)
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise InputDataError(
                f"{warehouse} is not complete, or of an earlier version of metacart. `metacart ingest` "
                f"brings it up to date. DuckDB says: {error}"
            ) from error
    return logged, () if logged else (Finding("nothing_logged", shop),)
