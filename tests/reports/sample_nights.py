"""Nights to print: like the open bandit shop (hold), like the demo shop (promote), tiny, and two of shops
whose logs allow little: a budget and no more, or nothing at all.

Rows satisfy the contracts of features/contracts/outputs.py. Numbers are drawn with a fixed seed; they look
like a night, but nothing was learned.
"""

import random
from dataclasses import dataclass
from typing import Any

import polars as pl

from features.contracts.findings import Finding, finding
from flows.night_folder import Note
from flows.stages.worded import worded, worded_manifest
from tests.reports.sample_budget import budget_rows, budget_sample
from tests.reports.sample_rows import (
    Arm,
    adaptation_rows,
    arm_rows,
    broken_rule,
    compared,
    comparison_rows,
    creative_rows,
    curve_rows,
    experiment_rows,
    judged,
    line_counts,
    policy_value_rows,
    ranked_rows,
    ranker_rows,
    segment_slate_rows,
    segment_verdict_rows,
    table,
    task_rows,
    user_slate_rows,
)

WORD = {"kind": "text", "characters": 5, "digits": 0, "letters": 5, "at_signs": 0}
NUMBER = {"kind": "number", "characters": 3, "digits": 2, "letters": 0, "at_signs": 0}
HOVER = Finding("not_one_of", "event_type", {**WORD, "words": "view, click"})
NO_ROUNDS = {
    "recommendation": finding("no_propensities", "recommendation", n_rows=42_448_764),
    "advertising": finding("no_rows", "advertising", as_of="2026-02-01"),
}


@dataclass(frozen=True)
class SampleNight:
    """Tables by name, and the manifest."""

    tables: dict[str, pl.DataFrame]
    manifest: dict[str, Any]


def open_bandit_night() -> SampleNight:
    """Return a night without users and with few clicks: wide intervals, and the champion stays."""
    draw = random.Random(20191130)
    run = {"run_id": "2019-11-30-4f1c2a9d"}
    segments = [f"{campaign}-{group}" for campaign in ("all", "men", "women") for group in "abcde"]
    arms = [
        Arm("maml", 0.0049, 0.19),
        Arm("bts", 0.0046, 0.24),
        Arm("pooled_reward_model", 0.0045, 0.21),
        Arm("reptile", 0.0044, 0.23),
        Arm("per_segment", 0.0041, 0.12),
        Arm("reinforce", 0.0040, 0.31),
        Arm("random", 0.0038, 1.0),
    ]
    return SampleNight(
        tables={
            "out_policy_values": table(
                "out_policy_values",
                policy_value_rows(
                    draw, run, "recommendation", arms, segments, n_rounds=9046, unit="round", simulated=False
                ),
            ),
            "out_verdicts": table(
                "out_verdicts",
                [
                    run
                    | judged(9046, baseline_value=0.0046, ess=1718.7)
                    | {
                        "domain": "recommendation",
                        "segment_id": "all",
                        "candidate": "maml",
                        "champion": "bts",
                        "baseline": "bts",
                        "difference": 0.00031,
                        "lower": -0.0016,
                        "upper": 0.0023,
                        "verdict": "hold",
                        **worded(
                            [
                                compared(
                                    "no_gain_shown",
                                    "maml",
                                    "bts",
                                    difference=0.00031,
                                    lower=-0.0016,
                                    upper=0.0023,
                                )
                            ]
                        ),
                    },
                    *segment_verdict_rows(
                        draw,
                        run,
                        "recommendation",
                        segments,
                        champion="bts",
                        baseline="bts",
                        center=0.0003,
                        half_width=0.004,
                    ),
                ],
            ),
            "out_segment_tasks": table(
                "out_segment_tasks", task_rows(draw, run, "recommendation", segments, 2010, unit="round")
            ),
            "out_learning_curves": table(
                "out_learning_curves", curve_rows(draw, run, "recommendation", 0.0038, 0.0049)
            ),
            "out_learner_comparisons": table("out_learner_comparisons", []),
            "out_adaptation_curves": table("out_adaptation_curves", []),
            "out_arm_checks": table("out_arm_checks", arm_rows(run)),
            "out_recommendations": table("out_recommendations", segment_slate_rows(draw, run, segments)),
            "out_data_quality": table(
                "out_data_quality",
                [
                    run | line_counts(f"{policy}/{campaign}/{campaign}.csv", 10000)
                    for policy in ("bts", "random")
                    for campaign in ("all", "men", "women")
                ],
            ),
        },
        manifest={
            **run,
            "shop": "open_bandit",
            "as_of": "2019-11-30",
            "source": "open_bandit",
            "reward": "click",
            "unit": "round",
            "n_inputs": 6,
            "data_from": "2019-11-24",
            "data_to": "2019-11-30",
            "config": {"night": {"seed": 0, "reward": "click"}, "segments": {"clusters": 5}},
            "config_hash": "9c7e2b41d0aa",
            "versions": {"metacart": "0.1.0", "torch": "2.13.0", "polars": "2.1.0"},
            "seed": 0,
            "device": "cpu",
            **worded_manifest(
                {
                    domain: finding("no_rows", domain, as_of="2019-11-30")
                    for domain in ("advertising", "budget")
                },
                {},
                [Note("recommendation", "reinforce", finding("start_kept", "reinforce"))],
            ),
        },
    )


def demo_night() -> SampleNight:
    """Return a night with users, purchases and ads where the candidate wins; its truth is known."""
    draw = random.Random(20260105)
    events = line_counts("events-2026-01-05.csv.gz", 24_718, rejected=37)
    run = {"run_id": "2026-01-05-77b0e3f2"}
    segments = [
        f"{device}-{age}-{mood}"
        for device in ("app", "web")
        for age in ("new", "mid", "old")
        for mood in "abcd"
    ]
    arms = [
        Arm("maml", 0.0712, 0.22),
        Arm("reptile", 0.0689, 0.26),
        Arm("empirical_bayes", 0.0668, 0.3),
        Arm("pooled_reward_model", 0.0641, 0.34),
        Arm("reinforce", 0.0622, 0.41),
        Arm("incumbent", 0.0583, 1.0),
        Arm("popular", 0.0571, 0.18),
    ]
    ad_arms = [
        Arm("reptile", 0.0312, 0.4),
        Arm("pooled_reward_model", 0.0306, 0.45),
        Arm("incumbent", 0.0297, 1.0),
    ]
    verdicts = [
        run
        | judged(144_630, baseline_value=0.0668, ess=31_818.6, n_origins=3)
        | {
            "domain": "recommendation",
            "segment_id": "all",
            "candidate": "maml",
            "champion": "maml",
            "baseline": "empirical_bayes",
            "difference": 0.0044,
            "lower": 0.0019,
            "upper": 0.0070,
            "discounted_difference": 0.0039,
            "discounted_upper": 0.0068,
            "verdict": "promote",
            **worded(
                [
                    compared(
                        "gain_shown", "maml", "incumbent", difference=0.0371, lower=0.0342, upper=0.0399
                    ),
                    compared(
                        "gain_shown", "maml", "empirical_bayes", difference=0.0044, lower=0.0019, upper=0.0070
                    ),
                ]
            ),
        },
        run
        | judged(12_000, baseline_value=0.0306, ess=4_800.0)
        | {
            "domain": "advertising",
            "segment_id": "all",
            "candidate": "reptile",
            "champion": "incumbent",
            "baseline": "pooled_reward_model",
            "difference": -0.0021,
            "lower": -0.0038,
            "upper": -0.0004,
            "verdict": "reject",
            **worded(
                [
                    compared(
                        "harm_shown",
                        "reptile",
                        "pooled_reward_model",
                        difference=-0.0021,
                        lower=-0.0038,
                        upper=-0.0004,
                    )
                ]
            ),
        },
        *segment_verdict_rows(
            draw,
            run,
            "recommendation",
            segments,
            champion="maml",
            baseline="empirical_bayes",
            center=0.0045,
            half_width=0.008,
        ),
        *segment_verdict_rows(
            draw,
            run,
            "advertising",
            segments[:6],
            champion="incumbent",
            baseline="pooled_reward_model",
            center=-0.002,
            half_width=0.006,
        ),
    ]
    return SampleNight(
        tables={
            "out_policy_values": table(
                "out_policy_values",
                policy_value_rows(
                    draw, run, "recommendation", arms, segments, n_rounds=48_210, unit="user", simulated=True
                )
                + policy_value_rows(
                    draw,
                    run,
                    "advertising",
                    ad_arms,
                    segments[:6],
                    n_rounds=15_300,
                    unit="user",
                    simulated=True,
                ),
            ),
            "out_verdicts": table("out_verdicts", verdicts),
            "out_segment_tasks": table(
                "out_segment_tasks",
                task_rows(draw, run, "recommendation", segments, 8030, unit="user")
                + task_rows(draw, run, "advertising", segments[:6], 2550, unit="user"),
            ),
            "out_learning_curves": table(
                "out_learning_curves", curve_rows(draw, run, "recommendation", 0.058, 0.071)
            ),
            "out_learner_comparisons": table(
                "out_learner_comparisons",
                comparison_rows(run, "recommendation", 24, {"maml": 0.0081, "reptile": 0.0034})
                + comparison_rows(run, "advertising", 1, {"reptile": -0.0021}),
            ),
            "out_adaptation_curves": table(
                "out_adaptation_curves",
                adaptation_rows(
                    run, "recommendation", 0.064, {"maml": 0.0081, "reptile": -0.0012}, simulated=True
                ),
            ),
            "out_recommendations": table("out_recommendations", user_slate_rows(draw, run, segments)),
            "out_experiments": table("out_experiments", experiment_rows(run)),
            "out_ad_targeting": table("out_ad_targeting", creative_rows(draw, run, segments[:6])),
            **budget_sample(budget_rows(draw, run)),
            "out_data_quality": table(
                "out_data_quality",
                [
                    run | line_counts("impressions-2026-01-05.csv.gz", 161_204),
                    run | events,
                    run
                    | broken_rule(
                        events,
                        Finding("outside_bounds", "propensity", {**NUMBER, "above": 0, "at_most": 1}),
                        4117,
                        30,
                        "the line has a number of 3 characters as propensity",
                    ),
                    run
                    | broken_rule(
                        events,
                        HOVER,
                        90,
                        7,
                        "the line has a text of 5 characters as event_type",
                    ),
                    run | line_counts("ad_impressions-2026-01-05.csv.gz", 51_044),
                ],
            ),
        },
        manifest={
            **run,
            "shop": "demo",
            "as_of": "2026-01-05",
            "source": "simulated",
            "reward": "click",
            "unit": "user",
            "currency": "EUR",
            "n_inputs": 4,
            "data_from": "2025-12-07",
            "data_to": "2026-01-05",
            "config": {
                "night": {"seed": 7, "reward": "click"},
                "segments": {"by": ["device"], "min_rounds": 500},
            },
            "config_hash": "1b5d77c0e9f3",
            "versions": {"metacart": "0.1.0", "torch": "2.13.0", "polars": "2.1.0"},
            "seed": 7,
            "device": "cuda",
            "notes": [],
        },
    )


def tiny_night() -> SampleNight:
    """Return a night small enough to read its whole page: two policies, two segments, two budget cells."""
    draw = random.Random(1)
    run = {"run_id": "tiny-1"}
    arms = [Arm("maml", 0.30, 0.4), Arm("popular", 0.25, 0.5)]
    verdict = judged(400, baseline_value=0.25, ess=160.0) | {
        "domain": "recommendation",
        "candidate": "maml",
        "champion": "maml",
        "baseline": "popular",
        "difference": 0.0512,
        "lower": 0.0101,
        "upper": 0.0934,
        "discounted_difference": 0.0304,
        "discounted_upper": 0.0874,
        "verdict": "promote",
        **worded([compared("gain_shown", "maml", "popular", difference=0.0512, lower=0.0101, upper=0.0934)]),
    }
    return SampleNight(
        tables={
            "out_policy_values": table(
                "out_policy_values",
                policy_value_rows(
                    draw, run, "recommendation", arms, ["north"], n_rounds=400, unit="user", simulated=True
                ),
            ),
            "out_verdicts": table(
                "out_verdicts",
                [
                    run | verdict | {"segment_id": "all"},
                    run
                    | verdict
                    | {
                        "segment_id": "north",
                        "discounted_difference": None,
                        "discounted_upper": None,
                        "difference": -0.04,
                        "lower": -0.07,
                        "upper": -0.01,
                        "champion": "popular",
                        "verdict": "kept",
                        "harm_probability": 0.99,
                        "holm_p_value": 0.002,
                        **worded([finding("segment_kept", "maml", harm_probability=0.99, keep_above=0.5)]),
                    },
                ],
            ),
            "out_learner_comparisons": table(
                "out_learner_comparisons", comparison_rows(run, "recommendation", 5, {"maml": 0.02})
            ),
            "out_adaptation_curves": table(
                "out_adaptation_curves",
                adaptation_rows(run, "recommendation", 0.25, {"maml": 0.02}, simulated=False),
            ),
            **budget_sample(budget_rows(draw, run)[:2]),
            "out_data_quality": table(
                "out_data_quality",
                [
                    run | line_counts("clicks.csv", 1000, rejected=3),
                    run | line_counts("ad_spend_daily.csv", 56),
                ],
            ),
        },
        manifest={**run, "shop": "tiny", "as_of": "2026-01-05", "reward": "click", "currency": "EUR"},
    )


def budget_only_night() -> SampleNight:
    """Return a night of a shop that logs its ad spend and nothing else."""
    run = {"run_id": "2026-02-01-5e0c71aa"}
    return SampleNight(
        tables={
            **budget_sample(budget_rows(random.Random(4), run)),
            "out_data_quality": table("out_data_quality", [run | line_counts("ad_spend_daily.csv", 336)]),
        },
        manifest=_sparse_manifest(run) | worded_manifest(NO_ROUNDS, {}, []),
    )


def undecided_night() -> SampleNight:
    """Return a night of a shop whose events know no visitor: nothing can be decided."""
    run = {"run_id": "2026-02-01-c00d9b13"}
    events = line_counts("2019-Oct.csv.gz", 42_448_764, rejected=2)
    return SampleNight(
        tables={
            "out_data_quality": table(
                "out_data_quality",
                [
                    run | events,
                    run
                    | broken_rule(events, HOVER, 90, 2, "the line has a text of 5 characters as event_type"),
                ],
            ),
        },
        manifest=_sparse_manifest(run)
        | worded_manifest(NO_ROUNDS | {"budget": finding("no_rows", "budget", as_of="2026-02-01")}, {}, []),
    )


def unproven_night() -> SampleNight:
    """Return a night of a shop that logs purchases alone: 30 users get lists that nothing proves."""
    run = {"run_id": "2026-02-01-77aa01be"}
    why = Finding("acts_alone", "recommendation")
    without_ads = {domain: found for domain, found in NO_ROUNDS.items() if domain != "recommendation"}
    no_budget = {"budget": finding("no_rows", "budget", as_of="2026-02-01")}
    return SampleNight(
        tables={
            "out_recommendations": table("out_recommendations", ranked_rows(run, n_users=30)),
            "out_recommendation_quality": table("out_recommendation_quality", ranker_rows(run)),
            "out_data_quality": table("out_data_quality", [run | line_counts("orders.csv", 9_000)]),
        },
        manifest=_sparse_manifest(run)
        | {"unit": "user"}
        | worded_manifest(without_ads | no_budget, {"recommendation": why}, []),
    )


def _sparse_manifest(run: dict[str, str]) -> dict[str, Any]:
    """Return the manifest of a night that judged nothing: its logs say nothing of users."""
    return {
        **run,
        "shop": "sparse",
        "as_of": "2026-02-01",
        "source": "files",
        "reward": "click",
        "unit": "round",
        "currency": "EUR",
        "n_inputs": 1,
        "data_from": "2025-10-01",
        "data_to": "2026-02-01",
        "seed": 0,
        "notes": [],
    }
