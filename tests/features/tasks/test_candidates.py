from datetime import date

import polars as pl

from features.tasks.candidates import find_candidates

SETS = pl.DataFrame({"candidate_set_id": ["c1", "c1"], "item_id": ["x", "z"]})
NO_SETS = SETS.clear()


def rounds(**columns) -> pl.DataFrame:
    n = len(columns["action_id"])
    defaults = {
        "surface": ["home"] * n,
        "campaign_id": [None] * n,
        "decided_date": [date(2026, 1, 1)] * n,
        "candidate_set_id": [None] * n,
    }
    types = {"campaign_id": pl.String, "candidate_set_id": pl.String}
    return pl.DataFrame(defaults | columns, schema_overrides=types)


def faced(found, row):
    return found.available[found.set_index[row]].tolist()


def test_what_was_shown_that_day_on_that_surface_was_available():
    found = find_candidates(
        rounds(action_id=["x", "y", "z"], decided_date=[date(2026, 1, 1)] * 2 + [date(2026, 1, 2)]),
        ["x", "y", "z"],
        NO_SETS,
    )
    assert faced(found, 0) == [True, True, False]
    assert faced(found, 2) == [False, False, True]


def test_a_logged_candidate_set_is_believed():
    found = find_candidates(
        rounds(action_id=["x", "y"], candidate_set_id=["c1", None]), ["x", "y", "z"], SETS
    )
    assert faced(found, 0) == [True, False, True]
    assert faced(found, 1) == [False, True, False]


def test_ads_of_another_campaign_are_not_available():
    found = find_candidates(
        rounds(action_id=["x", "y"], campaign_id=["spring", "summer"]), ["x", "y"], NO_SETS
    )
    assert faced(found, 0) == [True, False]


def test_tomorrow_starts_from_the_last_day():
    found = find_candidates(
        rounds(action_id=["x", "y"], decided_date=[date(2026, 1, 2), date(2026, 1, 1)]), ["x", "y"], NO_SETS
    )
    assert found.available[found.latest["home", ""]].tolist() == [True, False]


def test_a_last_day_that_has_hardly_begun_is_filled_up_from_the_day_before():
    """Three days of four rounds, and one round on the fourth: y, shown on the third day, is not gone."""
    days = [date(2026, 1, day) for day in (1, 2, 3) for _ in range(4)] + [date(2026, 1, 4)]
    shown = ["z"] * 8 + ["x", "y", "y", "y"] + ["x"]
    found = find_candidates(rounds(action_id=shown, decided_date=days), ["x", "y", "z"], NO_SETS)
    assert found.available[found.latest["home", ""]].tolist() == [True, True, False]
    assert faced(found, 12) == [True, False, False]


def test_a_set_that_was_logged_on_the_last_day_is_in_force_however_few_faced_it():
    days = [date(2026, 1, 1)] * 4 + [date(2026, 1, 2)]
    found = find_candidates(
        rounds(
            action_id=["y"] * 4 + ["x"], decided_date=days, candidate_set_id=[None, None, None, None, "c1"]
        ),
        ["x", "y", "z"],
        SETS,
    )
    assert found.available[found.latest["home", ""]].tolist() == [True, False, True]
