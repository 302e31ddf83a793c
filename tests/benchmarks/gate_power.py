"""How often does the gate promote what is better, and what is not? One night's judged rounds, drawn again.

`PYTHONPATH=. python tests/benchmarks/gate_power.py WORLD:USERS:SEED:DOMAIN ... [--redraws 400] [--first 0]
[--table offline_rl/ope/POWER.md]` prints one JSON object a shop, way of judging and lift, and writes the
table between the marks of a page.

`redrawn_logs.py` says what is drawn again and what stays: a redraw judges fixed policies, as fits cost a
minute and a redraw a fifth of a second. A lift is the true relative gain of the first contender, on
the rounds that are judged; all others gain in proportion. At a lift of 0 every policy is worth the same in
every round: each promotion is a false one.

Shops of seeds 700 to 719 and redraws from 5000 were used to develop; shops of other seeds and redraws from
100,000 judge.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast, get_args

import numpy as np

from features.simulator.settings import WorldName, WorldSettings
from features.simulator.world import Domain
from flows.stages.verdicts import gate_settings
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.registry import LOGGING, elect
from tests.benchmarks.redrawn_logs import JudgedNight, judged_night

LIFTS = (0.0, 0.15, 0.3)
BEGIN, END = "<!-- power: begin -->", "<!-- power: end -->"


@dataclass(frozen=True)
class Judging:
    """A way of judging: the estimator of the gate, and whether the last origin, the holdout, judges alone."""

    estimator: str
    holdout_alone: bool = False

    def __str__(self) -> str:
        return f"{self.estimator}, {'the holdout alone' if self.holdout_alone else 'all origins'}"


WAYS = (Judging("dr", holdout_alone=True), Judging("dr"), Judging("beta_dr"))


@dataclass(frozen=True)
class Outcome:
    """One redraw: who serves, whether evidence was refused, and half widths of intervals over 1.96."""

    champion: str
    is_doubted: bool
    error: float
    opener_error: float


@dataclass(frozen=True)
class Power:
    """What became of R redraws of one shop at one lift.

    promoted: policy → redraws in which it was let through. doubted: redraws in which the evidence on one that
    asks was refused, whatever its interval. error, opener_error: mean half width over 1.96, per round, of the
    difference to the logging policy, for the first contender and the one that must pass first (the last one,
    where no cautious policy must). opener_lift: true relative gain of the latter. base: true value of the
    logging policy per round.
    """

    shop: str
    judging: str
    lift: float
    redraws: int
    rounds: int
    users: int
    asks: str
    opener_lift: float
    promoted: dict[str, int]
    doubted: int
    error: float
    opener_error: float
    base: float

    @property
    def share(self) -> float:
        """Share of redraws that promoted any policy."""
        return sum(self.promoted.values()) / self.redraws


def powers(shop: str, night: JudgedNight, seeds: Sequence[int]) -> Iterator[Power]:
    """The gate's power in redraws of a night, by lift and way of judging; lifts have half of the redraws."""
    for lift in LIFTS:
        bent = night.at_lift(lift, night.wanted[0])
        holdout = bent.last_origin()
        outcomes: dict[Judging, list[Outcome]] = {way: [] for way in WAYS}
        for seed in seeds if lift == 0 else seeds[: len(seeds) // 2]:
            of_all = _evaluated(bent, [way.estimator for way in WAYS if not way.holdout_alone], seed)
            of_holdout = _evaluated(holdout, [way.estimator for way in WAYS if way.holdout_alone], seed)
            for way, found in outcomes.items():
                found.append(_outcome(of_holdout if way.holdout_alone else of_all, night, way))
        for way, found in outcomes.items():
            yield _power(shop, holdout if way.holdout_alone else bent, way, lift, found)


def _evaluated(night: JudgedNight, estimators: Sequence[str], seed: int) -> Evaluation:
    resamples = night.settings.evaluation.resamples
    named = [from_name(name) for name in estimators]
    return evaluate(night.redraw(seed), named, n_resamples=resamples, seed=seed)


def _outcome(found: Evaluation, night: JudgedNight, way: Judging) -> Outcome:
    """What the night's own election makes of it."""
    settings = replace(gate_settings(night.settings), estimator=way.estimator)
    election = elect(lambda _policy: found, night.wanted, LOGGING, LOGGING, settings, cautious=night.cautious)
    opener = night.cautious or night.wanted[-1]
    return Outcome(
        champion=election.champion,
        is_doubted=any(found.code == "cannot_be_judged" for found in election.overall.reasons),
        error=_error(found, night.wanted[0], way),
        opener_error=_error(found, opener, way),
    )


def _error(found: Evaluation, policy: str, way: Judging) -> float:
    lead = found.difference(policy, LOGGING, way.estimator)
    return (lead.upper - lead.lower) / (2 * 1.96)


def _power(shop: str, night: JudgedNight, way: Judging, lift: float, found: Sequence[Outcome]) -> Power:
    return Power(
        shop=shop,
        judging=str(way),
        lift=lift,
        redraws=len(found),
        rounds=len(night.cluster),
        users=len(np.unique(night.cluster)),
        asks=night.wanted[0],
        opener_lift=night.lift(night.cautious or night.wanted[-1]),
        promoted=dict(Counter(one.champion for one in found if one.champion != LOGGING)),
        doubted=sum(one.is_doubted for one in found),
        error=float(np.mean([one.error for one in found])),
        opener_error=float(np.mean([one.opener_error for one in found])),
        base=float((night.logging * night.truth).sum(1).mean()),
    )


def table(found: Sequence[Power]) -> str:
    """One row for each shop and way of judging, in Markdown."""
    lines = [
        "| shop | evaluated by | rounds | first contender | standard error (opener) | opener's gain at +30 % "
        "| promoted at +0 % | at +15 % | at +30 % | refused |",
        "|---|---|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for shop, judging in dict.fromkeys((one.shop, one.judging) for one in found):
        rows = {one.lift: one for one in found if (one.shop, one.judging) == (shop, judging)}
        null, most = rows[0.0], rows[LIFTS[-1]]
        shares = " | ".join(f"{rows[lift].share:.3f}" for lift in LIFTS[1:])
        refused, of = sum(one.doubted for one in rows.values()), sum(one.redraws for one in rows.values())
        lines.append(
            f"| {shop} | {judging} | {null.rounds:,} | `{null.asks}` | {null.error / null.base:.1%} "
            f"({null.opener_error / null.base:.1%}) | {most.opener_lift:.1%} "
            f"| {sum(null.promoted.values())} of {null.redraws} | {shares} | {refused / of:.2f} |"
        )
    return "\n".join(lines)


def write_table(page: Path, found: Sequence[Power]) -> None:
    """Put the table between the marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}", encoding="utf-8")


def _shop(text: str) -> tuple[WorldSettings, Domain]:
    world, users, seed, domain = text.split(":")
    settings = WorldSettings(world=cast(WorldName, world), users=int(users), seed=int(seed))
    if domain not in get_args(Domain):
        raise ValueError(f"{text}: the domain is one of {', '.join(get_args(Domain))}.")
    return settings, cast(Domain, domain)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shops", nargs="+")
    parser.add_argument("--redraws", type=int, default=400)
    parser.add_argument("--first", type=int, default=100_000)
    parser.add_argument("--table", type=Path)
    asked = parser.parse_args()
    found = []
    for shop in asked.shops:
        seeds = range(asked.first, asked.first + asked.redraws)
        for one in powers(shop, judged_night(*_shop(shop)), seeds):
            print(json.dumps(asdict(one)), flush=True)  # noqa: T201
            found.append(one)
        if asked.table:
            write_table(asked.table, found)
    print(table(found))  # noqa: T201


if __name__ == "__main__":
    main()
