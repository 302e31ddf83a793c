"""The learner table: a summary as Markdown, for people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from flows.simulations.studies.learners import LEARNERS, MIXED, POOLED, RANDOM_EFFECTS, SHIPPED
from flows.simulations.studies.split_ledger import SplitUse, used_again
from offline_rl.comparison.inference import standard_error

ORDER = (POOLED, *(name for name in LEARNERS if name != POOLED), SHIPPED)

Summary = Mapping[str, Any]
Cell = Callable[[Mapping[str, Any]], str]


def markdown(
    summary: Summary, ledger: Sequence[SplitUse], settings: Mapping[str, Any], config_sha256: str
) -> str:
    """Return the whole document; it depends only on the arguments, so equal outcomes give equal bytes."""
    study = settings["study"]
    seeds = sorted({seed for world in summary.values() for seed in _seeds(world)}, key=int)
    head = f"""# Learners

Share of the gap between the logging policy and the best policy that each learner closes, by **true** value,
on segments that nothing was tuned on: it may adapt to a segment's rounds before the holdout, the pooled model
is fitted again with them before it serves, and both are evaluated on the holdout. 0 is the logging policy; 1
is the best policy that knows segment, attributes and day.

Written by `make learners`, not by hand. Studies of {study["regions"]} regions x 3 devices, {study["users"]:,}
users, {study["items"]} items and {study["days"]} days; seeds {", ".join(seeds)}, each with a world, logs,
split and training of its own. Every policy explores with {settings["exploration"]:.0%} uniform choice, has
the same support, and was tuned on meta-validation segments alone. The frozen configuration is
`{config_sha256[:12]}`.
"""
    parts = [
        head,
        _grid(summary, "Share of the gap, mean and standard error over seeds", _share),
        _fewer_seeds(summary),
        _grid(summary, _BEFORE, _share_before_refit),
        _equal_rows(summary),
        _goals(summary),
        _shipped(summary),
        _against(summary),
        _grid(summary, _HARM, _harm),
        _grid(summary, _ESTIMATED, lambda row: f"{row['share_by_estimate']:.2f}"),
        _curves(summary, "steps", "Gradient steps K on the support", "learner"),
        _curves(summary, "support", "Rounds of support", "learner"),
        _seconds(summary),
        _split_uses(ledger, config_sha256),
    ]
    return "\n".join(part for part in parts if part)


_BEFORE = (
    "The same before the refit: the pooled model was fitted without these segments, adaptation uses their "
    "support"
)
_HARM = (
    "Harm: segments truly worse off than with the pooled model by over a point / clearly so by estimate / "
    "mean lift over logging of the worst tenth"
)
_ESTIMATED = "The same share as the log estimates it (doubly robust), which is all that a real shop has"


_WHY_EQUAL = (
    "Two rows are equal to the last digit where validation kept no step of a learner or switched its "
    "adaptation off, so that it serves the model that it started from, and for `mixed_effects` where no "
    "segment was found to differ."
)


def _share(row: Mapping[str, Any]) -> str:
    return _with_error(row["share"], row["standard_error"])


def _share_before_refit(row: Mapping[str, Any]) -> str:
    return _with_error(row["share_before_refit"], row["standard_error_before_refit"])


def _with_error(mean: float, error: float) -> str:
    return f"{mean:.3f}" if np.isnan(error) else f"{mean:.3f} ({error:.3f})"


def _harm(row: Mapping[str, Any]) -> str:
    worse = f"{row['truly_worse']:.0%}" if "truly_worse" in row else "-"
    return f"{worse} / {row['clearly_worse']:.0%} / {row['worst_decile_lift']:+.0%}"


def _grid(summary: Summary, title: str, cell: Cell) -> str:
    """Return a table with a row per learner and a column per world; the best share of a world is bold."""
    rows = []
    for name in _present(summary):
        cells = []
        for world in summary.values():
            row = world["learners"].get(name)
            text = "" if row is None else cell(row)
            cells.append(f"**{text}**" if cell is _share and world["best"] == name else text)
        rows.append([name, *cells])
    return _table(title, ["learner", *summary], rows)


def _equal_rows(summary: Summary) -> str:
    """Return the learners that served the same as another in every seed of a world, with the reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for world, of_world in summary.items():
        first_of: dict[tuple[float, ...], str] = {}
        for name in ORDER:  # learners with fewer seeds can only equal one another
            row = of_world["learners"].get(name)
            if row is not None and name != SHIPPED:
                first = first_of.setdefault(tuple(row["shares"].values()), name)
                if first != name:
                    found.setdefault((name, first), []).append(world)
    if not found:
        return ""
    lines = ["## Rows that equal another", "", _WHY_EQUAL, ""]
    lines += [f"- {name} is {first} in {', '.join(worlds)}" for (name, first), worlds in found.items()]
    return "\n".join([*lines, ""])


def _goals(summary: Summary) -> str:
    lines = ["## Goals", ""]
    for world, of_world in summary.items():
        rows = of_world["learners"]
        if SHIPPED not in rows:
            continue
        name = of_world["best"]
        shipped, best = rows[SHIPPED]["shares"], rows[name]
        behind = [best["shares"][seed] - share for seed, share in shipped.items() if seed in best["shares"]]
        # The smaller of two errors: a choice that fails rarely but badly has a large standard error.
        error = min(standard_error(behind), best["standard_error"])
        lines.append(
            f"- {_mark(float(np.mean(behind)) <= error)} {world}: what ships is within one standard error of "
            f"the best learner: {100 * np.mean(behind):+.1f} points behind {name}, standard "
            f"error {100 * error:.1f} (the smaller of the best learner's own and the paired difference's)."
        )
    nonlinear = summary.get("nonlinear", {"learners": {}})["learners"]
    if MIXED in nonlinear and RANDOM_EFFECTS in nonlinear:
        ahead = 100 * (nonlinear[MIXED]["share"] - nonlinear[RANDOM_EFFECTS]["share"])
        lines.append(
            f"- {_mark(ahead >= 8)} nonlinear: {MIXED} at least 8 points above empirical-Bayes random "
            f"effects: {ahead:+.1f} points."
        )
    same = summary.get("homogeneous", {"learners": {}})["learners"]
    for name in (MIXED, SHIPPED):
        if name in same and POOLED in same:
            lost = 100 * (same[POOLED]["share"] - same[name]["share"])
            lines.append(
                f"- {_mark(lost <= 1)} homogeneous: {name} loses no more than 1 point against the pooled "
                f"model: {lost:+.1f} points."
            )
    return "\n".join([*lines, ""])


def _mark(met: bool) -> str:
    return "met:" if met else "**not met:**"


def _shipped(summary: Summary) -> str:
    rows = []
    for world, of_world in summary.items():
        if SHIPPED in of_world["learners"]:
            chosen = of_world["learners"][SHIPPED]["chosen"]
            rows.append([world, ", ".join(f"{name} {count}" for name, count in chosen.items())])
    title = "What ships: the surest gain on the validation segments, by seeds"
    return _table(title, ["world", "chosen"], rows) if rows else ""


def _against(summary: Summary) -> str:
    """Return the comparisons with the strongest baseline; JSON has all, and p-values are adjusted for all."""
    rows = []
    for world, of_world in summary.items():
        strongest = of_world["strongest_baseline"]
        for name in ORDER:
            found = of_world["learners"].get(name, {}).get("against", {}).get(strongest)
            if found is None:
                continue
            claim = "beats it" if found["is_claimed"] else ("loses" if found["upper"] < 0 else "no claim")
            rows.append(
                [
                    world,
                    name,
                    strongest,
                    f"{found['mean']:+.1f}",
                    f"{found['lower']:+.1f} to {found['upper']:+.1f}",
                    f"{found['holm_p_value']:.3f}",
                    claim,
                ]
            )
    title = (
        "Against the strongest baseline of each world: points of the gap, 95 % of a bootstrap over seeds and "
        "segments, p-value adjusted for all baselines (Holm)"
    )
    return _table(title, ["world", "learner", "baseline", "difference", "95 %", "p", "verdict"], rows)


def _curves(summary: Summary, key: str, title: str, first: str) -> str:
    points: list[str] = []
    rows = []
    for world, of_world in summary.items():
        for name in ORDER:
            curve = of_world["learners"].get(name, {}).get(key)
            if curve:
                points = list(curve)
                rows.append([world, name, *(f"{value:.3f}" for value in curve.values())])
    title = f"{title}: share of the gap before the refit"
    return _table(title, ["world", first, *points], rows) if rows else ""


def _seconds(summary: Summary) -> str:
    rows = []
    for name in _present(summary):
        found = [world["learners"][name] for world in summary.values() if name in world["learners"]]
        train, evaluation = (
            np.mean([row[key] for row in found]) for key in ("train_seconds", "judge_seconds")
        )
        if name != SHIPPED:
            rows.append([name, f"{train:.1f}", f"{evaluation:.1f}"])
    title = "Seconds per study (one thread; the warm start that all share counts for the pooled model)"
    return _table(title, ["learner", "training", "evaluation, curves included"], rows)


def _split_uses(ledger: Sequence[SplitUse], config_sha256: str) -> str:
    again = used_again(ledger)
    mine = [entry for entry in ledger if entry.config_sha256 == config_sha256]
    splits = {(entry.world, entry.seed): entry.split_sha256 for entry in mine}
    lines = [
        "## Uses of the test splits",
        "",
        f"{len(mine)} by this configuration, in {len(splits)} studies. "
        f"{len(again)} of all in the ledger were used more than once.",
        "",
    ]
    alike: dict[tuple[str, ...], list[str]] = {}
    for (world, seed, learner), configs in again.items():
        alike.setdefault(tuple(configs), []).append(f"{learner} in {world} {seed}")
    for group, members in alike.items():
        who = members[0] if len(members) == 1 else f"{members[0]} and {len(members) - 1} more, each"
        lines.append(f"- {who}: {len(group)} uses, by {', '.join(config[:12] for config in group)}")
    return "\n".join(lines + [""] * bool(again))


def _seeds(world: Mapping[str, Any]) -> list[str]:
    """Return the seeds of the learner with the most seeds."""
    return max((list(row["shares"]) for row in world["learners"].values()), key=len)


def _fewer_seeds(summary: Summary) -> str:
    """Return tables of learners on some of the seeds only, with the pooled model on the same seeds."""
    names_on: dict[tuple[str, ...], list[str]] = {}
    for name in ORDER:
        held = [world["learners"][name]["shares"] for world in summary.values() if name in world["learners"]]
        if held and not _is_whole(name, summary):
            names_on.setdefault(tuple(sorted({seed for one in held for seed in one}, key=int)), []).append(
                name
            )
    tables = []
    for seeds, names in names_on.items():
        rows = [
            [name, *(_share_on(world["learners"].get(name), seeds) for world in summary.values())]
            for name in (POOLED, *names)
        ]
        title = f"Evaluated on {'seeds' if len(seeds) > 1 else 'seed'} {', '.join(seeds)} alone"
        tables.append(_table(title, ["learner", *summary], rows))
    return "\n".join(tables)


def _share_on(row: Mapping[str, Any] | None, seeds: Sequence[str]) -> str:
    held = [row["shares"][seed] for seed in seeds if seed in row["shares"]] if row is not None else []
    return f"{np.mean(held):.3f}" if held else ""


def _is_whole(name: str, summary: Summary) -> bool:
    """Return whether a learner has every seed of every world that it has outcomes in."""
    return all(
        len(world["learners"][name]["shares"]) == len(_seeds(world))
        for world in summary.values()
        if name in world["learners"]
    )


def _present(summary: Summary) -> list[str]:
    """Return the learners with all seeds; the others have a separate table, since seeds differ."""
    known = [name for name in ORDER if any(name in world["learners"] for world in summary.values())]
    return [name for name in known if _is_whole(name, summary)]


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])
