"""Exit statuses and sentences of the `metacart` command."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from features.sources.adapters import ADAPTERS
from flows.commands.cli import execute
from flows.settings import read_settings
from flows.workspace import Workspace


@pytest.fixture
def shop(small_config: Path, tmp_path: Path) -> Path:
    """A copy of the small shop that a test may spoil."""
    shutil.copytree(small_config.parent, tmp_path / "logs")
    return tmp_path / "logs" / "metacart.toml"


def published(config: Path) -> Path:
    return config.parent.parent / "data" / "published"


def nothing_is_published(config: Path) -> bool:
    """Whether a failed first night has left no more than the words about its failure."""
    left = {path.relative_to(published(config)) for path in published(config).rglob("*")}
    return left == {Path("small"), Path("small/freshness.json"), Path("small/last_failure.txt")}


def replace_line(path: Path, number: int, change) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[number] = change(lines[number])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_night_ends_with_one_json_line(shop, capsys):
    assert execute(["run", "--config", str(shop), "--json"]) == 0
    printed = capsys.readouterr().out
    last = json.loads(printed.splitlines()[-1])
    assert set(last) >= {"run_id", "verdicts", "tables", "report", "seconds", "peak_memory_mb"}
    assert set(last["seconds"]) == {"ingest", "learn", "evaluate", "decide", "publish"}
    assert all(Path(path).is_file() for path in [last["report"], *last["tables"].values()])
    totals = pl.read_parquet(last["tables"]["out_budget_totals"])
    spend = totals.filter(scope="shop")["daily_spend_current_cents"].item()
    [budget] = [line for line in printed.splitlines() if line.startswith("  budget: ")]
    assert f"{spend / 100:,.2f} EUR" in budget
    assert "Expected revenue a day: " in printed
    assert " at a limit" in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--config", "nowhere.toml"], "metacart init"),
        (["run", "--as-of", "yesterday"], "--as-of"),
        (
            ["run", "--as-of", "03.02.2026"],
            "03.02.2026 is not a day of the form year-month-day. Write a day as",
        ),
        (["erase", "--user", "a", "--reason", "b", "--on", "3/2/2026"], "as 2026-02-03"),
        (["run", "--config", "."], ". is a folder, not a configuration file. Name the file in it, such as"),
        (["init", "--check", "."], ". is a folder, not a configuration file"),
        (["fly"], "metacart --help"),
        (["data", "fetch", "criteo"], "Known: open_bandit"),
        (["init", "--source", "paper"], "Choose from"),
    ],
)
def test_wrong_usage_is_64_with_a_sentence(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert execute(arguments) == 64
    assert sentence in capsys.readouterr().err


def test_an_unknown_key_is_64(shop, capsys):
    shop.write_text(shop.read_text(encoding="utf-8") + "\n[wishes]\npeace = true\n", encoding="utf-8")
    assert execute(["run", "--config", str(shop)]) == 64
    assert "wishes is not a known key" in capsys.readouterr().err


def test_a_shop_in_use_is_75(shop, capsys):
    with Workspace(read_settings(shop)).locked():
        assert execute(["run", "--config", str(shop)]) == 75
    assert "Another run of small is in progress" in capsys.readouterr().err


def test_missing_logs_are_65_and_nothing_is_published(shop, capsys):
    shutil.rmtree(shop.parent / "impressions")
    assert execute(["run", "--config", str(shop)]) == 65
    assert "impressions" in capsys.readouterr().err
    assert nothing_is_published(shop)


def test_a_wrong_header_is_65_with_file_and_column(shop, capsys):
    file = next((shop.parent / "impressions").glob("*.csv"))
    replace_line(file, 0, lambda header: header.replace("propensity", "probability"))
    assert execute(["run", "--config", str(shop)]) == 65
    said = capsys.readouterr().err
    assert file.name in said
    assert "propensity" in said
    assert nothing_is_published(shop)


@pytest.mark.parametrize("wrong", ["0", "1.7", "NaN"])
def test_bad_propensities_are_in_quarantine_with_line_and_reason(shop, wrong, capsys):
    file = next((shop.parent / "impressions").glob("*.csv"))
    column = file.read_text(encoding="utf-8").splitlines()[0].split(",").index("propensity")

    def spoil(line: str) -> str:
        values = line.split(",")
        values[column] = wrong
        return ",".join(values)

    replace_line(file, 5, spoil)
    assert execute(["ingest", "--config", str(shop)]) == 0
    workspace = Workspace(read_settings(shop))

    quality = workspace.night_folder(workspace.recall().run_id).table("out_data_quality")
    rejected = quality.filter(pl.col("n_rejected") > 0, pl.col("rule").str.contains("propensity"))
    [row] = rejected.to_dicts()
    assert row["source_name"].endswith(file.name)
    assert row["reason"].startswith("line 6: ")


def test_too_many_bad_lines_are_65(shop, capsys):
    file = next((shop.parent / "impressions").glob("*.csv"))
    text = file.read_text(encoding="utf-8").splitlines()
    file.write_text(
        "\n".join([text[0], *(line.replace(",home,", ",,") for line in text[1:])]), encoding="utf-8"
    )
    assert execute(["run", "--config", str(shop)]) == 65
    assert file.name in capsys.readouterr().err
    assert nothing_is_published(shop)


def test_an_empty_log_is_not_a_fault_of_the_night(shop):
    next((shop.parent / "purchases").glob("*.csv")).write_text("", encoding="utf-8")
    assert execute(["ingest", "--config", str(shop)]) == 0


def test_a_day_before_all_logs_is_65(shop, capsys):
    assert execute(["run", "--config", str(shop), "--as-of", "2001-01-01"]) == 65
    assert "no impressions up to 2001-01-01" in capsys.readouterr().err


def test_init_writes_a_file_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert execute(["init", "--source", "simulated"]) == 0
    assert read_settings(tmp_path / "metacart.toml").shop.source == "simulated"
    assert execute(["init"]) == 64
    assert "was not changed" in capsys.readouterr().err


@pytest.mark.parametrize("drafted", [True, False])
def test_init_writes_the_share_that_may_be_explored(tmp_path, monkeypatch, capsys, drafted):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.csv").write_text(
        "event_time,event_type,product_id,user_id\n2026-01-05T10:00:00Z,view,7,ann\n", encoding="utf-8"
    )
    form = ["--from", "events.csv"] if drafted else ["--source", "otto"]
    assert execute(["init", "shop.toml", *form, "--explore", "0.25"]) == 0
    assert "25 % of lists are drawn at random" in capsys.readouterr().out
    assert read_settings(tmp_path / "shop.toml").learning.exploration == 0.25
    assert execute(["init", "other.toml", *form]) == 0
    assert read_settings(tmp_path / "other.toml").learning.exploration == 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--explore", "1.5"],
            "1.5 is not a share of traffic that can be explored: choose one from",
        ),
        (["--explore", "nan"], "nan is not a share"),
        (["--explore", "0.2", "--check"], "change `exploration` of [learning] instead"),
        (["--explore", "0.2", "--append"], "change `exploration` of [learning] instead"),
    ],
)
def test_a_share_that_can_t_be_explored_is_refused_in_a_sentence(
    tmp_path, monkeypatch, capsys, options, said
):
    monkeypatch.chdir(tmp_path)
    assert execute(["init", "shop.toml", *options]) == 64
    assert said in capsys.readouterr().err
    assert not (tmp_path / "shop.toml").exists()


@pytest.mark.parametrize("source", ADAPTERS)
def test_init_knows_every_source_that_a_night_knows(tmp_path, source):
    config = tmp_path / "shop.toml"
    assert execute(["init", str(config), "--source", source]) == 0
    shop = read_settings(config).shop
    assert (shop.source, shop.currency_code) == (source, ADAPTERS[source].currency_code)


def test_an_unknown_source_is_refused_with_what_there_is(tmp_path, monkeypatch, capsys):
    # A new configuration has its data folder here, where the failed night leaves its word.
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "shop.toml"
    assert execute(["init", str(config), "--source", "otto"]) == 0
    config.write_text(config.read_text(encoding="utf-8").replace('"otto"', '"ebay"'), encoding="utf-8")
    assert execute(["run", "--config", str(config)]) == 64
    assert "is not a known source. Choose from files, open_bandit" in capsys.readouterr().err


@pytest.mark.slow
def test_a_range_of_nights_runs_the_oldest_first(shop, capsys):
    assert execute(["run", "--config", str(shop), "--from", "2026-01-13", "--to", "2026-01-14"]) == 0
    begun = [line for line in capsys.readouterr().out.splitlines() if line.endswith("begins")]
    assert begun == ["small: the night of 2026-01-13 begins", "small: the night of 2026-01-14 begins"]
    assert json.loads((published(shop) / "small" / "current.json").read_text())["as_of"] == "2026-01-14"


@pytest.mark.parametrize("days", [["--from", "2026-01-14"], ["--from", "2026-01-14", "--to", "2026-01-13"]])
def test_half_a_range_is_64(shop, capsys, days):
    assert execute(["run", "--config", str(shop), *days]) == 64
    assert "takes --from and --to" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nowhere.csv", "nologs"])
def test_a_file_that_is_not_there_is_65(capsys, name):
    assert execute(["init", "--from", name]) == 65
    assert f"{name} can't be read: there is no file or folder of this name." in capsys.readouterr().err


def test_a_shops_own_file_becomes_a_mapping_to_correct(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "events.csv").write_text(
        "event_time,event_type,product_id,user_id\n2026-01-05T10:00:00Z,view,7,ann\n", encoding="utf-8"
    )
    assert execute(["init", "--from", "logs/events.csv"]) == 0
    settings = read_settings(tmp_path / "metacart.toml")
    assert settings.shop.source == "files"
    assert settings.files[0]["path"] == "events.csv"


def test_simulate_overwrites_a_shop_only_when_asked(tmp_path, capsys):
    logs = tmp_path / "logs"
    size = ["--users", "40", "--days", "4"]
    assert execute(["simulate", "--out", str(logs), *size]) == 0
    config = logs / "metacart.toml"
    config.write_text(config.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in logs.rglob("*") if path.is_file()}
    assert execute(["simulate", "--out", str(logs), *size, "--seed", "1"]) == 64
    assert "--overwrite" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in logs.rglob("*") if path.is_file()} == before
    assert execute(["simulate", "--out", str(logs), *size, "--seed", "1", "--overwrite"]) == 0
    assert (logs / "users.csv").read_bytes() != before[logs / "users.csv"]
    assert "# mine" not in config.read_text(encoding="utf-8")


def test_a_configuration_alone_is_not_overwritten_either(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "metacart.toml").write_text("# mine\n", encoding="utf-8")
    assert execute(["simulate", "--out", str(logs), "--users", "40", "--days", "4"]) == 64
    assert (logs / "metacart.toml").read_text(encoding="utf-8") == "# mine\n"
