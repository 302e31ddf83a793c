"""What holds of every area of decision: whoever goes through the list may rely on it."""

from inspect import signature

import pytest

from features.areas import AREAS, Area
from features.contracts.logs import LOGS
from features.contracts.outputs import DOMAIN, OCCASIONAL, OUTPUTS
from features.rewards import RESULTS
from features.warehouse.log_days import time_column
from features.warehouse.models import read_models
from flows.settings import Settings
from offline_rl.decisions.night import decide_of
from reports.pages.area_part import AreaPart, part_of

MODELS = {model.name: model for model in read_models()}

each_area = pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)


def test_areas_share_no_name_no_log_and_no_table() -> None:
    for names in (
        [area.name for area in AREAS],
        [area.title for area in AREAS],
        [log for area in AREAS for log in area.logs],
        [table for area in AREAS for table in area.tables],
    ):
        assert len(set(names)) == len(names)
    assert tuple(DOMAIN.categories) == tuple(area.name for area in AREAS)


@each_area
def test_its_logs_are_logs_and_what_it_decides_from_has_a_time(area: Area) -> None:
    assert area.decision_log in area.logs
    assert all(LOGS[name] is log.contract for name, log in area.logs.items())
    assert time_column(area.decision_log) is not None
    assert all(set(log.key) <= set(log.contract.column_names()) for log in area.logs.values())


@each_area
def test_its_mart_is_built_and_an_area_of_policies_has_rounds_actions_and_a_reward(area: Area) -> None:
    assert area.mart in MODELS
    if area.is_learned:
        assert f"int_rounds_{area.name}" in MODELS["int_rounds"].reads
        assert area.actions
        assert {"click", "conversion"} <= set(area.rewards) <= set(RESULTS)


@each_area
def test_a_table_that_it_owes_says_why_it_matters(area: Area) -> None:
    for name, table in area.tables.items():
        assert OUTPUTS[name] is table.contract
        assert bool(table.why_it_matters) == (name not in OCCASIONAL)
        assert not table.instead_of or table.instead_of in area.tables


@each_area
def test_it_decides_in_the_one_signature_and_has_a_part_of_the_report(area: Area) -> None:
    assert list(signature(decide_of(area)).parameters) == ["night"]
    assert isinstance(part_of(area), AreaPart)


@each_area
def test_the_settings_that_it_asks_for_exist(area: Area) -> None:
    assert not area.settings or area.settings in Settings.model_fields
