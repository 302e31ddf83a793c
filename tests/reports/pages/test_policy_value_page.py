"""The page about one policy: an answer where there is one, a refusal where there is none."""

import re
from dataclasses import replace

import pytest

from features.contracts.findings import Finding, finding
from reports.pages.policy_value import policy_value_html
from reports.render import csp_hash
from reports.summaries.policy_answer import (
    Difference,
    EstimatedValue,
    LoggedPropensities,
    ModeledPropensities,
    PolicyAnswer,
    Repeats,
    RobustAnswer,
    WeightBand,
)
from reports.wording.sentences import say

DIAGNOSTICS = {
    "n_rounds": 10_000,
    "n_clusters": 900,
    "ess": 4000.0,
    "design_effect": 1.3,
    "top_cluster_share": 0.004,
    "mean_weight": 1.0,
    "mean_weight_lower": 0.98,
    "mean_weight_upper": 1.02,
    "max_weight": 9.0,
    "supported_share": 1.0,
    "n_informative_clusters": 500,
    "pareto_k": float("-inf"),
    "top_weight_share": 0.05,
}
LIMITS = {
    "min_clusters": 100,
    "min_informative_clusters": 20,
    "min_ess": 100.0,
    "min_ess_share": 0.01,
    "max_pareto_k": 0.7,
    "min_top_weight_share": 0.1,
    "max_cluster_share": 0.1,
    "min_supported_share": 0.95,
    "mean_weight_confidence": 0.99,
    "mean_weight_slack": 0.005,
}
BCA = finding("bca", "policy", clusters="clusters", n_resamples=1000)
GAIN = Difference(0.00403, 0.0012, 0.0069)
TRUSTED = PolicyAnswer(
    source="week <script>alert(1)</script>.parquet",
    n_rounds=10_000,
    cluster="user",
    confidence=0.95,
    n_resamples=1000,
    seed=0,
    propensities=LoggedPropensities(findings=(), n_tests=5),
    logged=EstimatedValue("logging policy", 0.0381, 0.0366, 0.0396, (BCA,)),
    resolution=1e-6,
    repeats=Repeats(10_000, 12),
    estimates=(
        EstimatedValue("dr", 0.04213, 0.0391, 0.0452, (BCA,), GAIN),
        EstimatedValue("snips", 0.0424, 0.0388, 0.0461, (BCA,)),
        EstimatedValue("dm", 0.0217, 0.0215, 0.0219, (BCA, finding("model_error_left_out", "policy"))),
        EstimatedValue("ips:0.1", None, None, None, (finding("no_value", "policy"),)),
    ),
    diagnostics=DIAGNOSTICS,
    limits=LIMITS,
    gate_mean_weight=(0.97, 1.03),
    trusted=True,
    reasons=(),
    weight_bands=(WeightBand(0.0, 0.0, 0.25, 0.0), WeightBand(0.0, 0.5, 0.75, 1.0)),
)
REFUSED = replace(
    TRUSTED,
    trusted=False,
    reasons=(finding("few_effective_rounds", "policy", ess=2.1, n_rounds=10_000, least=100, units="rounds"),),
    diagnostics=DIAGNOSTICS | {"ess": 2.1, "pareto_k": float("nan")},
)
FINDING = finding("probabilities_off", "log", row=7, n_actions=3, sum=0.9, n_off=4, n_rounds=10_000)
AUDITED = replace(
    TRUSTED, trusted=False, reasons=(FINDING,), propensities=LoggedPropensities((FINDING,), n_tests=5)
)
ESTIMATED = replace(
    TRUSTED,
    propensities=ModeledPropensities(
        note=finding("estimated_propensities", "log"),
        assumption=finding("context_assumed", "log"),
        remarks=(finding("often_certain", "log", settled_share=0.07),),
        calibration_error=0.0123,
        max_calibration_error=0.05,
        foreseen_share=0.61,
        is_identified=True,
    ),
)
HEAVY = replace(
    REFUSED,
    robust=(
        RobustAnswer("winsorized", 1.3, 1.1, 1.5, cap=121.0, n_capped=4, bias_bound=2580.0),
        RobustAnswer("log_smoothing", None, 0.9, None, cap=None, n_capped=None, bias_bound=None),
        RobustAnswer("delta_log_normal", 1.4, 1.2, 1.6, cap=None, n_capped=None, bias_bound=None),
    ),
)
RANGE = {"lowest": 0.0, "highest": 1.0}
REMARKED = replace(
    TRUSTED,
    estimates=(
        EstimatedValue(
            "dr:auto",
            0.04213,
            0.0391,
            0.0452,
            (
                finding("cressie_read", "policy", **RANGE),
                Finding("interval_of_differences", "policy", because=(BCA,)),
                finding("tuned_on_same_rounds", "policy", chosen="dr:2"),
                finding("fitted_on_context", "policy", columns="q_logged, v", model="trees"),
                finding("smoothed", "policy", kernel="cosine", bandwidth=0.25),
            ),
            GAIN,
        ),
    ),
)
HEADLINE = "0.0421 (0.0391 to 0.0452)"


def answer_of(page: str) -> str:
    return page[page.index('<section id="answer"') : page.index('<section id="estimates"')]


def test_a_trusted_answer_is_a_value_with_its_interval() -> None:
    answer = answer_of(policy_value_html(TRUSTED))
    assert HEADLINE in answer
    assert "Trusted" in answer


def test_the_log_and_the_difference_stand_beside_the_value() -> None:
    answer = answer_of(policy_value_html(TRUSTED))
    assert "The log itself earned 0.0381 per round (0.0366 to 0.0396)." in answer
    assert "The difference is +0.0040 per round (+0.0012 to +0.0069): a gain is shown." in answer


def test_what_the_log_earned_is_known_even_where_the_policy_is_not() -> None:
    answer = answer_of(policy_value_html(REFUSED))
    assert "The log itself earned 0.0381" in answer
    assert "The difference" not in answer


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (Difference(-0.004, -0.007, -0.001), "a loss is shown"),
        (Difference(0.001, -0.001, 0.003), "neither a gain nor a loss is shown"),
        (
            Difference(9e-8, 8e-8, 1e-7),
            "+0.000000090 per round (+0.000000080 to +0.000000100): too small to tell from rounded "
            "probabilities, which may make 1e-06",
        ),
        (Difference(0.001, None, None), "without an interval it is not known whether it is a gain"),
    ],
)
def test_a_difference_says_what_it_shows(difference: Difference, said: str) -> None:
    leading = replace(TRUSTED.leading, difference=difference)
    assert said in answer_of(policy_value_html(replace(TRUSTED, estimates=(leading,))))


def test_a_refusal_shows_its_reasons_and_no_value() -> None:
    answer = answer_of(policy_value_html(REFUSED))
    assert say(REFUSED.reasons) in answer
    assert "Not to be trusted" in answer
    assert "0.0421" not in answer


def test_estimates_that_are_not_to_be_trusted_are_folded_and_not_drawn() -> None:
    page = policy_value_html(REFUSED)
    folded = page[page.index("<details>") : page.index("</details>")]
    assert "not to be trusted" in folded
    assert page.count("0.0421") == folded.count("0.0421") > 0
    assert "<figure>" not in page


def test_an_estimate_outside_the_leading_interval_is_pointed_out() -> None:
    assert "Outside the interval of dr lies dm." in policy_value_html(TRUSTED)
    alone = replace(TRUSTED, estimates=TRUSTED.estimates[:1])
    assert "Only dr was asked" in policy_value_html(alone)


def test_the_model_is_doubted_only_where_it_was_asked() -> None:
    assert "The interval of dm leaves out" in policy_value_html(TRUSTED)
    without = replace(TRUSTED, estimates=TRUSTED.estimates[:2])
    assert "The interval of dm leaves out" not in policy_value_html(without)


def diagnostics_of(page: str) -> str:
    return page[page.index('<section id="diagnostics"') : page.index('<section id="weights"')]


def test_propensities_that_were_faulted_are_marked() -> None:
    page = policy_value_html(AUDITED)
    assert say([FINDING]) in answer_of(page)
    assert "1 finding<" in diagnostics_of(page)
    assert "✕" in diagnostics_of(page)
    sound = diagnostics_of(policy_value_html(TRUSTED))
    assert "✕" not in sound
    assert "5 tests of this kind" in sound


def test_estimated_propensities_are_named_beside_the_value() -> None:
    page = policy_value_html(ESTIMATED)
    answer = answer_of(page)
    assert HEADLINE in answer
    assert "values assume that the context holds all" in answer
    assert "all but certain" in answer
    assert "1.2 %" in diagnostics_of(page)
    assert "✕" not in diagnostics_of(page)
    assert "estimated from the column context" in page
    assert "estimated" not in answer_of(policy_value_html(TRUSTED))


@pytest.mark.parametrize("worse", [{"is_identified": False}, {"calibration_error": 0.051}])
def test_an_estimate_that_fails_makes_its_remarks_doubts(worse) -> None:
    sound = ESTIMATED.propensities
    failing = replace(sound, **worse)
    assert (sound.doubts, sound.cautions) == ((), (sound.assumption, *sound.remarks))
    assert (failing.doubts, failing.cautions) == (sound.remarks, (sound.assumption,))
    assert "✕" in diagnostics_of(policy_value_html(replace(ESTIMATED, propensities=failing)))


def test_names_of_files_are_text() -> None:
    page = policy_value_html(TRUSTED)
    assert "<script>alert" not in page
    assert "alert(1)" in page


def test_the_page_needs_nothing_beside_it() -> None:
    page = policy_value_html(TRUSTED)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    (style,) = re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    assert csp_hash(style) in policy.group(1).replace("&#39;", "'")
    assert "http://" not in page
    assert "https://" not in page
    assert ".csv" not in page
    assert not re.search(r"<[^>]* (?:style|src)=", page)


@pytest.mark.parametrize("answer", [TRUSTED, REFUSED, AUDITED, ESTIMATED])
def test_equal_answers_give_equal_pages(answer: PolicyAnswer) -> None:
    assert policy_value_html(answer) == policy_value_html(answer)


def test_every_anchor_is_there() -> None:
    page = policy_value_html(TRUSTED)
    anchors = re.findall(r'href="#([\w-]+)"', page) + re.findall(r'aria-labelledby="([\w-]+)"', page)
    assert anchors
    assert all(f'id="{anchor}"' in page for anchor in anchors)


def test_a_heavy_tail_is_answered_three_ways_that_say_what_they_assume() -> None:
    page = policy_value_html(HEAVY)
    assert "Rewards have a heavy tail." in page
    assert "the 4 largest contributions count as 121.00: off by at most 2,580.00" in page
    assert "at least 0.90" in page
    assert "parametric: only if what buyers contribute is log-normal" in page
    assert "Rewards have a heavy tail." not in policy_value_html(REFUSED)


def test_how_an_interval_was_made_stands_below_its_value() -> None:
    page = policy_value_html(REMARKED)

    assert (
        "; Cressie-Read interval for rewards from 0 to 1; the same for every estimator; of the difference "
        "from the log: BCa bootstrap over clusters, 1,000 resamples; dr:2, tuned on the same rounds: never "
        "the headline; q_logged, v fitted on context, each round by models of other clusters (trees); "
        "amounts smoothed by the cosine kernel of bandwidth 0.25, as asked"
    ) in page.replace("<wbr>", "")
