import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import InputDataError, UsageError
from flows.commands.cli import execute
from flows.simulations.studies.outcome import Outcome, read_outcomes
from flows.simulations.studies.report import write_report
from flows.simulations.studies.run import LEDGER, Job, ProtocolSettings, all_learners, run_protocol, run_study
from flows.simulations.studies.split_ledger import read_split_uses
from flows.simulations.studies.study import StudySettings
from offline_rl.meta.learning_settings import LearningSettings

SETTINGS = ProtocolSettings(
    study=StudySettings("strong", 0, regions=20, users=900, items=12, days=14, fewest_rounds=10),
    learning=LearningSettings(hidden=4, max_steps=10),
    steps=(0, 1),
    support=(25,),
    curve_seeds=1,
)
NAMES = ("pooled_reward_model", "beta_binomial", "fine_tuned")


def job(out: Path, learners: tuple[str, ...] = NAMES, settings: ProtocolSettings = SETTINGS) -> Job:
    return Job(settings, settings.sha256, "strong", 3, learners, with_curves=True, out=out)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Job:
    made = job(tmp_path_factory.mktemp("protocol"))
    run_study(made)
    return made


@pytest.fixture(scope="module")
def outcomes(done: Job) -> list[Outcome]:
    return read_outcomes(done.outcomes, done.config_sha256)


def test_every_learner_is_evaluated_on_the_same_segments_and_truth(outcomes: list[Outcome]) -> None:
    assert [outcome.learner for outcome in outcomes] == list(NAMES)
    assert len({tuple(outcome.segments) for outcome in outcomes}) == 1
    assert len({(tuple(outcome.logging), tuple(outcome.oracle)) for outcome in outcomes}) == 1
    assert all(len(outcome.true) == len(outcome.segments) >= 10 for outcome in outcomes)
    assert all(-1 < outcome.share < 1 for outcome in outcomes)


def test_the_pooled_model_is_not_a_clear_gain_over_itself(outcomes: list[Outcome]) -> None:
    assert set(outcomes[0].gain_in_errors) == {0.0}
    assert outcomes[0].validation_gain == 0.0


def test_the_refit_moves_policies_based_on_the_pooled_model(outcomes: list[Outcome]) -> None:
    moved = {outcome.learner: outcome.true != outcome.before_refit for outcome in outcomes}
    assert moved == {"pooled_reward_model": True, "beta_binomial": False, "fine_tuned": True}


def test_curves_end_where_the_learner_is(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.adapts:
            assert list(outcome.support) == ["0", "25", "all"]
            assert outcome.support["all"] == pytest.approx(outcome.share_before_refit)
        else:
            assert outcome.support == outcome.steps == {}


def test_splits_are_sealed_and_every_use_is_in_the_ledger(done: Job) -> None:
    manifest = json.loads((done.out / "splits" / "strong-3.json").read_text())
    assert set(manifest["segments"].values()) == {"meta_train", "meta_validation", "meta_test"}
    assert [entry.learner for entry in read_split_uses(done.out / LEDGER)] == list(NAMES)


def test_what_is_done_is_not_done_again(done: Job) -> None:
    before = done.outcomes.read_bytes(), (done.out / LEDGER).read_bytes()
    run_study(done)
    assert (done.outcomes.read_bytes(), (done.out / LEDGER).read_bytes()) == before


def test_an_interrupted_study_goes_on_and_gives_the_same(done: Job, tmp_path: Path) -> None:
    lines = done.outcomes.read_text().splitlines(keepends=True)
    other = replace(done, out=tmp_path)
    other.outcomes.parent.mkdir(parents=True)
    other.outcomes.write_text("".join(lines[:2]) + lines[2][:40])
    run_study(other)
    again = read_outcomes(other.outcomes, done.config_sha256)
    assert [outcome.learner for outcome in again] == list(NAMES)
    for first, second in zip(read_outcomes(done.outcomes, done.config_sha256), again, strict=True):
        assert first.true == second.true


def test_another_configuration_is_a_second_use_and_shows(done: Job, tmp_path: Path) -> None:
    first = job(tmp_path, ("pooled_reward_model",))
    other = replace(SETTINGS, exploration=0.2)
    run_study(first)
    run_study(job(tmp_path, ("pooled_reward_model",), other))
    found = read_outcomes(first.outcomes, other.sha256)
    assert [outcome.config_sha256 for outcome in found] == [other.sha256]
    table = write_report(other, found, tmp_path).read_text()
    assert "1 of all in the ledger were used more than once" in table
    assert f"pooled_reward_model in strong 3: 2 uses, by {first.config_sha256[:12]}" in table


def test_a_study_whose_split_was_tampered_with_is_refused(done: Job, tmp_path: Path) -> None:
    sealed = tmp_path / "splits" / "strong-3.json"
    sealed.parent.mkdir()
    text = (done.out / "splits" / "strong-3.json").read_text()
    sealed.write_text(text.replace("meta_test", "meta_train", 1))
    with pytest.raises(InputDataError, match="another split"):
        run_study(replace(done, out=tmp_path))


def test_the_table_names_all_and_depends_on_the_outcomes_alone(done: Job, outcomes: list[Outcome]) -> None:
    first = write_report(SETTINGS, outcomes, done.out).read_text()
    assert write_report(SETTINGS, outcomes[::-1], done.out).read_text() == first
    for name in (*NAMES, "shipped"):
        assert f"\n| {name} | " in first
    content = json.loads((done.out / "learners.json").read_text())
    row = content["worlds"]["strong"]["learners"]["beta_binomial"]
    assert row["share"] == pytest.approx(outcomes[1].share)
    lines = [json.loads(line) for line in (done.out / "learners.jsonl").read_text().splitlines()]
    assert [line["learner"] for line in lines] == sorted(outcome.learner for outcome in outcomes)


def test_the_frozen_configuration_is_all_but_world_and_seed() -> None:
    elsewhere = replace(SETTINGS, study=replace(SETTINGS.study, world="mild", seed=9))
    assert elsewhere.sha256 == SETTINGS.sha256
    assert replace(SETTINGS, learning=LearningSettings(hidden=5)).sha256 != SETTINGS.sha256


def test_whoever_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="oracle is neither a learner nor a world"):
        run_protocol(SETTINGS, tmp_path, learners=["oracle"])


def test_wrong_numbers_are_64_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["evaluate", "--protocol", "--seeds", "0"]) == 64
    assert "1 or more seeds" in capsys.readouterr().err


def test_everybody_is_named_once() -> None:
    assert len(set(all_learners())) == len(all_learners()) >= 11


@pytest.mark.slow
def test_the_command_prints_the_table_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", "studies", "--worlds", "homogeneous", "--seeds", "2", "--first-seed", "100"]
    names = ["--learners", "pooled_reward_model", "beta_binomial", "--jobs", "2", "--out", str(tmp_path)]
    assert execute([*command, *names]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "LEARNERS.md").read_text() in printed
    worlds = json.loads((tmp_path / "learners.json").read_text())["worlds"]
    assert np.isfinite(worlds["homogeneous"]["learners"]["pooled_reward_model"]["standard_error"])
