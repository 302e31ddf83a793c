"""What a shop's logs can carry: missing logs, late rows, rows kept for some days, a key that has changed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from features.contracts.findings import Finding, as_plain, finding
from features.deidentify import read_key
from features.errors import InputDataError, UsageError
from features.warehouse.store import open_store
from flows.commands.printed_quality import quality_lines
from flows.erasure.erase import erase
from flows.json_files import read_json
from flows.night_folder import Night
from flows.settings import read_settings
from flows.shops import FILES, write_config
from flows.stages.decide import decide
from flows.stages.ingest import ingest, key_file
from flows.stages.learn import learn
from flows.stages.night import run_night
from flows.stages.publish import publish
from flows.workspace import Workspace
from tests.flows.spend_shop import EVENTS, SPEND

IMPRESSIONS = """
[[files]]
path = "impressions-*.csv"
[files.impressions]
columns = { impression_id = "id", shown_at = "at", session_id = "visit", slot = "slot", item_id = "what" }
constants = { surface = "home", policy_version = "v1" }
"""

NewShop = Callable[..., Workspace]


@pytest.fixture
def new_shop(tmp_path: Path) -> NewShop:
    """Write a configuration whose files are the given tables; `keep_days` goes into its [night]."""

    def make(tables: str, keep_days: str = "") -> Workspace:
        config = tmp_path / "metacart.toml"
        write_config(config, FILES, name="shop", logs=tmp_path, data=tmp_path / "data", overwrite=True)
        text = (
            config.read_text()
            .replace("[night]", f"[night]\n{keep_days}")
            .replace("share = 0.01", "share = 0.5")
        )
        config.write_text(text + tables)
        return Workspace(read_settings(config))

    return make


def write_events(folder: Path, name: str, *days: int) -> None:
    rows = [f"{name}{day},2026-01-{day:02}T10:00:00Z,ann,shoe,view" for day in days]
    (folder / f"events-{name}.csv").write_text("\n".join(["id,at,who,what,did", *rows, ""]))


def write_impressions(folder: Path, name: str, *days: int) -> None:
    rows = [f"{name}{day},2026-01-{day:02}T10:00:00Z,v{day},1,shoe" for day in days]
    (folder / f"impressions-{name}.csv").write_text("\n".join(["id,at,visit,slot,what", *rows, ""]))


def published(night: Night, shop: Workspace) -> None:
    """Leave the folder that says that a night was published, which closes its days."""
    (shop.published / night.run_id).mkdir(parents=True)


def event_days(shop: Workspace) -> list[int]:
    with open_store(shop.warehouse) as connection:
        found = connection.sql("SELECT day(occurred_at) FROM raw_events ORDER BY 1").fetchall()
    return [day for (day,) in found]


def test_a_shop_with_events_alone_gets_lists_that_nothing_proves_and_reads_why(
    new_shop: NewShop, tmp_path: Path
) -> None:
    write_events(tmp_path, "a", 1, 2)
    shop = new_shop(EVENTS)

    result = run_night(shop.settings, None)

    assert (result.night.as_of, result.night.domains) == (date(2026, 1, 2), ())
    assert set(result.published.tables) == {"out_data_quality", "out_recommendations"}
    [row] = pl.read_parquet(result.published.tables["out_recommendations"]).to_dicts()
    assert (row["item_id"], row["propensity"], row["evidence_level"]) == ("shoe", 1.0, "unproven")
    why = Finding("acts_alone", "recommendation")
    assert result.night.unproven == {"recommendation": why}
    silent = finding("no_rows", "advertising", as_of="2026-01-02")
    assert result.night.undecided["advertising"] == silent
    written = read_json(result.published.folder / "manifest.json")
    assert "hold no ad impressions up to 2026-01-02" in written["undecided"]["advertising"]
    assert written["findings"]["undecided"]["advertising"] == as_plain(silent)
    assert written["findings"]["unproven"]["recommendation"] == as_plain(why)
    report = result.published.report.read_text()
    assert "hold no ad impressions" in report
    assert "gets a list by popularity" in report
    with open_store(shop.warehouse) as connection:
        assert connection.sql("SELECT count(*) FROM dim_users").fetchall() == [(1,)]


def test_impressions_without_propensities_are_distinguished_from_none(
    new_shop: NewShop, tmp_path: Path
) -> None:
    write_impressions(tmp_path, "a", 1, 2)

    night = ingest(new_shop(IMPRESSIONS), None)

    assert night.domains == ()
    assert night.undecided["recommendation"] == finding("no_propensities", "recommendation", n_rows=2)


def test_spend_alone_gives_a_budget(new_shop: NewShop, tmp_path: Path) -> None:
    rows = [f"2026-01-{day:02},{1000 + 10 * day},{3000 + 20 * day}" for day in range(1, 22)]
    (tmp_path / "spend-a.csv").write_text("\n".join(["day,cents,revenue", *rows, ""]))

    result = run_night(new_shop(SPEND).settings, None)

    assert set(result.night.undecided) == {"recommendation", "advertising"}
    budget = {"out_budget_allocation", "out_budget_totals", "out_budget_backtest"}
    assert set(result.published.tables) == {"out_data_quality", *budget}
    assert pl.read_parquet(result.published.tables["out_budget_allocation"]).height == 1


def test_a_log_of_weekly_sums_is_distinguished_from_one_of_days(new_shop: NewShop, tmp_path: Path) -> None:
    rows = [f"{date(2026, 1, 5) + timedelta(weeks=week)},{1000 + week},{3000}" for week in range(10)]
    (tmp_path / "spend-a.csv").write_text("\n".join(["day,cents,revenue", *rows, ""]))

    shop = new_shop(SPEND)
    night = ingest(shop, None)

    quality = shop.night_folder(night.run_id).table("out_data_quality")
    [reason] = quality.filter(pl.col("rule") == "days far apart")["reason"].to_list()
    assert reason.startswith("its days are 7 days apart: if each line is the sum of 7 days, each day")


JOINED = """
[[files]]
path = "touches.csv"
join = { path = "campaigns.csv", on = "campaign" }
time_format = "%d.%m.%Y"
time_zone = "UTC"
[files.events]
ids.event_id = "row number"
columns.occurred_at = "start"
columns.user_id = "household"
columns.item_id = "coupon"
constants.event_type = "view"
"""


def test_another_file_to_join_is_another_night(new_shop: NewShop, tmp_path: Path) -> None:
    (tmp_path / "touches.csv").write_text("campaign,household,coupon\nA,ann,c1\nB,bob,c2\nC,ann,c3\n")
    campaigns = "campaign,start,owner\nA,05.01.2026,ann\nB,07.01.2026,zoe\n"
    (tmp_path / "campaigns.csv").write_text(campaigns)
    shop = new_shop(JOINED)

    first = ingest(shop, date(2026, 1, 9))
    assert event_days(shop) == [5, 7]
    assert ingest(shop, date(2026, 1, 9)).run_id == first.run_id
    (tmp_path / "campaigns.csv").write_text(campaigns.replace("07.01.", "08.01.") + "C,09.01.2026,\n")
    second = ingest(shop, date(2026, 1, 9))

    assert event_days(shop) == [5, 8, 9]
    assert second.run_id != first.run_id
    assert set(second.inputs) == {"touches.csv", "campaigns.csv"}
    proof = erase(Workspace(shop.settings), "ann", reason="asked", erased_on=date(2026, 1, 10))
    assert proof.shop_files == {"touches.csv": 2, "campaigns.csv": 1}


def test_logs_without_days_are_refused(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a")

    with pytest.raises(InputDataError, match="no row with a day"):
        ingest(new_shop(EVENTS), None)


def test_files_of_the_next_month_that_the_pattern_does_not_fit_are_named(
    new_shop: NewShop, tmp_path: Path
) -> None:
    shop = new_shop(EVENTS.replace("events-*.csv", "events-2026-01-*.csv"))
    write_events(tmp_path, "2026-01-05", 5)
    night = ingest(shop, None)
    assert not list(quality_lines(shop.night_folder(night.run_id).table("out_data_quality")))
    for name in ("2026-02-01", "2026-02-02"):
        write_events(tmp_path, name, 6)
    (tmp_path / "notes-2026-02-01.csv").write_text("bought nothing\n")

    night = ingest(shop, None)

    [line] = quality_lines(shop.night_folder(night.run_id).table("out_data_quality"))
    assert line.startswith("events-2026-02-01.csv: it and other files, 2 with names like")


def test_stages_do_not_go_on_with_the_marts_of_an_ingest_that_failed(
    new_shop: NewShop, tmp_path: Path
) -> None:
    shop = new_shop(EVENTS)
    write_events(tmp_path, "a", 5, 6)
    assert ingest(shop, None) == shop.recall()
    with pytest.raises(InputDataError, match="no row up to 2026-01-01"):
        ingest(shop, date(2026, 1, 1))
    with pytest.raises(UsageError, match=r"did not end\. Run `metacart ingest` first"):
        shop.recall()
    assert ingest(shop, None) == shop.recall()


def test_a_night_before_the_first_day_is_refused(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a", 5)

    with pytest.raises(InputDataError, match="The logs have no row up to 2026-01-04"):
        ingest(new_shop(EVENTS), date(2026, 1, 4))


def test_a_new_file_may_touch_the_last_three_days_and_no_older_one(new_shop: NewShop, tmp_path: Path) -> None:
    shop = new_shop(EVENTS).settings
    write_events(tmp_path, "a", 1, 10)
    published(ingest(Workspace(shop), None), Workspace(shop))
    write_events(tmp_path, "b", 7, 8, 11)

    night = ingest(Workspace(shop), None)

    assert event_days(Workspace(shop)) == [1, 8, 10, 11]
    quality = Workspace(shop).night_folder(night.run_id).table("out_data_quality")
    [reason] = quality.filter(pl.col("n_rejected") > 0, rule=RULE)["reason"]
    assert "the days before 2026-01-08 were closed by the night of 2026-01-10" in reason


RULE = "occurred_at must not lie before the 3 last closed days"


def test_a_log_that_comes_for_the_first_time_brings_its_history(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a", 10)
    published(ingest(new_shop(EVENTS), None), new_shop(EVENTS))
    write_impressions(tmp_path, "a", 1, 2)
    write_impressions(tmp_path, "b", 3)

    night = ingest(new_shop(EVENTS + IMPRESSIONS), None)

    assert night.unproven["recommendation"] == finding("acts_beside_rounds", "recommendation", n_rows=3)


def test_lists_stay_until_the_log_of_what_is_shown_can_carry_more(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a", 1, 2, 3)
    rows = [f"i{n},2026-01-0{1 + n % 2}T10:00:00Z,s{n},{1 + n % 3},shoe,0.5" for n in range(30)]
    (tmp_path / "impressions-p.csv").write_text("\n".join(["id,at,visit,slot,what,chance", *rows, ""]))
    tables = EVENTS + IMPRESSIONS.replace('item_id = "what" }', 'item_id = "what", propensity = "chance" }')

    few = ingest(new_shop(tables), date(2026, 1, 3))
    early = ingest(new_shop(tables), date(2026, 1, 1))

    n_rows = {"n_rows": 30, "least": 500}
    assert few.unproven["recommendation"] == Finding("acts_beside_few_rounds", "recommendation", n_rows)
    assert early.unproven["recommendation"].code == "acts_before_rewards"
    assert few.domains == early.domains == ()


def test_rows_older_than_the_shop_keeps_them_leave_and_the_night_has_another_name(
    new_shop: NewShop, tmp_path: Path
) -> None:
    write_events(tmp_path, "a", 1, 2, 3)
    everything = ingest(new_shop(EVENTS), None)
    assert event_days(new_shop(EVENTS)) == [1, 2, 3]

    kept = ingest(new_shop(EVENTS, "keep_days = 2"), None)

    assert event_days(new_shop(EVENTS)) == [2, 3]
    assert kept.run_id != everything.run_id


def test_a_date_beyond_the_logs_does_not_drop_them_all(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a", 1, 2, 3)
    shop = new_shop(EVENTS, "keep_days = 2")

    ingest(shop, datetime.now(UTC).date() - timedelta(days=1))

    assert event_days(shop) == [2, 3]


@pytest.mark.parametrize("days_ahead", [0, 1, 1500])
def test_a_night_that_is_not_over_is_refused_and_closes_nothing(
    new_shop: NewShop, tmp_path: Path, days_ahead: int
) -> None:
    write_events(tmp_path, "a", 1, 2, 3)
    as_of = datetime.now(UTC).date() + timedelta(days=days_ahead)
    with pytest.raises(UsageError, match=f"{as_of} is not over yet"):
        ingest(new_shop(EVENTS), as_of)
    assert not new_shop(EVENTS).warehouse.exists()


def test_a_night_that_was_only_ingested_closes_no_day(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a", 1, 10)
    ingest(new_shop(EVENTS), None)
    write_events(tmp_path, "b", 2)
    ingest(new_shop(EVENTS), None)
    assert event_days(new_shop(EVENTS)) == [1, 2, 10]


def test_under_another_key_erased_people_would_come_back_so_the_night_stops(
    new_shop: NewShop, tmp_path: Path
) -> None:
    write_events(tmp_path, "a", 1)
    shop = new_shop(EVENTS)
    ingest(shop, None)
    with shop.locked():
        erase(shop, "ann", reason="asked", erased_on=date(2026, 1, 2))
    key_file(shop).unlink()
    read_key(key_file(shop), create=True)

    with pytest.raises(UsageError, match="1 people were erased with another pseudonym key"):
        ingest(shop, None)


def test_a_lost_key_is_not_replaced_by_a_new_one(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a", 1)
    shop = new_shop(EVENTS)
    ingest(shop, None)
    key_file(shop).unlink()
    with pytest.raises(UsageError, match="under a new key, all users would be new"):
        ingest(shop, None)
    assert not key_file(shop).exists()
    shop.warehouse.unlink()
    ingest(shop, None)
    assert key_file(shop).is_file()


def test_an_address_in_a_context_does_not_reach_the_warehouse(new_shop: NewShop, tmp_path: Path) -> None:
    lines = [
        "id,at,visit,slot,what,known",
        'i1,2026-01-01T10:00:00Z,v,1,shoe,"{""note"": ""ann@example.com""}"',
        "",
    ]
    (tmp_path / "impressions-a.csv").write_text("\n".join(lines))
    shop = new_shop(IMPRESSIONS.replace('item_id = "what" }', 'item_id = "what", context = "known" }'))

    ingest(shop, None)

    with open_store(shop.warehouse) as connection:
        [(context,)] = connection.sql("SELECT context FROM raw_impressions").fetchall()
    assert context == '{"note": "[email]"}'
    assert b"ann@example.com" not in shop.warehouse.read_bytes()


def test_a_stage_waits_for_those_before_it(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a", 1)
    shop = new_shop(EVENTS)
    night = ingest(shop, None)

    with pytest.raises(UsageError, match="run `metacart learn` first"):
        publish(shop, night)


def test_a_stage_done_again_takes_back_those_after_it(new_shop: NewShop, tmp_path: Path) -> None:
    write_events(tmp_path, "a", 1)
    shop = new_shop(EVENTS)
    night = run_night(shop.settings, None).night
    learn(shop, night)

    with pytest.raises(UsageError, match="run `metacart evaluate` first"):
        decide(shop, night)


def test_rows_of_a_key_before_are_named_when_their_files_are_gone(new_shop: NewShop, tmp_path: Path) -> None:
    shop = new_shop(EVENTS)
    write_events(tmp_path, "a", 1, 2)
    ingest(shop, None)
    before = read_key(key_file(shop)).key_id
    key_file(shop).write_text("ab" * 32)
    (tmp_path / "events-a.csv").unlink()
    write_events(tmp_path, "b", 3)

    night = ingest(shop, None)

    quality = shop.night_folder(night.run_id).table("out_data_quality")
    [line] = [line for line in quality_lines(quality) if "another key" in line]
    assert line.startswith(
        f"events-a.csv: its 2 loaded lines carry pseudonyms of another key ({before}). Users in them"
    )


def test_the_limits_are_those_of_the_configuration(
    new_shop: NewShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(tmp_path, "a", 1, 2)
    (tmp_path / "events-b.csv").write_text(
        "id,at,who,what,did\nb1,2026-01-03T10:00:00Z,ann,shoe,view\nb2,2026-01-03T10:00:00Z,ann,sandal,view\n"
    )
    monkeypatch.setenv("METACART_LIMITS__MAX_TEXT_CHARACTERS", "5")

    night = ingest(new_shop(EVENTS), None)

    found = Workspace(new_shop(EVENTS).settings).night_folder(night.run_id).table("out_data_quality")
    assert found.filter(rule="item_id must have at most 5 characters")["reason"].to_list() == [
        "line 3: item_id has 6 characters; it may have 5"
    ]
    monkeypatch.setenv("METACART_LIMITS__MAX_LINES", "2")
    with pytest.raises(InputDataError, match=r"events-a\.csv is not read: it has more than 2 lines"):
        ingest(new_shop(EVENTS), None)
