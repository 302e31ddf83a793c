"""Rows of sample nights, drawn from a seeded generator; each maker fills one published table."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import NormalDist
from typing import Any

import polars as pl

from features.contracts.findings import Finding, finding, to_json
from features.contracts.outputs import OUTPUTS
from flows.stages.worded import worded, worded_interval
from reports.wording.sentences import say, say_rule


@dataclass(frozen=True)
class Arm:
    """A policy of a sample night: its true value, and how well the log supports it."""

    policy: str
    true_value: float
    ess_share: float


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as the table of this contract; a row may leave nullable columns out."""
    columns = OUTPUTS[name].column_names()
    filled = [{column: row.get(column) for column in columns} for row in rows]
    if not filled:
        return OUTPUTS[name].create_empty()
    return OUTPUTS[name].validate(pl.DataFrame(filled, infer_schema_length=None), cast=True)


def policy_value_rows(
    draw: random.Random,
    run: dict[str, Any],
    domain: str,
    arms: list[Arm],
    segments: list[str],
    *,
    n_rounds: int,
    unit: str,
    simulated: bool,
) -> list[dict[str, Any]]:
    rows = []
    for segment in ["all", *segments]:
        share = 1.0 if segment == "all" else draw.uniform(0.5, 1.5) / max(1, len(segments))
        n = int(n_rounds * share)
        for arm in arms:
            truth = arm.true_value * (1 if segment == "all" else draw.uniform(0.7, 1.3))
            error = (truth * (1 - truth) / (n * arm.ess_share)) ** 0.5
            for estimator, wider in (("dr", 1.0), ("snips", 1.2), ("ips", 1.5), ("dm", 0.7)):
                value = truth + draw.gauss(0, error * wider)
                rows.append(
                    run
                    | {
                        "domain": domain,
                        "segment_id": segment,
                        "policy": arm.policy,
                        "estimator": estimator,
                        "value": max(0.0, value),
                        "lower": max(0.0, value - 1.96 * error * wider),
                        "upper": max(0.0, value + 1.96 * error * wider),
                        "n_rounds": n,
                        "n_users": n if unit == "round" else max(7, n // 60),
                        "ess": n * arm.ess_share,
                        "mean_weight": draw.gauss(1, 0.02),
                        "max_weight": 1.0 if arm.ess_share == 1 else draw.uniform(6, 40),
                        "supported_share": 1.0 if arm.ess_share == 1 else draw.uniform(0.97, 1.0),
                        **interval(arm.policy, estimator, "users" if unit == "user" else "rounds"),
                        "true_value": truth if simulated else None,
                    }
                )
    return rows


def interval(policy: str, estimator: str, clusters: str) -> dict[str, str]:
    """Return the columns about an interval; that of the direct method leaves out the error of its model."""
    made_by = [finding("bca", policy, clusters=clusters, n_resamples=1000)]
    if estimator == "dm":
        made_by.append(Finding("model_error_left_out", policy))
    return worded_interval(made_by)


def judged(n_rounds: int, *, baseline_value: float, ess: float, n_origins: int = 1) -> dict[str, Any]:
    """Return the columns of a verdict that say which rounds it rests on."""
    return {
        "n_rounds": n_rounds,
        "ess": ess,
        "baseline_value": baseline_value,
        "judged_from": date(2026, 1, 8),
        "judged_to": date(2026, 1, 28),
        "n_origins": n_origins,
        "split_by": "time",
        "evidence_level": "logged",
    }


def compared(code: str, policy: str, other: str, *, difference: float, lower: float, upper: float) -> Finding:
    """Return what the gate finds of two policies."""
    resolution = {} if code in ("gain_shown", "harm_shown") else {"resolution": 1e-6}
    return finding(
        code,
        policy,
        other=other,
        difference=difference,
        lower=lower,
        upper=upper,
        confidence=0.95,
        **resolution,
    )


def segment_verdict_rows(
    draw: random.Random,
    run: dict[str, Any],
    domain: str,
    segments: list[str],
    *,
    champion: str,
    baseline: str,
    center: float,
    half_width: float,
) -> list[dict[str, Any]]:
    rows = []
    for place, segment in enumerate(segments):
        difference = draw.gauss(center, half_width) - (3 * half_width if place == 2 else 0)
        lower, upper = difference - half_width, difference + half_width
        harm = NormalDist(difference, half_width / 1.96).cdf(0)
        verdict = "kept" if harm > 0.5 or champion == "incumbent" else "served"
        candidate = "reptile" if domain == "advertising" else "maml"
        rows.append(
            run
            | judged(180, baseline_value=0.03, ess=60.0)
            | {
                "domain": domain,
                "segment_id": segment,
                "candidate": candidate,
                "champion": champion if verdict == "served" else "incumbent",
                "baseline": baseline,
                "difference": difference,
                "lower": lower,
                "upper": upper,
                "verdict": verdict,
                "harm_probability": harm,
                "holm_p_value": 0.001 if upper < 0 else 1.0,
                **worded([_of_segment(candidate, verdict, champion, harm)]),
            }
        )
    return rows


def _of_segment(candidate: str, verdict: str, champion: str, harm: float) -> Finding:
    if champion == "incumbent":
        return finding("nothing_promoted", candidate, harm_probability=harm)
    return finding(f"segment_{verdict}", candidate, harm_probability=harm, keep_above=0.5)


def task_rows(
    draw: random.Random, run: dict[str, Any], domain: str, segments: list[str], n_rounds: int, *, unit: str
) -> list[dict[str, Any]]:
    rows = []
    for place, segment in enumerate(segments):
        n = int(n_rounds * draw.uniform(0.5, 1.5))
        status, why = "used", finding("own_task", segment)
        if place == 1:
            n, status = 312, "merged"
            why = finding("merged_segment", segment, n_rounds=n, least=500, merged_into=segments[0])
        if place == 4:
            n, status = 40, "pooled_only"
            why = finding("too_few_rounds", segment, least=500)
        rows.append(
            run
            | {
                "domain": domain,
                "segment_id": segment,
                "n_support": n // 2,
                "n_query": n // 5,
                "n_holdout": n - n // 2 - n // 5,
                "n_users": n if unit == "round" else (9 if place == 1 else 4 + n // 40),
                "split": ("meta_train", "meta_train", "meta_train", "meta_validation", "meta_test")[place % 5]
                if status == "used"
                else None,
                "support_until": datetime(2019, 11, 27, 12, 30, tzinfo=UTC),
                "query_until": datetime(2019, 11, 28, 18, 0, tzinfo=UTC),
                "status": status,
                "reason": say([why]),
                "reason_code": why.code,
                "findings": to_json([why]),
            }
        )
    return rows


def curve_rows(
    draw: random.Random, run: dict[str, Any], domain: str, start: float, end: float
) -> list[dict[str, Any]]:
    rows = []
    for rank, learner in enumerate(("maml", "reinforce", "reptile")):
        goal = end - 0.1 * rank * (end - start)
        for step in range(0, 601, 20):
            progress = 1 - 2 ** (-step / 120)
            value = start + (goal - start) * progress + draw.gauss(0, 0.03 * (end - start))
            adapts = 0.0 if learner == "reinforce" else 0.25
            rows.append(
                run
                | {
                    "domain": domain,
                    "learner": learner,
                    "step": step,
                    "loss": (1 + rank) * (0.4 - 0.25 * progress) + draw.gauss(0, 0.004),
                    "validation_value": value,
                    "zero_shot_value": value - adapts * (end - start) * progress,
                    "seconds": draw.uniform(0, 100),
                }
            )
    return rows


def comparison_rows(
    run: dict[str, Any], domain: str, n_segments: int, gains: dict[str, float]
) -> list[dict[str, Any]]:
    """Return each learner against two plain ones; gains: over the first, half of it over the other."""
    rows = []
    for learner, gain in gains.items():
        for rank, baseline in enumerate(("pooled_reward_model", "random_effects")):
            difference = gain / (1 + rank)
            ends = {"lower": difference - 0.002, "upper": difference + 0.0025}
            spread = ends | {"p_value": 0.004 * (1 + rank), "holm_p_value": 0.008}
            rows.append(
                run
                | {"domain": domain, "learner": learner, "baseline": baseline, "n_segments": n_segments}
                | {"difference": difference, "is_claimed": n_segments >= 20 and ends["lower"] > 0}
                | (spread if n_segments > 1 else {})
            )
    return rows


def adaptation_rows(
    run: dict[str, Any], domain: str, start: float, gains: dict[str, float], *, simulated: bool
) -> list[dict[str, Any]]:
    """Return a curve over support per learner, and one over steps of the first; gains: with all rounds."""
    shares = {0: 0.0, 25: 0.1, 50: 0.3, 100: 0.55, 200: 0.8, None: 1.0}
    steps = {0: 0.0, 1: 0.5, 3: 1.0, 5: 1.1, 10: 0.9}
    return [
        run
        | {
            "domain": domain,
            "learner": learner,
            "curve": curve,
            "amount": amount,
            "value": start + gain * share,
            "true_value": start + 0.9 * gain * share if simulated else None,
        }
        for learner, gain in gains.items()
        for curve, amounts in (("support_rounds", shares), ("inner_steps", steps))
        if curve == "support_rounds" or learner == next(iter(gains))
        for amount, share in amounts.items()
    ]


def segment_slate_rows(draw: random.Random, run: dict[str, Any], segments: list[str]) -> list[dict[str, Any]]:
    return [
        row
        for segment in segments
        for row in _slate(draw, run, segment, segment, surface=segment.split("-")[0], n_items=80)
    ]


def user_slate_rows(draw: random.Random, run: dict[str, Any], segments: list[str]) -> list[dict[str, Any]]:
    sizes = [6 if place == 1 else draw.randint(30, 60) for place in range(len(segments))]
    return [
        row
        for segment, size in zip(segments, sizes, strict=True)
        for user in range(size)
        for row in _slate(draw, run, segment, f"u-{segment}-{user:04d}", surface="home", n_items=32)
    ]


def experiment_rows(run: dict[str, Any], users: tuple[int, int] = (1_204, 4_871)) -> list[dict[str, Any]]:
    """Return the row of an experiment that goes on; users: of both arms."""
    interval = {"difference": 0.0031, "lower": -0.0012, "upper": 0.0074, "confidence": 0.95}
    candidate = "reptile-2026-01-01-77b0e3f2"
    found = finding("experiment_goes_on", candidate, day=4, max_days=28, **interval)
    return [
        run
        | interval
        | {
            "domain": "recommendation",
            "experiment_id": f"recommendation/{candidate}",
            "candidate": candidate,
            "champion": "maml-77b0e3f2",
            "started_on": date(2026, 1, 1),
            "day": 4,
            "share": 0.2,
            "n_users_candidate": users[0],
            "n_users_champion": users[1],
            "n_rounds_candidate": 9_377,
            "n_rounds_champion": 38_120,
            "value_candidate": 0.0712,
            "value_champion": 0.0681,
            "served_share": 0.97,
            "status": "running",
            **worded([found]),
        }
    ]


def _slate(
    draw: random.Random, run: dict[str, Any], segment: str, user: str, *, surface: str, n_items: int
) -> list[dict[str, Any]]:
    favorite = sum(map(ord, segment)) % n_items
    ranked = [(favorite + 5 * place) % n_items for place in range(4)]
    items = draw.sample(ranked, 3) if draw.random() < 0.3 else ranked[:3]
    rows = []
    for rank, item in enumerate(items, start=1):
        score = 0.08 / (1 + ranked.index(item)) if n_items == 32 else 0.006 / (1 + ranked.index(item) / 2)
        explores = item != ranked[rank - 1]
        rows.append(
            run
            | {
                "as_of": date(2026, 1, 5),
                "segment_id": segment,
                "user_key": user,
                "surface": surface,
                "slot_rank": rank,
                "item_id": f"item-{item:03d}",
                "item_name": f"Cedar pan {item}" if n_items == 32 else None,
                "score": score,
                "propensity": 0.06 if explores else 0.7,
                "slate_log_probability": -1.2,
                "score_lower": 0.7 * score,
                "score_upper": 1.4 * score,
                "is_exploration": explores,
                "reason_code": "exploration" if explores else "promoted",
                "reason_text": "Drawn to learn from."
                if explores
                else "Most clicked in this segment for its slot.",
                "rule_ids": "",
                "fallback_level": "pooled" if draw.random() < 0.1 else "segment",
                "policy_version": "maml-77b0e3f2",
                "evidence_level": "logged",
            }
        )
    return rows


def ranked_rows(run: dict[str, Any], n_users: int) -> list[dict[str, Any]]:
    """Return the lists of a ranker: two places of a pool of three items, no user explores."""
    return [
        run
        | {
            "as_of": date(2026, 2, 1),
            "segment_id": "all",
            "user_key": f"user-{user:02}",
            "surface": "all",
            "slot_rank": place,
            "item_id": f"item-{(user + place) % 3}",
            "item_name": None,
            "score": 0.5 / place,
            "propensity": 0.9 + 0.1 / 3,
            "slate_log_probability": -0.09,
            "is_exploration": False,
            "reason_code": "similar_items",
            "reason_text": say([Finding("similar_items", "item_to_item")]),
            "rule_ids": "",
            "fallback_level": "pooled",
            "policy_version": "item_to_item",
            "evidence_level": "unproven",
        }
        for user in range(n_users)
        for place in (1, 2)
    ]


def ranker_rows(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what two rankers were worth on two windows; the second one serves."""
    measured = {
        "popularity": (0.12, None),
        "item_to_item": (0.2, 0.08),
    }
    return [
        run
        | {
            "domain": "recommendation",
            "ranker": ranker,
            "metric": metric,
            "cutoff": 10,
            "value": value,
            "lower": value - 0.02,
            "upper": value + 0.02,
            "difference": difference,
            "difference_lower": None if difference is None else difference - 0.03,
            "difference_upper": None if difference is None else difference + 0.03,
            "n_users": 400,
            "n_cold_users": 30,
            "window_from": datetime(2026, 1, day, tzinfo=UTC),
            "window_until": datetime(2026, 1, day + 8, tzinfo=UTC),
            "is_chosen": ranker == "item_to_item",
        }
        for day in (15, 23)
        for ranker, (value, difference) in measured.items()
        for metric in ("ndcg", "hit_rate")
    ]


def creative_rows(draw: random.Random, run: dict[str, Any], segments: list[str]) -> list[dict[str, Any]]:
    return [
        run
        | {
            "segment_id": segment,
            "campaign_id": "winter",
            "channel": channel,
            "creative_id": f"creative-{creative}",
            "probability": (0.55, 0.3, 0.15)[creative],
            "score": 0.03 + 0.004 * (1 - creative) + draw.uniform(0, 0.002),
            "ess": draw.uniform(200, 900),
            "fallback_level": "segment",
            "policy_version": "incumbent",
            "evidence_level": "logged",
        }
        for segment in segments
        for channel in ("search", "social")
        for creative in range(3)
    ]


def line_counts(source_name: str, n_rows: int, rejected: int = 0) -> dict[str, Any]:
    """Return the row over all rules of a source."""
    code = "some_lines_rejected" if rejected else "all_lines_loaded" if n_rows else "no_lines"
    return {
        "source_name": source_name,
        "n_rows": n_rows,
        "n_loaded": n_rows - rejected,
        "n_rejected": rejected,
        **_of_lines(Finding(code, source_name)),
        "example": None,
    }


def broken_rule(
    source: dict[str, Any], why: Finding, line: int, n_rejected: int, example: str
) -> dict[str, Any]:
    """Return the row of one rule that some of the source's lines broke, first on this line."""
    found = Finding("first_rejected_line", source["source_name"], {"line": line}, (why,))
    return source | _of_lines(found) | {"n_rejected": n_rejected, "example": example}


def _of_lines(found: Finding) -> dict[str, str]:
    words = worded([found])
    columns = {"reason": words["reasons"], "rule": say_rule(found)}
    return columns | {name: words[name] for name in ("reason_codes", "findings")}


def arm_rows(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return two arms that told of each other, and one log that could not."""
    shared = run | {
        "domain": "recommendation",
        "estimator": "snips",
        "n_rounds": 10000,
        "mean_weight": 1.0,
        **worded_interval([finding("bca", "arm", clusters="rounds", n_resamples=1000)]),
    }
    told = {"is_covered": True, "is_trusted": True, **worded([finding("log_speaks", "arm")])}
    few = finding("few_effective_rounds", "arm", ess=2.1, n_rounds=10_000, least=100.0, units="rounds")
    refused = {
        "is_covered": True,
        "is_trusted": False,
        **worded([Finding("cannot_be_judged", "arm", because=(few,))]),
    }
    return [
        shared | {"surface": surface, "policy_version": arm, "logged_by": log} | _ends(*ends) | judged
        for surface, arm, log, ends, judged in (
            ("men", "bts", "random", (0.0056, 0.0033, 0.0081, 0.0069), told | {"ess": 4105.0}),
            ("men", "random", "bts", (0.0032, 0.0017, 0.0049, 0.0046), told | {"ess": 650.0}),
            ("women", "random", "bts", (0.0024, 0.0004, 0.0151, 0.0046), refused | {"ess": 2.1}),
        )
    ]


def _ends(value: float, lower: float, upper: float, observed: float) -> dict[str, float]:
    return {
        "value": value,
        "lower": lower,
        "upper": upper,
        "observed_value": observed,
        "observed_lower": 0.75 * observed,
        "observed_upper": 1.3 * observed,
    }
