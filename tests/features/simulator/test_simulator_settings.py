from dataclasses import replace
from datetime import date

import pytest

from features.errors import InputDataError, UsageError
from features.simulator.settings import WORLD_VERSION, WorldSettings


def test_settings_survive_their_file() -> None:
    settings = WorldSettings(
        users=7,
        days=3,
        seed=5,
        first_date=date(2025, 12, 31),
        world="drift",
        slots=5,
        new_user_share=0.1,
        new_item_share=0.0,
        stock_out_share=0.2,
        seasonality=0.5,
        explore_share=0.5,
        dirt=0.02,
        stray_quote=True,
        regions=60,
    )
    assert WorldSettings.from_json(settings.to_json()) == settings


def test_nights_follow_the_calendar() -> None:
    nights = WorldSettings(days=3, first_date=date(2025, 12, 31)).nights
    assert nights == (date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2))


@pytest.mark.parametrize(
    "wrong",
    [
        {"world": "wild"},
        {"slots": 6},
        {"slots": 0},
        {"items": 3},
        {"users": 0},
        {"days": 0},
        {"seed": -1},
        {"visits_per_user_day": 0.0},
        {"ads_per_user_day": -1.0},
        {"seasonality": -0.1},
        {"new_user_share": 0.6},
        {"new_item_share": -0.1},
        {"stock_out_share": 1.0},
        {"explore_share": 0.51},
        {"dirt": float("nan")},
        {"regions": 1},
        {"regions": 401},
    ],
)
def test_a_number_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(WorldSettings(), **wrong)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"world_version": 1}', WorldSettings().to_json().replace('"users"', '"customers"')],
)
def test_a_file_that_is_not_a_world_is_refused(text: str) -> None:
    with pytest.raises(InputDataError, match=r"shop/world\.json"):
        WorldSettings.from_json(text, "shop/world.json")


def test_a_world_of_another_version_is_refused() -> None:
    older = WorldSettings().to_json().replace(f'"world_version": {WORLD_VERSION}', '"world_version": 0')
    with pytest.raises(InputDataError, match="version 0"):
        WorldSettings.from_json(older)


def test_a_file_from_before_regions_could_be_set_has_eight() -> None:
    older = WorldSettings().to_json().replace(',\n  "regions": 8', "")
    assert "regions" not in older
    assert WorldSettings.from_json(older) == WorldSettings()
