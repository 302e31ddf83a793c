"""`metacart ope --shape spend`: a round per row, whose action is an amount."""

import numpy as np
import pytest

from flows.commands.cli import execute
from tests.flows.commands.ope.round_tables import Columns, spoiled, write_csv, write_parquet
from tests.flows.commands.ope.shape_tables import paper_spend
from tests.offline_rl.ope.continuous.spend_worlds import drawn

SHAPE = ("--shape", "spend", "--spend-range")
PAPER = (*SHAPE, "0", "10", "--bandwidth", "2", "--kernel", "triangular")

# Weights 2, 1, 0, 0.5 on rewards 1, 2, 9, 4; residuals 0, 1, 8, 2; the model says 1.5 of the policy.
ON_PAPER = {"dr": 1.5 + (0 + 1 + 0 + 1) / 4, "sndr": 1.5 + 2 / 3.5, "snips": 6 / 3.5, "ips": 6 / 4}


def spent(n=3000, seed=0) -> Columns:
    """Amounts from 0 to 1; 1 − (a − 1/2)² is earned on average, and the policy spends 1/2."""
    rounds = drawn(n, seed, lambda level: 1 - (level - 0.5) ** 2, 0.5)
    columns = {name: getattr(rounds, name) for name in ("spend", "reward", "density", "evaluation_spend")}
    return columns | {"user": np.arange(n) // 3}


def without(columns: Columns, *names: str) -> Columns:
    return {name: column for name, column in columns.items() if name not in names}


@pytest.mark.parametrize("write", [write_parquet, write_csv])
def test_four_amounts_on_paper(write, tmp_path, ask) -> None:
    suffix = write.__name__.removeprefix("write_")
    status, answer = ask(write(tmp_path / f"log.{suffix}", paper_spend()), *PAPER, "--resamples", "20")
    assert status == 3
    assert (answer["shape"], answer["n_rounds"]) == ("spend", 4)
    assert {found["estimator"]: found["value"] for found in answer["estimates"]} == pytest.approx(ON_PAPER)
    assert answer["logging_policy"]["value"] == 4.0
    assert answer["difference"]["value"] == pytest.approx(ON_PAPER["dr"] - 4)
    assert "triangular kernel of bandwidth 2, as asked" in answer["estimates"][0]["interval_method"]


def test_a_bandwidth_is_chosen_and_undersmoothed(tmp_path, ask, capsys) -> None:
    path = write_parquet(tmp_path / "log.parquet", spent())
    status, answer = ask(path, *SHAPE, "0", "1", "--resamples", "100")
    verdict = {"trusted": True, "reasons": [], "reason_codes": [], "findings": []}
    assert (status, answer["verdict"]) == (0, verdict)
    snips, ips = answer["estimates"]
    assert (snips["estimator"], ips["estimator"]) == ("snips", "ips")
    assert snips["lower"] < 1 < snips["upper"]
    assert "that SLOPE chose" in snips["interval_method"]
    assert execute(["ope", str(path), *SHAPE, "0", "1", "--resamples", "50"]) == 0
    assert " per round (95% interval" in capsys.readouterr().out


def test_a_chosen_number_is_marked_here_too(tmp_path, ask) -> None:
    path = write_parquet(tmp_path / "log.parquet", spent(600))
    options = ["--bandwidth", "0.2", "--estimator", "ips:auto", "--cluster", "user", "--resamples", "20"]
    _, answer = ask(path, *SHAPE, "0", "1", *options)
    plain, tuned = answer["estimates"]
    assert (plain["estimator"], tuned["estimator"]) == ("ips", "ips:auto")
    assert "never the headline" in tuned["interval_method"]
    assert answer["diagnostics"]["n_clusters"] == 200


def test_an_interval_of_a_known_range_holds_for_amounts(tmp_path, ask) -> None:
    columns = spent(600) | {"reward": (spent(600)["reward"] > 0.9).astype(float)}
    options = ["--bandwidth", "0.2", "--interval", "confidence_sequence", "--reward-range", "0", "1"]
    path = write_parquet(tmp_path / "log.parquet", columns)
    _, answer = ask(path, *SHAPE, "0", "1", *options, "--estimator", "snips", "--resamples", "20")
    (found,) = answer["estimates"]
    assert 0 < found["lower"] < found["value"] < found["upper"] < 1


@pytest.mark.parametrize(
    ("columns", "options", "status", "sentence"),
    [
        (paper_spend(), ["--shape", "spend"], 64, "--shape spend needs --spend-range"),
        (paper_spend(), [*SHAPE, "10", "0"], 64, "takes the least and the largest amount"),
        (
            without(paper_spend(), "density"),
            PAPER,
            64,
            "has no column density. Its columns are spend, reward",
        ),
        (
            without(paper_spend(), "q_policy"),
            [*PAPER, "--estimator", "dr"],
            64,
            "dr needs q_logged and q_policy",
        ),
        (paper_spend(), [*PAPER, "--estimator", "mips"], 64, "mips needs actions that are numbered"),
        (paper_spend(), [*PAPER, "--estimator", "magic"], 64, "no estimator is called 'magic'"),
        (paper_spend(), [*SHAPE, "0", "10", "--bandwidth", "0"], 64, "--bandwidth is 0"),
        (paper_spend(), [*SHAPE, "0", "10", "--kernel", "uniform"], 64, "--kernel"),
        (paper_spend(), ["--bandwidth", "2"], 64, "--bandwidth has no meaning for --shape rounds"),
        (paper_spend(), [*SHAPE, "0", "7"], 65, "log.parquet, row 2: spend is 8. Logged levels lie between"),
        (
            spoiled(paper_spend(), "density", 1, 0.0),
            PAPER,
            65,
            "row 1: density is 0. Give a positive density",
        ),
        (spoiled(paper_spend(), "reward", 1, np.nan), PAPER, 65, "row 1: reward is nan"),
        (paper_spend(), [*SHAPE, "0", "10"], 65, "none of the bandwidths leaves 30 effective rounds"),
    ],
)
def test_what_can_not_be_used_is_reported_in_a_sentence(
    columns, options, status, sentence, ask_columns
) -> None:
    found, said = ask_columns(columns, *options)
    assert found == status
    assert sentence in said
