"""Propensities of a file: correct ones are let pass, wrong ones found, estimated ones never go unsaid."""

import json
from pathlib import Path

import numpy as np
import pytest

from features.contracts.findings import as_plain
from flows.commands.cli import execute
from flows.commands.ope.evaluation_rounds import read_evaluation_rounds
from flows.commands.ope.policy_answer import answer
from flows.commands.ope.policy_question import PolicyQuestion
from flows.commands.ope.propensity_evidence import propensity_evidence
from flows.commands.ope.round_files import open_rounds
from offline_rl.ope.models.estimated_propensities import MARK
from reports.summaries.policy_answer import LoggedPropensities, ModeledPropensities
from tests.flows.commands.ope.round_tables import Columns, small_columns, write_parquet
from tests.offline_rl.ope.worlds import World, softmax


def drawn(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    above = rng.random((len(probabilities), 1)) > probabilities.cumsum(axis=1)[:, :-1]
    return above.sum(axis=1)


def world_columns(
    seed: int, *, n: int = 1500, n_actions: int = 4, taste: float = 1.0, present: float = 1.0
) -> Columns:
    """Rounds of a softmax policy, correctly logged.

    present: chance of an action to be available in a round; where it is not, no policy chooses it, and the
    file does not say so.
    """
    rng = np.random.default_rng(seed)
    user = rng.integers(0, n // 3, n)
    context = rng.normal(size=(n // 3, 2))[user]
    likes = np.random.default_rng(17).normal(size=(2, 2, n_actions))
    is_present = rng.random((n, n_actions)) < present
    is_present[:, 0] = True
    logging, evaluated = (
        softmax(np.where(is_present, strength * context @ like, -np.inf))
        for strength, like in zip((taste, 0.5), likes, strict=True)
    )
    action = drawn(logging, rng)
    return {
        "action": action,
        "reward": (rng.random(n) < 0.2 + 0.1 * (action % 3)).astype(float),
        "propensity": logging[np.arange(n), action],
        "evaluation_probs": evaluated,
        "logging_probs": logging,
        "context": context,
        "user": user,
    }


def without(columns: Columns, *names: str) -> Columns:
    return {name: column for name, column in columns.items() if name not in names}


def evidence(folder: Path, columns: Columns) -> LoggedPropensities | ModeledPropensities:
    file = open_rounds(write_parquet(folder / "log.parquet", columns, row_group_size=400))
    return propensity_evidence(file, read_evaluation_rounds(file, (), None))


def ask(folder: Path, columns: Columns, capsys: pytest.CaptureFixture[str]) -> tuple[int, Columns, str]:
    """Exit status, JSON object and table of the command."""
    path = str(write_parquet(folder / "log.parquet", columns))
    status = execute(["ope", path, "--json", "--resamples", "50"])
    said = json.loads(capsys.readouterr().out)
    assert execute(["ope", path, "--resamples", "50"]) == status
    return status, said, capsys.readouterr().out


GOOD_WORLDS = [
    {"n_actions": n_actions, "taste": taste, "present": present}
    for n_actions in (2, 10, 60)
    for taste in (0.2, 1.0)
    for present in (1.0, 0.6)
]


@pytest.mark.parametrize(("told", "most"), [("propensity", 0), ("logging_probs", 0)])
def test_correct_logs_pass(tmp_path: Path, told: str, most: int) -> None:
    """36 logs of each kind, half of them of policies whose actions come and go."""
    unsaid = () if told == "logging_probs" else ("logging_probs",)
    faulted = [
        (world, seed)
        for world in GOOD_WORLDS
        for seed in range(3)
        if evidence(tmp_path, without(world_columns(seed, **world), *unsaid)).doubts
    ]
    assert len(faulted) <= most, faulted


@pytest.mark.parametrize("seed", range(6))
def test_correct_logs_of_the_known_worlds_are_trusted(tmp_path: Path, seed: int) -> None:
    world = World(logged_taste=0.5 + 0.5 * (seed % 3))
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, 2000)
    action = drawn(world.logging[kind], rng)
    columns = {
        "action": action,
        "reward": (rng.random(2000) < world.reward_probability[kind, action]).astype(float),
        "propensity": world.logging[kind, action],
        "evaluation_probs": world.evaluated[kind],
    }
    path = write_parquet(tmp_path / "log.parquet", columns)
    assert answer(PolicyQuestion(path, ("snips",), resamples=50)).reasons == ()


def uniform(columns: Columns) -> Columns:
    """What weave-os/router#566 logged: 1 over the number of actions, whatever the policy."""
    return columns | {"propensity": np.full(1500, 0.25)}


def too_small(columns: Columns) -> Columns:
    return columns | {"propensity": columns["propensity"] / 1.3}


def of_another_action(columns: Columns) -> Columns:
    shifted = (columns["action"] + 1) % 4
    return columns | {"propensity": columns["logging_probs"][np.arange(1500), shifted]}


@pytest.mark.parametrize(
    ("spoil", "taste", "said"),
    [
        (uniform, 1.2, "Every logged propensity is 1 over the number of actions, but the policy did not"),
        (too_small, 0.3, "times too small"),
        (of_another_action, 0.7, "were not chosen as often as their propensities say"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_wrong_propensities_are_not_trusted(tmp_path, capsys, spoil, taste, said) -> None:
    columns = without(spoil(world_columns(5, taste=taste)), "logging_probs", "context", "user")
    status, told, table = ask(tmp_path, columns, capsys)
    findings = told["propensity_audit"]["findings"]
    assert status == 3
    assert told["propensity_audit"]["is_consistent"] is False
    assert any(said in finding for finding in findings)
    assert told["verdict"]["reasons"][: len(findings)] == findings
    assert f"{len(findings)} finding" in table
    assert all(finding in table for finding in findings)


def four_actions() -> Columns:
    return world_columns(5, taste=0.7)


def test_what_is_seen_once_all_probabilities_are_logged(tmp_path: Path) -> None:
    """A shortfall may be an action that was not available, unless the log says that all of them were."""
    columns = four_actions()
    too_large = columns | {"propensity": np.minimum(1.3 * columns["propensity"], 1.0)}
    assert evidence(tmp_path, without(too_large, "logging_probs")).doubts == ()
    (first, *_) = evidence(tmp_path, too_large).doubts
    assert (first.code, first.number("row")) == ("propensity_off", 0)
    whole = too_large | {"logging_probs": np.full((1500, 4), 0.25)}
    assert any(doubt.code == "propensities_too_large" for doubt in evidence(tmp_path, whole).doubts)


def test_open_bandit_pipelines_rounds_pass(tmp_path: Path) -> None:
    assert evidence(tmp_path, small_columns()) == LoggedPropensities((), 11)


def test_estimated_propensities_are_marked_everywhere(tmp_path, capsys) -> None:
    columns = without(world_columns(1), "propensity", "logging_probs", "user")
    status, told, table = ask(tmp_path, columns, capsys)
    assert status == 0
    assert told["propensities"] == "estimated"
    assert told["propensity_audit"] is None
    assert 0 < told["calibration_error"] < 0.05
    assert all(estimate["interval_findings"][-1] == as_plain(MARK) for estimate in told["estimates"])
    head, _, rest = table.partition("\n\n")
    assert "Propensities estimated, not logged: values assume" in head
    assert "calibration error" in rest


def test_estimated_propensities_come_near_the_value_by_logged_ones(tmp_path: Path) -> None:
    logged = world_columns(2, n=6000)
    question = PolicyQuestion(write_parquet(tmp_path / "log.parquet", logged), ("snips",), resamples=50)
    expected = answer(question).leading
    write_parquet(question.rounds, without(logged, "propensity", "logging_probs"))
    assert answer(question).leading.value == pytest.approx(expected.value, abs=0.01)


def test_a_value_that_nothing_identifies_is_marked_too(tmp_path, capsys) -> None:
    columns = without(world_columns(1), "propensity", "logging_probs", "user")
    never = np.tile([0.0, 0, 0, 0, 1.0], (1500, 1))
    status, told, _ = ask(tmp_path, columns | {"evaluation_probs": never}, capsys)
    assert status == 3
    assert told["estimates"][0]["value"] is None
    assert all(estimate["interval_findings"][-1] == as_plain(MARK) for estimate in told["estimates"])


def test_nothing_left_to_chance_is_not_trusted(tmp_path, capsys) -> None:
    columns = without(world_columns(1), "propensity", "logging_probs", "user")
    columns["action"] = (columns["context"][:, 0] > 0).astype(int)
    status, told, table = ask(tmp_path, columns, capsys)
    assert status == 3
    assert told["verdict"]["reasons"][0].startswith("The context predicts ")
    assert "The policy is worth" not in table


def test_a_model_that_misses_the_logging_policy_is_not_trusted(tmp_path, capsys) -> None:
    """A policy that leaps at the median of a context with a heavy tail, where a logit can only rise."""
    rng = np.random.default_rng(1)
    context = np.exp(2 * rng.normal(size=3000))
    action = (rng.random(3000) < np.where(context > 1, 0.9, 0.1)).astype(int)
    columns = {
        "action": action,
        "reward": (rng.random(3000) < 0.3).astype(float),
        "evaluation_probs": np.full((3000, 2), 0.5),
        "context": context[:, np.newaxis],
    }
    status, told, _ = ask(tmp_path, columns, capsys)
    assert status == 3
    assert told["calibration_error"] > 0.05
    assert "of the choices are not where the estimate puts them" in told["verdict"]["reasons"][0]


def test_neither_propensities_nor_contexts_is_wrong_usage(tmp_path, capsys) -> None:
    columns = without(four_actions(), "propensity", "logging_probs", "context")
    assert execute(["ope", str(write_parquet(tmp_path / "log.parquet", columns))]) == 64
    assert "neither propensity nor context" in capsys.readouterr().err
