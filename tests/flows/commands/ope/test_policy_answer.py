"""The answer as a record: one page, one table and one gate say the same."""

from dataclasses import replace
from typing import Any

import pytest

from flows.commands.ope.policy_answer import answer
from flows.commands.ope.policy_question import PolicyQuestion
from offline_rl.ope.bootstrap import Interval
from offline_rl.ope.trust.contribution_tail import ContributionTail
from offline_rl.ope.trust.diagnostics import Diagnostics
from offline_rl.ope.trust.trust import GateSettings, assess
from reports.pages.policy_value_checks import checks
from reports.summaries.policy_answer import PolicyAnswer
from reports.wording.language import LANGUAGE
from tests.flows.commands.ope.round_tables import coin_columns, write_parquet

MONEY = ContributionTail(
    of="weighted rewards",
    n=500,
    largest=900.0,
    largest_share=0.02,
    effective=200.0,
    index=0.5,
    n_tail=68,
    pareto_k=0.4,
    amount_share=0.02,
    amount_effective=240.0,
    amount_index=0.4,
    amount_pareto_k=0.3,
)
SOUND = Diagnostics(
    n_rounds=10_000,
    n_clusters=10_000,
    ess=4000.0,
    design_effect=1.0,
    top_cluster_share=0.001,
    mean_weight=1.0,
    mean_weight_lower=0.98,
    mean_weight_upper=1.02,
    max_weight=9.0,
    supported_share=1.0,
    n_informative_clusters=500,
    pareto_k=0.2,
    top_weight_share=0.05,
    weighted_rewards=MONEY,
)
DOUBTFUL: dict[str, dict[str, Any]] = {
    "clusters": {"n_clusters": 99},
    "informative": {"n_informative_clusters": 19},
    "ess": {"ess": 99.0, "n_rounds": 5000},
    "ess share": {"ess": 150.0, "n_rounds": 100_000},
    "tail": {"pareto_k": 0.8, "top_weight_share": 0.3},
    "cluster share": {"top_cluster_share": 0.11},
    "support": {"supported_share": 0.94},
    "mean weight": {"supported_share": 0.96},
    "largest order": {"weighted_rewards": replace(MONEY, largest_share=0.3, amount_share=0.25)},
    "few contributions": {"weighted_rewards": replace(MONEY, effective=12.0, amount_effective=19.0)},
    "heavy money": {"weighted_rewards": replace(MONEY, index=0.8, amount_index=0.7)},
}
INTERVAL = {False: Interval(0.98, 1.02), True: Interval(0.92, 0.96)}
"""Of the mean weight; the second is right for a policy of which the log could show only 0.94."""


@pytest.fixture(scope="module")
def coin(tmp_path_factory: pytest.TempPathFactory) -> PolicyAnswer:
    path = write_parquet(tmp_path_factory.mktemp("coin") / "coin.parquet", coin_columns())
    return answer(PolicyQuestion(path, ("snips", "ips:2", "ips:2.0"), resamples=50))


def test_a_coin_is_worth_what_is_played(coin: PolicyAnswer) -> None:
    assert coin.leading.value == pytest.approx(0.75)
    assert coin.trusted
    assert coin.n_rounds == 400


def test_two_spellings_of_one_estimator_agree(coin: PolicyAnswer) -> None:
    _, one, other = coin.estimates
    assert replace(one, estimator="ips:2.0") == other


def test_bands_hold_all_rounds_and_all_weight(coin: PolicyAnswer) -> None:
    assert sum(band.share_of_rounds for band in coin.weight_bands) == pytest.approx(1)
    assert sum(band.share_of_weight for band in coin.weight_bands) == pytest.approx(1)


@pytest.mark.parametrize("spoilt", [{}, *DOUBTFUL.values()], ids=["sound", *DOUBTFUL])
def test_the_page_marks_what_the_gate_doubts(coin: PolicyAnswer, spoilt: dict[str, Any]) -> None:
    diagnostics = replace(SOUND, **spoilt)
    interval = INTERVAL[spoilt == DOUBTFUL["support"]]
    trust = assess(diagnostics, interval, GateSettings())
    shown = replace(
        coin,
        n_rounds=diagnostics.n_rounds,
        diagnostics=diagnostics.numbers("dr"),
        gate_mean_weight=(interval.lower, interval.upper),
    )

    failed = [check for check in checks(shown, LANGUAGE) if check.passed is False]

    assert trust.trusted == (not spoilt)
    assert len(failed) == len(trust.reasons) == (1 if spoilt else 0)
