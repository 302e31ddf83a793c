"""What a night's reward is called, and in which unit its numbers are."""

import pytest

from features.contracts.findings import finding
from reports.summaries.night import Manifest
from reports.wording.english import ENGLISH
from reports.wording.rewards import reward_currency, reward_said
from reports.wording.sentences import say

WEIGHTS = {"night": {"reward_weights": {"click": 0.01, "conversion": 0.0, "revenue": 0.0, "margin": 1.0}}}


@pytest.mark.parametrize(
    ("reward", "said", "currency"),
    [
        ("click", "click", ""),
        ("conversion", "conversion", ""),
        ("revenue", "revenue of orders, in CHF", "CHF"),
        ("margin", "margin of orders, revenue less cost, in CHF", "CHF"),
        ("weighted", "weighted sum: 0.01 CHF for a click, 1 CHF for each CHF of margin", "CHF"),
        ("", "", ""),
    ],
)
def test_a_reward_says_what_it_is_and_its_currency(reward: str, said: str, currency: str) -> None:
    manifest = Manifest(reward=reward, currency="CHF", config=WEIGHTS)

    assert reward_said(manifest, ENGLISH) == said
    assert reward_currency(manifest) == currency


def test_a_comparison_of_money_names_its_currency_and_one_of_clicks_none() -> None:
    numbers = {"difference": 0.25, "lower": 0.1, "upper": 0.4, "confidence": 0.95}

    assert say([finding("gain_shown", "new", other="old", currency="EUR", **numbers)]) == (
        "new against old: a gain is shown, +0.25 EUR per round (95% interval +0.10 to +0.40)."
    )
    assert "+0.25 per round" in say([finding("gain_shown", "new", other="old", **numbers)])
