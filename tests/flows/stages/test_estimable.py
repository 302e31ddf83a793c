"""Which rounds without propensities can be judged, asked at ingest: those that left enough to chance."""

from pathlib import Path

import pytest

from features.contracts.findings import Finding
from flows.night_folder import Night
from flows.stages.estimable import Estimable
from flows.stages.ingest import ingest
from tests.flows.unlogged_shop import (
    IMPRESSIONS,
    Choose,
    always_the_same,
    by_chance,
    by_rule,
    unlogged_shop,
)

WITH_CHANCES = IMPRESSIONS.replace('item_id = "what" }', 'item_id = "what", propensity = "chance" }')
RECOMMENDATION = "recommendation"


def night(folder: Path, choose: Choose = by_chance, **differences: int | str) -> Night:
    """Ingest a small shop of 40 users; a segment needs 200 rounds."""
    shop = unlogged_shop(folder, choose, **{"n_users": 40, "n_days": 12, **differences})  # type: ignore[arg-type]
    return ingest(shop, None)


def test_rounds_that_left_something_to_chance_are_judged_and_lists_serve(tmp_path: Path) -> None:
    found = night(tmp_path)
    assert found.domains == (RECOMMENDATION,)
    why = found.estimated[RECOMMENDATION]
    assert (why.code, why.number("n_rows")) == ("estimated_from_context", 480)
    assert 0.3 < why.number("foreseen_share") < 0.65
    assert found.unproven[RECOMMENDATION].code == "acts_beside_rounds"


@pytest.mark.parametrize("choose", [by_rule, always_the_same])
def test_where_nothing_was_left_to_chance_lists_serve_alone(tmp_path: Path, choose: Choose) -> None:
    found = night(tmp_path, choose)
    assert (found.domains, found.estimated) == ((), {})
    why = found.unproven[RECOMMENDATION]
    if choose is by_rule:
        assert (why.code, why.number("foreseen_share")) == ("acts_beside_certain_rounds", 1.0)
    else:
        assert why.code == "acts_beside_rounds"


def test_fewer_rounds_than_a_segment_needs_are_not_estimated(tmp_path: Path) -> None:
    found = night(tmp_path, n_days=5)
    assert (found.domains, found.estimated) == ((), {})


def test_a_shop_that_begins_to_log_is_judged_by_logged_rounds_as_soon_as_they_are_enough(
    tmp_path: Path,
) -> None:
    few = night(tmp_path / "few", impressions=WITH_CHANCES, n_logged=100)
    assert few.estimated[RECOMMENDATION].number("n_rows") == 380
    assert few.unproven[RECOMMENDATION].code == "acts_beside_few_rounds"
    enough = night(tmp_path / "enough", impressions=WITH_CHANCES, n_logged=300)
    assert (enough.domains, enough.estimated, enough.unproven) == ((RECOMMENDATION,), {}, {})


def test_an_area_without_acts_stays_undecided_and_says_why() -> None:
    found = Estimable(certain={"advertising": 0.99})
    silent = Finding("no_propensities", "advertising", {"n_rows": 900})
    [why] = found.said({"advertising": silent}, {}).undecided.values()
    assert (why.code, dict(why.numbers)) == (
        "no_propensities_to_estimate",
        {"foreseen_share": 0.99, "n_rows": 900},
    )
    estimated = Estimable(estimated={"advertising": Finding("acts_alone", "advertising")})
    assert estimated.said({"advertising": silent}, {}).undecided == {}
