"""Money in COVERAGE.md: what intervals of revenue cover, and which logs are trusted. Ten minutes of one core.

    PYTHONPATH=. python tests/benchmarks/money_coverage.py [REPLICATES]

Replaces the table between the two marks in offline_rl/ope/COVERAGE.md.
"""

import sys
from pathlib import Path

import numpy as np

from offline_rl.ope.intervals.choice import INTERVAL_NAMES
from tests.offline_rl.ope.coverage_study import WORLDS, Setting
from tests.offline_rl.ope.money_study import CLICKS, ESTIMATORS, MONEY, MoneyFound, MoneyWorld, found_in

PAGE = Path(__file__).parents[2] / "offline_rl" / "ope" / "COVERAGE.md"
BEGIN, END = "<!-- money: begin -->", "<!-- money: end -->"
JUDGED_FROM = 30_000
"""First seed of the logs of the table; limits were chosen on seeds below 2,000."""

LABELLED = ("log-normal 1, 10 % buy", "log-normal 1.5, 10 % buy", "log-normal 2.5, 1 % buy")
"""Worlds whose logs are refused or labelled, to read the labels' figures from."""


def share(number: float) -> str:
    return "–" if np.isnan(number) else f"{number:.3f}".removeprefix("0")


def row(name: str, world: MoneyWorld, found: MoneyFound) -> str:
    trusted = found.trusted.mean(axis=0)
    among = " / ".join(share(found.covered(e, among_trusted=True)) for e in ESTIMATORS)
    every = " / ".join(share(found.covered(e)) for e in ESTIMATORS)
    unlabelled = ~found.labelled[:, 0][found.trusted[:, 0]]
    if world.whale:
        every = "–"  # the whale belongs to no truth
    cells = (
        name,
        f"{world.n:,}",
        f"{share(float(trusted[0]))} / {share(float(trusted[2]))}",
        among,
        share(float(unlabelled.mean())) if len(unlabelled) else "–",
        every,
    )
    return f"| {' | '.join(cells)} |"


def table(replicates: int) -> str:
    lines = [
        "| world | rounds | trusted: ips / dr | trusted logs hold the truth: ips / snips / dr "
        "| of these unlabelled | all logs hold it |",
        "|---|--:|---|---|--:|---|",
    ]
    for name, world in MONEY.items():
        count = replicates if world.n <= 5000 else replicates // 4
        lines.append(row(name, world, found_in(world.log, world.truth, count, JUDGED_FROM)))
        sys.stderr.write(lines[-1] + "\n")
    lines += [
        "",
        "| clicks, and worlds of 0 and 1 above | rounds | trusted: ips / dr | refused by contributions |",
    ]
    lines += ["|---|--:|---|--:|"]
    for name, n, found in click_worlds(replicates):
        trusted = found.trusted.mean(axis=0)
        by_tail = share(float(found.doubts_contributions.any(axis=1).mean()))
        lines.append(
            f"| {name} | {n:,} | {share(float(trusted[0]))} / {share(float(trusted[2]))} | {by_tail} |"
        )
        sys.stderr.write(lines[-1] + "\n")
    return "\n".join(lines)


def click_worlds(replicates: int) -> list[tuple[str, int, MoneyFound]]:
    found = [
        (name, world.n, found_in(world.log, world.truth, replicates, JUDGED_FROM, n_resamples=200))
        for name, world in CLICKS.items()
    ]
    for name in WORLDS:
        setting = Setting(name, 1000, users_return=True)
        logs = found_in(setting.log, WORLDS[name].truth, replicates, JUDGED_FROM, n_resamples=200)
        found.append((f"{name}, users", setting.n, logs))
    return found


def kinds(replicates: int) -> str:
    """Coverage by kind of interval in logs that are refused, or labelled and trusted: the labels' figures."""
    lines = []
    for name in INTERVAL_NAMES:
        for title in LABELLED:
            world, chosen_from = MONEY[title], JUDGED_FROM + 5000
            found = found_in(world.log, world.truth, replicates, chosen_from, interval=name, n_resamples=500)
            groups = {"refused": found.doubts_contributions, "near": found.labelled & found.trusted}
            for kind, logs in groups.items():
                held = found.holds[logs]
                covered = share(float(held.mean())) if len(held) else "–"
                lines.append(f"{name} | {title} | {kind} | {len(held) // len(ESTIMATORS)} logs | {covered}")
    return "\n".join(lines)


def main(replicates: int) -> None:
    made = table(replicates)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["kinds"]:
        sys.stdout.write(kinds(200) + "\n")
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
