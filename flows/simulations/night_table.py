"""The table of nights: shares of the gap by world, and whether what serves beats the plain baselines."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from flows.simulations.nights import NightOutcome

PLAIN = ("popularity", "segment_item_rates", "crosses_logit", "boosting")
"""Plain baselines: what a user would try without metacart."""

FIRST, SERVES = "first contender", "what serves"

Pick = Callable[[NightOutcome], float]


HEADER = """# Whole nights of simulated shops

Each number is the share of the gap between what the logging policy earns and what the best policy would that
explores as much and knows what the log could show (segment, attributes and day; in `personal` the user's
taste, which no log shows in full), closed by true value on the holdout. Means over shops, standard errors in
brackets. {sizes}; 28 days of logs. Every night runs as a
real one does: ingested, learned, evaluated, gated. Policies show 10 % uniform slates. The *first
contender* is the first that the gate compares; *what serves* is what the gate left, the logging policy
where it held. Written by `make nights`; the outcome of every shop is in [nights.jsonl](nights.jsonl).
{seeds}; nothing was tuned on them.

"""


def nights_page(outcomes: Sequence[NightOutcome], nulls: Sequence[NightOutcome] = ()) -> str:
    """Return the table with an explanation of its numbers."""
    seeds = [outcome.seed for outcome in outcomes]
    first, last = min(seeds), max(seeds)
    seen = f"Seed {first}" if first == last else f"Seeds {first} to {last}"
    head = HEADER.format(sizes=_sizes(outcomes), seeds=seen)
    return head + night_table(outcomes, nulls)


def _sizes(outcomes: Sequence[NightOutcome]) -> str:
    """Return a sentence on the sizes of the shops in each world."""
    worlds_of: dict[str, list[str]] = {}
    for world in dict.fromkeys(outcome.world for outcome in outcomes):
        shops = [outcome for outcome in outcomes if outcome.world == world]
        size = (
            f"{_either(shop.users for shop in shops)} users and {_either(shop.items for shop in shops)} items"
        )
        worlds_of.setdefault(size, []).append(f"`{world}`")
    return "Shops have " + "; ".join(f"{size} ({', '.join(worlds)})" for size, worlds in worlds_of.items())


def _either(numbers: Iterable[int]) -> str:
    *others, last = [f"{number:,}" for number in sorted(set(numbers))]
    return f"{', '.join(others)} or {last}" if others else last


def night_table(outcomes: Sequence[NightOutcome], nulls: Sequence[NightOutcome] = ()) -> str:
    """Return a Markdown table of policies by worlds, then the comparison of the goals.

    Numbers are means over shops of the share of the gap between logging and the best policy, with their
    standard errors; every shop counts alike.
    """
    worlds = list(dict.fromkeys(outcome.world for outcome in outcomes))
    lines = [
        f"| | {' | '.join(worlds)} | all worlds |",
        f"|---|{'---|' * (len(worlds) + 1)}",
    ]
    for name, pick in _rows(outcomes).items():
        cells = [_mean(pick, [one for one in outcomes if one.world == world]) for world in worlds]
        lines.append(f"| {name} | {' | '.join(cells)} | {_mean(pick, outcomes)} |")
    lines += ["", *_against_plain(outcomes, worlds)]
    if nulls:
        promoted = sum(outcome.verdict == "promote" for outcome in nulls)
        lines += [
            "",
            f"Nulls (clicks dealt out to impressions at random): {promoted} of {len(nulls)} nights promoted "
            "a policy.",
        ]
    seconds = [outcome.learn_seconds for outcome in outcomes]
    evaluation = [outcome.evaluate_seconds for outcome in outcomes]
    lines += [
        "",
        f"Learning took {np.mean(seconds):.0f} and evaluating {np.mean(evaluation):.0f} seconds of one "
        f"processor in the mean ({len(outcomes)} nights, other work beside them).",
    ]
    return "\n".join(lines) + "\n"


def _rows(outcomes: Sequence[NightOutcome]) -> Mapping[str, Pick]:
    names = list(dict.fromkeys(name for outcome in outcomes for name in outcome.values))
    ordered = [*(name for name in PLAIN if name in names), *(name for name in names if name not in PLAIN)]
    rows: dict[str, Pick] = {f"`{name}`": _of_policy(name) for name in ordered}
    rows[FIRST] = lambda outcome: outcome.share(outcome.values[outcome.asks])
    rows[SERVES] = lambda outcome: outcome.share(outcome.served)
    return rows


def _of_policy(name: str) -> Pick:
    return lambda outcome: outcome.share(outcome.values[name])


def _mean(pick: Pick, outcomes: Sequence[NightOutcome]) -> str:
    found = np.array([pick(outcome) for outcome in outcomes])
    return f"{found.mean():.3f}{_error(found)}"


def _error(found: NDArray[np.float64]) -> str:
    """Return the standard error of the mean in brackets; empty for a single shop."""
    return "" if len(found) < 2 else f" ({found.std(ddof=1) / np.sqrt(len(found)):.3f})"


def _against_plain(outcomes: Sequence[NightOutcome], worlds: Sequence[str]) -> list[str]:
    """Return the rows of first contender and served policy less the best plain baseline, paired by shop."""
    lines = [
        "| less the best plain baseline, paired by shop | "
        + " | ".join(worlds)
        + " | all worlds | without personal |",
        f"|---|{'---|' * (len(worlds) + 2)}",
    ]
    parts = [[one for one in outcomes if one.world == world] for world in worlds]
    parts += [list(outcomes), [one for one in outcomes if one.world != "personal"]]
    rows = _rows(outcomes)
    for name in (FIRST, SERVES):
        cells = []
        for part in parts:
            plain = [f"`{one}`" for one in PLAIN if part and one in part[0].values]
            best = max(plain, key=lambda one: np.mean([rows[one](outcome) for outcome in part]), default=None)
            if best is None:
                cells.append("")
                continue
            gain = np.array([rows[name](outcome) - rows[best](outcome) for outcome in part])
            cells.append(f"{gain.mean():+.3f}{_error(gain)} over {best}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines
