"""Parameters of runs that can't work are refused with a sentence, before anything starts."""

from datetime import UTC, date, datetime, timedelta

import pytest

from features.errors import UsageError
from flows.prefect_flows.nightly import nightly
from flows.prefect_flows.parameters import checked_settings
from flows.prefect_flows.server_app import check_parameters
from flows.workspace import Workspace

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize("day", [None, date(2026, 3, 1), date(2020, 1, 1)])
def test_days_that_are_over_are_accepted(small_config, day):
    assert checked_settings(small_config, day, today=TODAY).shop.name == "small"


@pytest.mark.parametrize("day", [TODAY, date(2026, 3, 3), date(2100, 1, 1)])
def test_a_day_that_is_not_over_is_refused(small_config, day):
    with pytest.raises(UsageError, match=r"is not over yet in UTC\. Choose 2026-03-01"):
        checked_settings(small_config, day, today=TODAY)


def test_today_is_that_of_utc(small_config):
    today = datetime.now(UTC).date()
    checked_settings(small_config, today - timedelta(days=2))
    with pytest.raises(UsageError, match="not over yet"):
        checked_settings(small_config, today + timedelta(days=1))


def test_a_missing_configuration_is_refused(tmp_path):
    with pytest.raises(UsageError, match="There is no configuration file"):
        checked_settings(tmp_path / "nowhere.toml")


def test_a_shops_deployment_refuses_another_shop(small_config):
    checked_settings(small_config, shop="small")
    with pytest.raises(UsageError, match=r"nightly/large runs large, and .* is the configuration of small"):
        checked_settings(small_config, shop="large")


def test_the_flow_checks_before_it_takes_the_lock(small_config, monkeypatch):
    def locked(_workspace):
        raise AssertionError("the shop was locked first")

    monkeypatch.setattr(Workspace, "locked", locked)
    with pytest.raises(UsageError, match="not over yet"):
        nightly.fn(small_config, date(2100, 1, 1))


@pytest.mark.parametrize(
    ("as_of", "sentence"), [("soon", "is not a date such as"), ("2100-01-01", "is not over yet")]
)
def test_the_server_refuses_by_the_same_rules(small_config, as_of, sentence):
    check_parameters({"config": str(small_config)}, "small")
    check_parameters({"config": str(small_config), "as_of": "2026-01-05"}, None)
    with pytest.raises(UsageError, match=sentence):
        check_parameters({"config": str(small_config), "as_of": as_of}, None)


def test_values_of_another_type_are_left_to_prefect():
    check_parameters({"config": 3, "as_of": "2100-01-01"}, None)
