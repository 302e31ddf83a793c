"""`metacart ope --shape sessions`: a step per row."""

import numpy as np
import pytest

from flows.commands.cli import execute
from offline_rl.ope.sessions.evaluation import evaluate_sessions
from offline_rl.ope.sessions.fitted_q_evaluation import cross_fitted
from offline_rl.ope.sessions.named_estimators import from_name
from tests.flows.commands.ope.round_tables import Columns, spoiled, write_csv, write_parquet
from tests.flows.commands.ope.shape_tables import paper_sessions
from tests.offline_rl.ope.sessions.session_worlds import Visits

SHAPE = ("--shape", "sessions")
WORLD = Visits()

# With a discount of 1/2; the sums behind them are in tests/offline_rl/ope/sessions.
ON_PAPER = {
    "weighted_dr": 1.5 + 1.2 / 3.6 + 0.5 * 1.6 / 3.6,
    "sequential_dr": 6.5 / 3,
    "sequential_dm": 1.5,
    "weighted_per_decision_is": 8.8 / 3.6,
    "per_decision_is": 8.8 / 3,
}


def without(columns: Columns, *names: str) -> Columns:
    return {name: column for name, column in columns.items() if name not in names}


def visits(n=1500, seed=0) -> Columns:
    """Sessions of a Markov world, the state one-hot in `context`."""
    log = WORLD.log(n, seed)
    columns = {name: getattr(log, name) for name in ("session", "step", "action", "reward", "propensity")}
    probs = {"evaluation_probs": WORLD.policy(log), "context": log.features}
    return columns | probs | {"at": np.arange(log.n_steps), "user": log.session // 2}


@pytest.mark.parametrize("write", [write_parquet, write_csv])
def test_three_sessions_on_paper(write, tmp_path, ask) -> None:
    suffix = write.__name__.removeprefix("write_")
    path = write(tmp_path / f"log.{suffix}", paper_sessions())
    status, answer = ask(path, *SHAPE, "--gamma", "0.5", "--resamples", "20")
    assert status == 3
    assert (answer["shape"], answer["n_rounds"], answer["repeats"]["n_rows"]) == ("sessions", 3, 5)
    values = {found["estimator"]: found["value"] for found in answer["estimates"]}
    assert list(values) == list(ON_PAPER)
    assert values == pytest.approx(ON_PAPER)
    # Returns of 2, 0 and 4.
    assert answer["logging_policy"]["value"] == pytest.approx(2.0)
    assert answer["difference"]["value"] == pytest.approx(ON_PAPER["weighted_dr"] - 2)
    # Weights of whole sessions: 0.8, 0.4 and 2.4.
    assert answer["diagnostics"]["mean_weight"] == pytest.approx(1.2)
    assert answer["verdict"]["reasons"][0] == "Only 3 sessions, fewer than 100."


def test_without_a_model_weights_alone_are_asked(tmp_path, ask) -> None:
    path = write_parquet(tmp_path / "log.parquet", without(paper_sessions(), "q_logged", "v"))
    _, answer = ask(path, *SHAPE, "--resamples", "20")
    assert [found["estimator"] for found in answer["estimates"]] == [
        "weighted_per_decision_is",
        "per_decision_is",
    ]


def test_q_is_fitted_backward_from_context(tmp_path, ask) -> None:
    path = write_parquet(tmp_path / "log.parquet", visits())
    options = ["--gamma", "0.9", "--fit-q", "--seed", "3", "--resamples", "100"]
    status, answer = ask(path, *SHAPE, *options)
    log = WORLD.log(1500, 0)
    seen = cross_fitted(log, WORLD.policy(log), gamma=0.9, seed=3)
    expected = evaluate_sessions(
        {"new": seen}, [from_name("weighted_dr", 0.9)], gamma=0.9, n_resamples=100, seed=3
    ).policy_values()[0]
    leading = answer["estimates"][0]
    assert (status, leading["estimator"]) == (0, "weighted_dr")
    for key in ("value", "lower", "upper"):
        assert leading[key] == pytest.approx(getattr(expected, key), rel=1e-9)
    assert leading["lower"] < WORLD.truth < leading["upper"]
    fitted = leading["interval_findings"][-1]
    assert (fitted["code"], fitted["numbers"]["columns"]) == ("fitted_on_context", "q_logged, v")
    assert answer["propensity_audit"]["is_consistent"]
    assert answer["propensity_audit"]["n_tests"] > 0


def test_sessions_of_a_user_are_drawn_together(tmp_path, ask) -> None:
    path = write_parquet(tmp_path / "log.parquet", visits(400))
    _, answer = ask(path, *SHAPE, "--cluster", "user", "--resamples", "20")
    assert answer["diagnostics"]["n_clusters"] == 200
    assert answer["n_rounds"] == 400
    assert "over clusters" in answer["estimates"][0]["interval_method"]


def test_doubled_propensities_are_found(tmp_path, ask) -> None:
    columns = visits()
    columns["propensity"] = columns["propensity"] / 2
    status, answer = ask(write_parquet(tmp_path / "log.parquet", columns), *SHAPE, "--resamples", "20")
    assert status == 3
    assert answer["propensity_audit"]["is_consistent"] is False


def test_an_interval_of_a_known_range_is_of_whole_sessions(tmp_path, ask) -> None:
    columns = visits(400)
    options = ["--interval", "cressie_read", "--reward-range", "0", "5", "--resamples", "20"]
    status, answer = ask(write_parquet(tmp_path / "log.parquet", columns), *SHAPE, *options)
    assert status == 0
    first, second = answer["estimates"]
    assert (first["lower"], first["upper"]) == (second["lower"], second["upper"])
    assert first["lower"] < first["value"] < first["upper"]


@pytest.mark.parametrize(
    ("columns", "options", "status", "sentence"),
    [
        (without(paper_sessions(), "step"), [], 64, "has no column step. Its columns are session, action"),
        (
            without(paper_sessions(), "evaluation_prob"),
            [],
            64,
            "no column evaluation_prob (nor evaluation_probs",
        ),
        (
            paper_sessions(),
            ["--estimator", "dr"],
            64,
            "no session estimator is called 'dr'. Known are weighted_dr",
        ),
        (
            without(paper_sessions(), "v"),
            ["--estimator", "sequential_dr"],
            64,
            "sequential_dr needs q_logged and v, which",
        ),
        (paper_sessions(), ["--fit-q"], 64, "has no column evaluation_probs"),
        (paper_sessions(), ["--gamma", "1.5"], 64, "--gamma is 1.5: give a discount from 0 to 1"),
        (paper_sessions(), ["--bandwidth", "2"], 64, "--bandwidth has no meaning for --shape sessions"),
        (spoiled(paper_sessions(), "step", 1, 2), [], 65, "row 1: step is 2 where session 0 should have 1"),
        (spoiled(paper_sessions(), "step", 0, -1), [], 65, "row 0: step is -1. It counts from 0"),
        (spoiled(paper_sessions(), "propensity", 3, 1.7), [], 65, "log.parquet, row 3: propensity is 1.7"),
        (spoiled(paper_sessions(), "reward", 2, np.nan), [], 65, "log.parquet, row 2: reward is nan"),
        (
            without(paper_sessions(), "evaluation_prob") | {"evaluation_probs": np.ones((5, 1))},
            [],
            65,
            "row 0: action is 1, but evaluation_probs has actions 0 to 0",
        ),
    ],
)
def test_what_can_not_be_used_is_reported_in_a_sentence(
    columns, options, status, sentence, ask_columns
) -> None:
    found, said = ask_columns(columns, *SHAPE, *options)
    assert found == status
    assert sentence in said


def test_the_terminal_and_the_page_speak_of_sessions(tmp_path, capsys) -> None:
    path, page = write_parquet(tmp_path / "log.parquet", visits()), tmp_path / "page.html"
    options = ["--fit-q", "--gamma", "0.9", "--resamples", "50", "--html", str(page)]
    assert execute(["ope", str(path), *SHAPE, *options]) == 0
    said = capsys.readouterr().out
    assert said.startswith("log.parquet: 1,500 sessions\nThe policy is worth 1.4")
    assert " per session (95% interval" in said
    assert "effective sessions" in said
    html = page.read_text(encoding="utf-8")
    assert "Reward per session" in html
    assert "Each session is judged by itself." in html
