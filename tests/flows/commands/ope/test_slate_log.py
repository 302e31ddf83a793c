"""`metacart ope --shape slates`: a slot of a slate per row."""

import numpy as np
import pytest

from flows.commands.cli import execute
from tests.flows.commands.ope.round_tables import Columns, spoiled, write_csv, write_parquet
from tests.flows.commands.ope.shape_tables import paper_slates
from tests.offline_rl.ope.slates.slate_worlds import log, truth

SHAPE = ("--shape", "slates")

ON_PAPER = {
    # w (r − q): 0, 0.5, −0.5, 0; the weight above times E q: 2, 2 · 0.5, 0, 0.5 · 1.
    "sncascade_dr": -0.5 / 2.5 + 2 / 2 + 0.5 / 1.5 + 1.5 / 2.5,
    "cascade_dr": (0 + 0.5 - 0.5 + 0 + 2 + 1 + 0 + 0.5) / 2,
    "snrips": 2 / 2.5 + 1.5 / 1.5,
    "rips": (2 + 1 + 0 + 0.5) / 2,
    "snsips": (1 + 1 + 0 + 0.5) / 1.5,
    "sips": (1 + 1 + 0 + 0.5) / 2,
    "sniips": 1.5 / 2 + 1.25 / 1.25,
    "iips": (1.5 + 1 + 0 + 0.25) / 2,
}
POSITIONS = ("slate", "slot", "reward", "propensity", "evaluation_prob")


def only(columns: Columns, *names: str) -> Columns:
    return {name: columns[name] for name in names}


def shown(n=2000, seed=0) -> Columns:
    """Slates of a world of three items, with the probabilities of slots and prefixes."""
    rounds = log(n, seed)
    return {
        "slate": rounds.slate,
        "slot": rounds.slot,
        "reward": rounds.reward,
        "propensity": rounds.position.propensity,
        "evaluation_prob": rounds.position.evaluation_prob,
        "prefix_propensity": rounds.cascade.propensity,
        "prefix_evaluation_prob": rounds.cascade.evaluation_prob,
        "user": rounds.slate // 2,
        "at": np.arange(rounds.n),
    }


@pytest.mark.parametrize("write", [write_parquet, write_csv])
def test_two_slates_on_paper(write, tmp_path, ask) -> None:
    suffix = write.__name__.removeprefix("write_")
    status, answer = ask(write(tmp_path / f"log.{suffix}", paper_slates()), *SHAPE, "--resamples", "20")
    assert status == 3
    assert (answer["shape"], answer["n_rounds"], answer["repeats"]["n_rows"]) == ("slates", 2, 4)
    values = {found["estimator"]: found["value"] for found in answer["estimates"]}
    assert list(values) == list(ON_PAPER)
    assert values == pytest.approx(ON_PAPER)
    assert answer["logging_policy"]["value"] == pytest.approx(1.5)
    assert answer["difference"]["value"] == pytest.approx(ON_PAPER["sncascade_dr"] - 1.5)
    assert answer["propensity_audit"] is None
    # By prefixes the lower slot knows no less than the upper one: weights 2 and 0.5, of which 2.5² / 4.25.
    assert answer["diagnostics"]["ess"] == pytest.approx(6.25 / 4.25)


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (POSITIONS, ["sniips", "iips"]),
        (
            (*POSITIONS[:3], "prefix_propensity", "prefix_evaluation_prob"),
            ["snrips", "rips", "snsips", "sips"],
        ),
        ((*POSITIONS[:3], "slate_propensity", "slate_evaluation_prob"), ["snsips", "sips"]),
    ],
)
def test_what_is_asked_follows_the_columns(names, asked, tmp_path, ask) -> None:
    path = write_parquet(tmp_path / "log.parquet", only(paper_slates(), *names))
    assert [found["estimator"] for found in ask(path, *SHAPE)[1]["estimates"]] == asked


def test_a_large_log_is_trusted_and_holds_the_truth(tmp_path, ask, capsys) -> None:
    path = write_parquet(tmp_path / "log.parquet", shown())
    status, answer = ask(path, *SHAPE, "--estimator", "SNSIPS", "--resamples", "200")
    verdict = {"trusted": True, "reasons": [], "reason_codes": [], "findings": []}
    assert (status, answer["verdict"]) == (0, verdict)
    (found,) = answer["estimates"]
    assert found["estimator"] == "SNSIPS"
    assert found["lower"] < truth("any") < found["upper"]
    assert execute(["ope", str(path), *SHAPE, "--resamples", "50"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("log.parquet: 2,000 slates\nThe policy is worth 0.8")
    assert " per slate (95% interval" in said
    assert "not audited" in said


def test_slates_of_a_user_are_drawn_together(tmp_path, ask) -> None:
    path = write_parquet(tmp_path / "log.parquet", shown(400))
    _, answer = ask(path, *SHAPE, "--cluster", "user", "--resamples", "20")
    assert (answer["n_rounds"], answer["diagnostics"]["n_clusters"]) == (400, 200)


@pytest.mark.parametrize(
    ("columns", "options", "status", "sentence"),
    [
        (
            only(paper_slates(), "slate", "reward"),
            [],
            64,
            "has no column slot. Its columns are slate, reward",
        ),
        (
            only(paper_slates(), *POSITIONS[:4]),
            [],
            64,
            "has no probabilities of slates. It needs one of these pairs: propensity and",
        ),
        (
            paper_slates(),
            ["--estimator", "ips"],
            64,
            "no slate estimator is called 'ips'. Known are cascade_dr",
        ),
        (
            only(paper_slates(), *POSITIONS),
            ["--estimator", "sips"],
            64,
            "sips needs slate_propensity and slate_evaluation_prob, or prefix_propensity and",
        ),
        (
            paper_slates(),
            ["--interval", "cressie_read", "--reward-range", "0", "2"],
            64,
            "each slot of a slate has a weight",
        ),
        (
            paper_slates(),
            ["--fit-q"],
            64,
            "--fit-q has no meaning for --shape slates, only for rounds and sessions",
        ),
        (spoiled(paper_slates(), "slot", 1, 2), [], 65, "row 1: slot is 2. Sort by slate and slot"),
        (spoiled(paper_slates(), "evaluation_prob", 2, 1.5), [], 65, "row 2: evaluation_prob is 1.5"),
        (
            spoiled(paper_slates(), "slate_propensity", 1, 0.25),
            [],
            65,
            "row 1: whole propensity is 0.25. It differs from the row above",
        ),
    ],
)
def test_what_can_not_be_used_is_reported_in_a_sentence(
    columns, options, status, sentence, ask_columns
) -> None:
    found, said = ask_columns(columns, *SHAPE, *options)
    assert found == status
    assert sentence in said
