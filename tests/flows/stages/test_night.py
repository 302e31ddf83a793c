"""A whole night: what it leaves behind, again, elsewhere, and when it dies on the way."""

import hashlib
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.contracts.findings import from_json
from features.contracts.outputs import OUTPUTS
from flows.checksums import checksums, files_below
from flows.code_version import code_sha256
from flows.json_files import read_json, write_record
from flows.ledger import read_lines
from flows.night_folder import NightFolder, StageMark
from flows.settings import read_settings
from flows.stages.evaluate import evaluate
from flows.stages.night import NightResult, run_night
from flows.workspace import Workspace
from offline_rl.meta.per_segment import PerSegmentMetaPolicy
from reports.wording.sentences import say

# The checksums are of these files too.
MEASURES_TIME = {"out_learning_curves.parquet", "out_learning_curves.csv", "SHA256SUMS"}


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_table_is_published_and_keeps_its_contract(small_night):
    # it has users and logged propensities, no two arms at once, and no experiment
    without = {"out_segment_distributions", "out_recommendation_quality", "out_arm_checks"}
    without |= {"out_sensitivity", "out_estimated_propensities", "out_experiments"}
    assert set(OUTPUTS) - without - {"out_budget_backtest"} <= set(small_night.published.tables)
    assert not without & set(small_night.published.tables)
    for name, path in small_night.published.tables.items():
        OUTPUTS[name].validate(pl.read_parquet(path), cast=True)
        assert path.with_suffix(".csv").is_file()


def test_the_pointer_names_the_night(small_night):
    current = read_json(small_night.published.folder.parent / "current.json")
    assert current["run_id"] == small_night.night.run_id


def test_the_same_night_again_changes_nothing(small_config, small_night):
    before = content(small_night.published.folder)
    again = run_night(read_settings(small_config), None)
    assert again.night.run_id == small_night.night.run_id
    assert content(small_night.published.folder) == before


@pytest.mark.slow
def test_a_second_use_of_a_holdout_is_noted(small_config, small_night, tmp_path):
    before = small_night.published.folder.parents[2] / "work" / "small" / "openings.jsonl"
    assert small_night.night.run_id in {line["run_id"] for line in read_lines(before)}
    assert not any("this holdout was used" in note for note in manifest(small_night)["notes"])

    shutil.copytree(small_config.parents[1], tmp_path / "shop")
    other = tmp_path / "shop" / "logs" / "metacart.toml"
    text = other.read_text(encoding="utf-8").replace(str(small_config.parents[1]), str(tmp_path / "shop"))
    other.write_text(text.replace("exploration = 0.1", "exploration = 0.2"), encoding="utf-8")
    second = run_night(read_settings(other), None)

    assert second.night.run_id != small_night.night.run_id
    notes = [note for note in manifest(second)["notes"] if "this holdout was used once before" in note]
    assert {note.partition(":")[0] for note in notes} == set(second.night.domains)


def manifest(night: NightResult) -> dict[str, Any]:
    return read_json(night.published.folder / "manifest.json")


def test_the_same_logs_elsewhere_give_the_same_bytes(small_config, small_night, tmp_path):
    shutil.copytree(small_config.parent, tmp_path / "logs")
    elsewhere = run_night(read_settings(tmp_path / "logs" / "metacart.toml"), None)
    ours, theirs = content(small_night.published.folder), content(elsewhere.published.folder)
    assert {k: v for k, v in ours.items() if k not in MEASURES_TIME} == {
        k: v for k, v in theirs.items() if k not in MEASURES_TIME
    }


def test_an_earlier_night_sees_nothing_of_later_days(small_config, small_night, tmp_path):
    earlier = small_night.night.as_of - timedelta(days=2)
    shutil.copytree(small_config.parent, tmp_path / "all")
    shutil.copytree(small_config.parent, tmp_path / "cut" / "logs")
    for file in (tmp_path / "cut" / "logs").glob("*/*.csv"):
        if file.stem > earlier.isoformat():
            file.unlink()
    whole = run_night(read_settings(small_config), earlier)
    cut = run_night(read_settings(tmp_path / "cut" / "logs" / "metacart.toml"), earlier)
    for name in ("out_policy_values", "out_recommendations", "out_budget_allocation"):
        assert pl.read_parquet(whole.published.tables[name]).equals(
            pl.read_parquet(cut.published.tables[name])
        )


@pytest.mark.slow
def test_looking_back_does_not_turn_the_shop_back(small_config, small_night):
    yesterday = run_night(read_settings(small_config), small_night.night.as_of - timedelta(days=1))
    assert yesterday.published.report.is_file()
    current = read_json(yesterday.published.folder.parent / "current.json")
    assert current["run_id"] == small_night.night.run_id


def test_estimates_come_with_the_truth_of_a_simulated_shop(small_night):
    values = pl.read_parquet(small_night.published.tables["out_policy_values"])
    assert values["true_value"].null_count() == 0
    logging = values.filter(policy="logging", estimator="ips", segment_id="all", domain="recommendation")
    [row] = logging.to_dicts()
    assert row["lower"] <= row["true_value"] <= row["upper"]


def test_how_each_interval_was_made_is_a_code_beside_its_findings_and_sentences(small_night):
    values = pl.read_parquet(small_night.published.tables["out_policy_values"])
    for row in values.iter_rows(named=True):
        found = from_json(row["interval_findings"])
        assert (found[0].code, found[0].subject) == ("bca", row["policy"])
        assert row["interval_codes"].split() == list(dict.fromkeys(each.code for each in found))
        assert row["interval_method"] == say(found)
    of_model = values.filter(pl.col("interval_findings").str.contains("model_error_left_out"))
    assert set(of_model["estimator"]) == {"dm"}


def test_learners_are_compared_by_the_values_that_are_published(small_night):
    tables = {name: pl.read_parquet(path) for name, path in small_night.published.tables.items()}
    values = tables["out_policy_values"].filter(estimator="dr")
    compared = tables["out_learner_comparisons"]
    assert {("maml", "pooled_reward_model"), ("maml", "random_effects")} <= set(
        compared.select("learner", "baseline").iter_rows()
    )
    for row in compared.to_dicts():
        tested = tables["out_segment_tasks"].filter(domain=row["domain"], split="meta_test")["segment_id"]
        own = values.filter(pl.col("segment_id").is_in(tested.implode()), domain=row["domain"])
        mean = {name: own.filter(policy=row[name])["value"].mean() for name in ("learner", "baseline")}
        assert row["n_segments"] == own["segment_id"].n_unique() > 0
        assert row["difference"] == pytest.approx(mean["learner"] - mean["baseline"], abs=1e-6)
        assert not row["is_claimed"]


@pytest.fixture
def copied_night(small_config, small_night, tmp_path):
    """The small night's workspace, to be changed, and the night with one domain."""
    shutil.copytree(small_config.parents[1], tmp_path / "shop")
    config = tmp_path / "shop" / "logs" / "metacart.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(str(small_config.parents[1]), str(tmp_path / "shop")), encoding="utf-8")
    return Workspace(read_settings(config)), replace(small_night.night, domains=("recommendation",))


def as_left_by_learn(folder: NightFolder) -> None:
    """Record the present files as those that learn has left."""
    files = [name for name in files_below(folder.path) if not name.endswith(".done")]
    mark = StageMark(code_sha256(), checksums(folder.path, files))
    write_record(folder.path / "learn.done", mark)


def test_curves_are_drawn_of_policies_that_have_not_read_the_support(copied_night):
    """That is of those that were learned, before the refit; what is to serve is what the values are of."""
    workspace, night = copied_night
    folder = workspace.night_folder(night.run_id)
    adapting = PerSegmentMetaPolicy(
        "per_segment",
        variance=0.1,
        temperature=0.5,
        is_binary=True,
        reward_scale=1.0,
        validation_value=0.0,
        validation_gain=0.0,
    )
    folder.save_policies("recommendation", learned=[adapting], evaluated=[], served=[])
    as_left_by_learn(folder)

    evaluate(workspace, night)

    curves = folder.table("out_adaptation_curves")
    amounts = curves.filter(learner="per_segment", curve="support_rounds")["amount"].to_list()
    assert amounts == [0, 25, 50, 100, 200, None]
    assert curves["value"].is_finite().all()
    assert "per_segment" not in folder.table("out_policy_values")["policy"].to_list()


def test_a_night_that_kept_no_segment_from_its_learners_is_noted(copied_night):
    workspace, night = copied_night
    folder = workspace.night_folder(night.run_id)
    rounds = folder.path / "rounds_recommendation.npz"
    with np.load(rounds) as archive:
        arrays = dict(archive)
    np.savez(rounds, **arrays | {"segment_split": np.zeros_like(arrays["segment_split"])})
    as_left_by_learn(folder)

    evaluate(workspace, night)

    for name in ("out_learner_comparisons", "out_adaptation_curves"):
        table = folder.table(name)
        assert table.is_empty()
        OUTPUTS[name].validate(table, cast=True)


def test_slates_are_whole_and_their_propensities_possible(small_night):
    slates = pl.read_parquet(small_night.published.tables["out_recommendations"])
    by_user = slates.group_by("user_key", "surface").agg(
        pl.len().alias("n"), pl.col("item_id").n_unique().alias("items"), pl.col("slot_rank").sort()
    )
    assert by_user["n"].unique().to_list() == [3]
    assert by_user["items"].unique().to_list() == [3]
    assert slates.filter(pl.col("propensity").log() < pl.col("slate_log_probability") - 1e-9).is_empty()


def test_the_budget_is_spent_to_the_cent(small_night):
    budget = pl.read_parquet(small_night.published.tables["out_budget_allocation"])
    assert budget["spend_recommended_cents"].sum() == budget["spend_current_cents"].sum()


# Beside the kills of test_kills.py, whose shop learns nothing: here a night that learns dies at each stage.
@pytest.mark.slow
@pytest.mark.parametrize("stage", ["learn", "evaluate", "decide", "publish"])
def test_a_night_that_dies_publishes_nothing_and_its_rerun_everything(
    small_config, small_night, tmp_path, monkeypatch, stage
):
    shutil.copytree(small_config.parent, tmp_path / "logs")
    settings = read_settings(tmp_path / "logs" / "metacart.toml")

    def die(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        target = "flows.stages.publish.write_report" if stage == "publish" else f"flows.stages.night.{stage}"
        patched.setattr(target, die)
        with pytest.raises(KeyboardInterrupt):
            run_night(settings, None)
    assert not (settings.paths.data / "published" / "small" / "current.json").exists()
    rerun = run_night(settings, None)
    assert rerun.night.run_id == small_night.night.run_id
    ours, theirs = content(small_night.published.folder), content(rerun.published.folder)
    assert ours["manifest.json"] == theirs["manifest.json"]
