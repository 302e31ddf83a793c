"""How often does the gate promote what is better, and what is not? One night's judged rounds, drawn again.

`PYTHONPATH=. python tests/benchmarks/gate_power.py WORLD:USERS:SEED:DOMAIN ... [--redraws 400] [--first 0]
[--table offline_rl/ope/POWER.md]` prints one JSON object a shop, way of judging and lift, and writes the
table between the marks of a page.

`redrawn_logs.py` says what is drawn again and what stays: a redraw judges fixed policies, as fits cost a
minute and a redraw a fifth of a second. A lift is the true relative gain of the policy that asks first, on
the rounds that are judged; all others gain in proportion. At a lift of 0 every policy is worth the same in
every round: each promotion is a false one.

Shops of seeds 700 to 719 and redraws from 5000 were used to develop; shops of other seeds and redraws from
100,000 judge.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from features.simulator.settings import WorldName, WorldSettings
from features.simulator.world import Domain
from flows.contenders import LOGGING
from flows.gate import gate_settings
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import Evaluation, evaluate
from offline_rl.ope.trust.verdict import GateSettings
from offline_rl.registry import elect
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


WAYS = (Judging("dr", holdout_alone=True), Judging("dr"), Judging("beta_dr"), Judging("beta_ips"))


@dataclass(frozen=True)
class Power:
    """What became of R redraws of one shop at one lift.

    promoted: policy → redraws in which it was let through. doubted: redraws in which evidence was refused,
    whatever its interval. error: mean half width of the first policy's interval over 1.96, per round; base:
    true value of the logging policy.
    """

    shop: str
    judging: str
    lift: float
    redraws: int
    rounds: int
    users: int
    asks: str
    opener_lift: float | None
    promoted: dict[str, int]
    doubted: int
    error: float
    opener_error: float | None
    base: float

    @property
    def share(self) -> float:
        """Share of redraws that promoted any policy."""
        return sum(self.promoted.values()) / self.redraws


def powers(shop: str, night: JudgedNight, seeds: Sequence[int]) -> Iterator[Power]:
    """The gate's power in redraws of a night, by way of judging and lift."""
    for lift in LIFTS:
        bent = night.at_lift(lift, night.wanted[0])
        for way in WAYS:
            yield _power(shop, bent.last_origin() if way.holdout_alone else bent, way, lift, seeds)


def _power(shop: str, night: JudgedNight, way: Judging, lift: float, seeds: Sequence[int]) -> Power:
    settings = GateSettings(**asdict(gate_settings(night.settings)) | {"estimator": way.estimator})
    promoted: Counter[str] = Counter()
    doubted, errors, opener_errors = 0, [], []
    for seed in seeds:
        found = evaluate(
            night.redraw(seed),
            [from_name(way.estimator)],
            n_resamples=night.settings.evaluation.resamples,
            seed=seed,
        )
        election = elect(
            lambda _policy, found=found: found,
            night.wanted,
            LOGGING,
            LOGGING,
            settings,
            cautious=night.cautious,
        )
        if election.champion != LOGGING:
            promoted[election.champion] += 1
        doubted += any("can't be judged" in reason for reason in election.overall.reasons)
        errors.append(_error(found, night.wanted[0], way))
        if night.cautious is not None:
            opener_errors.append(_error(found, night.cautious, way))
    return Power(
        shop=shop,
        judging=str(way),
        lift=lift,
        redraws=len(seeds),
        rounds=len(night.cluster),
        users=len(np.unique(night.cluster)),
        asks=night.wanted[0],
        opener_lift=None if night.cautious is None else night.lift(night.cautious),
        promoted=dict(promoted),
        doubted=doubted,
        error=float(np.mean(errors)),
        opener_error=float(np.mean(opener_errors)) if opener_errors else None,
        base=float((night.logging * night.truth).sum(1).mean()),
    )


def _error(found: Evaluation, policy: str, way: Judging) -> float:
    lead = found.difference(policy, LOGGING, way.estimator)
    return (lead.upper - lead.lower) / (2 * 1.96)


def table(found: Sequence[Power]) -> str:
    """One row for each shop and way of judging, in Markdown."""
    lines = [
        "| shop (world:users:seed:domain) | judged by | rounds | asks | standard error (opener) "
        "| promoted at +0 % | at +15 % | at +30 % | refused |",
        "|---|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    for shop, judging in dict.fromkeys((one.shop, one.judging) for one in found):
        rows = {one.lift: one for one in found if (one.shop, one.judging) == (shop, judging)}
        null = rows[0.0]
        opener = "" if null.opener_error is None else f" ({null.opener_error / null.base:.1%})"
        lines.append(
            f"| {shop} | {judging} | {null.rounds:,} | `{null.asks}` | {null.error / null.base:.1%}{opener} "
            f"| {sum(null.promoted.values())} of {null.redraws} | {rows[0.15].share:.3f} "
            f"| {rows[0.3].share:.3f} | {sum(one.doubted for one in rows.values())} |"
        )
    return "\n".join(lines)


def _shop(text: str) -> tuple[WorldSettings, Domain]:
    world, users, seed, domain = text.split(":")
    assert world in get_args(WorldName), world
    assert domain in get_args(Domain), domain
    return WorldSettings(world=world, users=int(users), seed=int(seed)), domain  # type: ignore[return-value]


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
        before, _, rest = asked.table.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        page = f"{before}{BEGIN}\n{table(found)}\n{END}{after}"
        asked.table.write_text(page, encoding="utf-8")
    print(table(found))  # noqa: T201


if __name__ == "__main__":
    main()
