"""Revenue in which one buyer decides is refused, and the refusal says so; without that buyer the log speaks.

20,000 rounds of 3,000 users on 20 items, 2 % of which end in an order at the item's price.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from features.contracts.findings import Finding
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds, Floats, Ints
from offline_rl.ope.trust.verdict import GateSettings, Verdict, reach_verdict
from reports.wording.sentences import say

N, USERS, ITEMS = 20_000, 3_000, 20


@dataclass(frozen=True)
class Shop:
    """A log of orders; logging, candidate: probabilities of the items. click: 1 where a round has a click."""

    item: Ints
    revenue: Floats
    user: Ints
    logging: Floats
    candidate: Floats
    click: Floats

    @property
    def weight(self) -> Floats:
        return self.candidate[self.item] / self.logging[self.item]

    def with_order(self, round_number: int, money: float) -> "Shop":
        revenue = self.revenue.copy()
        revenue[round_number] = money
        return replace(self, revenue=revenue)

    def judged(self, *, click_is_worth: float = 0.0) -> Verdict:
        """The gate's verdict on a candidate that shows what earns most."""
        reward = self.revenue + click_is_worth * self.click
        model = np.full(ITEMS, reward.mean())
        policies = {"logging": self.logging, "new": self.candidate}
        rounds = {
            name: EvaluationRounds(
                reward=reward,
                propensity=self.logging[self.item],
                evaluation_prob=shown[self.item],
                cluster=self.user,
                segment=np.zeros(N, np.int64),
                q_logged=model[self.item],
                q_policy=np.full(N, shown @ model),
            )
            for name, shown in policies.items()
        }
        evaluation = evaluate(rounds, [from_name("dr")], n_resamples=200)
        return reach_verdict(evaluation, "new", "logging", settings=GateSettings(min_ess=200, currency="EUR"))


def shop(seed: int) -> Shop:
    rng = np.random.default_rng(seed)
    logging = rng.dirichlet(np.full(ITEMS, 5.0))
    price = np.exp(rng.normal(np.log(25), 0.6, ITEMS))
    rate = 0.02 * np.exp(rng.normal(0, 0.5, ITEMS))
    earns = np.exp(price * rate / (price * rate).mean())
    item = rng.choice(ITEMS, N, p=logging)
    ordered = rng.random(N) < rate[item]
    return Shop(
        item=item,
        revenue=ordered * price[item] * (1 + rng.poisson(0.2, N)),
        user=rng.integers(0, USERS, N),
        logging=logging,
        candidate=0.9 * earns / earns.sum() + 0.1 / ITEMS,
        click=(ordered | (rng.random(N) < 0.06)).astype(float),
    )


def doubts(verdict: Verdict) -> dict[str, Finding]:
    return {cause.code: cause for reason in verdict.reasons for cause in reason.because}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_usual_log_of_revenue_is_believed(seed: int) -> None:
    verdict = shop(seed).judged()

    assert verdict.verdict == "promote"
    assert "a gain is shown, +" in say(verdict.reasons)
    assert " EUR per round (95% interval +" in say(verdict.reasons)


@pytest.mark.parametrize("click_is_worth", [0.0, 0.05])
@pytest.mark.parametrize("money", [50_000.0, 5_000.0, -50_000.0])
@pytest.mark.parametrize("place", ["where the candidate is sure", "in the middle", "where it hardly is"])
def test_one_buyer_of_a_fortune_decides_and_the_gate_says_so(
    place: str, money: float, click_is_worth: float
) -> None:
    usual = shop(0)
    by_weight = np.argsort(usual.weight, kind="stable")  # ties in an order that no processor decides
    where = {"where the candidate is sure": -1, "in the middle": N // 2, "where it hardly is": 0}
    verdict = usual.with_order(by_weight[where[place]], money).judged(click_is_worth=click_is_worth)

    assert verdict.verdict == "hold"
    found = doubts(verdict)["largest_contribution"]
    assert found.number("share") > found.number("most")
    assert "one of the users holds" in say(verdict.reasons)


def test_a_fortune_in_many_orders_of_one_user_is_one_buyer() -> None:
    usual = shop(0)
    mine = np.flatnonzero(usual.user == usual.user[0])
    rich = usual
    for place in mine:
        rich = rich.with_order(int(place), 10_000.0)

    assert len(mine) > 2
    assert "largest_contribution" in doubts(rich.judged())
