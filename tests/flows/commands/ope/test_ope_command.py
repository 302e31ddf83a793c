"""`metacart ope` from the shell: the numbers, the refusals, the exit statuses."""

import json

import numpy as np
import pytest

from features.contracts.findings import codes_of, of_plain
from flows.commands.cli import execute
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.records import EvaluationRounds
from reports.wording.sentences import sentences
from tests.flows.commands.ope.round_tables import (
    SMALL,
    coin_columns,
    small_arrays,
    small_columns,
    spoiled,
    write_csv,
    write_parquet,
)

REFERENCE = json.loads(SMALL.with_suffix(".json").read_text(encoding="utf-8"))["values"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_parquet(
        tmp_path_factory.mktemp("small") / "small.parquet", small_columns(), row_group_size=300
    )


def named(names):
    return [option for name in names for option in ("--estimator", name)]


def test_values_are_those_of_open_bandit_pipeline(small, ask):
    status, answer = ask(small, *named(REFERENCE), "--resamples", "10")
    assert status == 0
    assert [estimate["estimator"] for estimate in answer["estimates"]] == list(REFERENCE)
    for estimate in answer["estimates"]:
        assert estimate["value"] == pytest.approx(REFERENCE[estimate["estimator"]]["value"], rel=1e-9)


def test_numbers_are_those_of_evaluate_on_the_same_arrays(small, ask):
    log, row = small_arrays(), np.arange(1000)
    rounds = EvaluationRounds(
        reward=log["reward"],
        propensity=log["pscore"],
        evaluation_prob=log["action_dist"][row, log["action"]],
        cluster=log["action"],
        segment=np.zeros_like(row),
        q_logged=log["q_hat"][row, log["action"]],
        q_policy=(log["action_dist"] * log["q_hat"]).sum(axis=1),
    )
    names = ["dr", "snips", "switch_dr:3"]
    expected = evaluate(
        {"new": rounds}, [from_name(n) for n in names], n_resamples=200, seed=4, confidence=0.9
    )

    options = ["--resamples", "200", "--seed", "4", "--confidence", "0.9", "--cluster", "action"]
    _, answer = ask(small, *named(names), *options)

    whole_log = [value for value in expected.policy_values(0.9) if value.segment is None]
    for estimate, value in zip(answer["estimates"], whole_log, strict=True):
        assert estimate["estimator"] == value.estimator
        for key in ("value", "lower", "upper"):
            assert estimate[key] == pytest.approx(getattr(value, key), rel=1e-12)
    diagnostics = expected.diagnostics_of("new").numbers("dr")
    assert set(answer["diagnostics"]) == set(diagnostics)
    for key, number in answer["diagnostics"].items():
        assert number is None or number == pytest.approx(diagnostics[key], rel=1e-12)
    assert answer["n_rounds"] == 1000


def test_row_groups_and_formats_change_nothing(small, ask, tmp_path):
    columns = small_columns()
    options = (*named(["dr", "snips"]), "--resamples", "50")
    _, expected = ask(small, *options)
    assert ask(write_parquet(tmp_path / "one_group.parquet", columns), *options)[1] == expected
    assert ask(write_csv(tmp_path / "log.csv.gz", columns), *options)[1] == expected


def test_equal_seeds_give_equal_intervals_and_others_do_not(small, ask):
    one, same, other = (ask(small, "--resamples", "50", "--seed", seed)[1] for seed in "776")
    assert one == same
    assert one["estimates"][0]["value"] == other["estimates"][0]["value"]
    assert one["estimates"][0]["lower"] != other["estimates"][0]["lower"]


def test_json_is_one_line_of_strict_json(small, capsys):
    assert execute(["ope", str(small), "--json", "--resamples", "20"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert list(answer) == [
        "n_rounds",
        "propensities",
        "calibration_error",
        "propensity_audit",
        "diagnostics",
        "repeats",
        "logging_policy",
        "difference",
        "estimates",
        "verdict",
    ]
    assert (answer["propensities"], answer["calibration_error"]) == ("logged", None)
    assert answer["propensity_audit"] == {"is_consistent": True, "findings": [], "n_tests": 11}
    assert answer["verdict"] == {"trusted": True, "reasons": [], "reason_codes": [], "findings": []}
    assert set(answer["estimates"][0]) == {
        "estimator",
        "value",
        "lower",
        "upper",
        "interval_method",
        "interval_codes",
        "interval_findings",
        "difference",
    }


def test_the_table_leads_with_the_value(small, capsys):
    assert execute(["ope", str(small), "--resamples", "100"]) == 0
    said = capsys.readouterr().out
    assert "The policy is worth 0.907 per round (95% interval 0." in said
    assert "not to be trusted" not in said


def never_shown() -> dict:
    """80 % of the policy on an action that the log never took."""
    return coin_columns(evaluation_probs=np.tile([0.05, 0.15, 0.8], (400, 1)))


def two_effective_rounds() -> dict:
    """The policy plays what the log did twice in 10,000 rounds."""
    action = np.zeros(10_000, dtype=int)
    action[[17, 4000]] = 1
    propensity = np.where(action == 1, 2e-4, 1 - 2e-4)
    probs = np.tile([0.05, 0.95], (10_000, 1))
    reward = (np.arange(10_000) % 3 == 0).astype(float)
    return {"action": action, "reward": reward, "propensity": propensity, "evaluation_probs": probs}


def halved_propensities() -> dict:
    return coin_columns(propensity=np.full(400, 0.25))


def nothing_in_common() -> dict:
    """The policy always plays 1, the log never did: no weight at all, and snips has no value."""
    return coin_columns(action=np.zeros(400, dtype=int), evaluation_probs=np.tile([0.0, 1.0], (400, 1)))


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (never_shown, "20.0%"),
        (two_effective_rounds, "effective rounds of 10,000"),
        (halved_propensities, "propensities"),
        (nothing_in_common, "0.0 effective rounds"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_log_that_cant_tell_is_status_3(log, reason, tmp_path, ask, capsys):
    path = write_parquet(tmp_path / "log.parquet", log())
    status, answer = ask(path)
    assert status == 3
    assert answer["verdict"]["trusted"] is False
    assert any(reason in sentence for sentence in answer["verdict"]["reasons"])
    found = tuple(map(of_plain, answer["verdict"]["findings"]))
    assert list(sentences(found)) == answer["verdict"]["reasons"]
    assert answer["verdict"]["reason_codes"] == codes_of(found).split()

    assert execute(["ope", str(path)]) == 3
    said = capsys.readouterr().out
    assert "The policy is worth" not in said
    assert "Estimates, not to be trusted:" in said
    assert "verdict: not to be trusted" in said
    assert all(sentence in said for sentence in answer["verdict"]["reasons"])
    assert "effective rounds" in said


def test_eighty_percent_never_shown_is_reported_exactly(tmp_path, ask):
    _, answer = ask(write_parquet(tmp_path / "log.parquet", never_shown()))
    assert answer["diagnostics"]["supported_share"] == pytest.approx(0.2, abs=1e-12)


def test_a_value_that_nothing_identifies_is_null(tmp_path, ask):
    _, answer = ask(write_parquet(tmp_path / "log.parquet", nothing_in_common()), "--estimator", "snips")
    (snips,) = answer["estimates"]
    assert (snips["value"], snips["lower"], snips["upper"]) == (None, None, None)


@pytest.mark.parametrize(("column", "value"), [("reward", np.nan), ("propensity", 1.7)])
def test_a_bad_number_is_65_and_names_its_row(column, value, tmp_path, ask):
    path = write_parquet(
        tmp_path / "log.parquet", spoiled(coin_columns(), column, 123, value), row_group_size=50
    )
    status, said = ask(path)
    assert status == 65
    assert f"log.parquet, row 123: {column} is {value:g}" in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--estimator", "magic"], "no estimator is called 'magic'"),
        (["--estimator", "dr"], "dr needs q_hat"),
        (["--cluster", "user"], "Its columns are action, reward, propensity, evaluation_probs"),
        (["--confidence", "95"], "--confidence is 95"),
        (["--resamples", "0"], "--resamples is 0"),
        (["--seed", "-1"], "--seed is -1"),
        (["--html", "nowhere/page.html"], "nowhere is not a folder"),
        (["--sed", "1"], "--sed"),
    ],
)
def test_wrong_usage_is_64_with_a_sentence(options, sentence, tmp_path, ask):
    status, said = ask(write_parquet(tmp_path / "log.parquet", coin_columns()), *options)
    assert status == 64
    assert sentence in said


def test_a_file_that_is_not_there_is_65(ask):
    assert ask("nowhere.parquet") == (
        65,
        "metacart: nowhere.parquet does not exist: name an existing file of rounds.\n",
    )


def test_a_logger_beyond_those_announced_is_65(tmp_path, ask):
    path = write_parquet(tmp_path / "log.parquet", coin_columns(logger=np.arange(400) % 3))
    status, said = ask(path, "--estimator", "weighted_loggers_ips:2")
    assert status == 65
    assert "row 2: logger is 2" in said


@pytest.mark.parametrize(("log", "status"), [(small_columns, 0), (never_shown, 3)])
def test_the_page_is_written_whatever_the_verdict(log, status, tmp_path, ask):
    page = tmp_path / "page.html"
    path = write_parquet(tmp_path / "log.parquet", log())
    assert ask(path, "--html", str(page), "--resamples", "50")[0] == status
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def revenue_columns(**replacements):
    """5,000 rounds of four actions drawn with 1/4 each; one buyer in twenty spends about 50."""
    rng = np.random.default_rng(17)
    action = rng.integers(0, 4, 5000)
    columns = {
        "action": action,
        "reward": np.where(rng.random(5000) < 0.05, rng.gamma(5.0, 10.0, 5000), 0.0),
        "propensity": np.full(5000, 0.25),
        "evaluation_probs": np.tile([0.1, 0.2, 0.3, 0.4], (5000, 1)),
    }
    return columns | replacements


def test_a_value_that_one_order_makes_is_refused_and_the_order_is_named(tmp_path, ask, capsys):
    columns = revenue_columns()
    plain = write_parquet(tmp_path / "plain.parquet", columns)
    row = int(np.flatnonzero(columns["action"] == 3)[0])
    whale = write_parquet(tmp_path / "whale.parquet", spoiled(columns, "reward", row, 75_000.0))

    status, answer = ask(plain, "--estimator", "ips", "--resamples", "200")
    assert (status, answer["verdict"]["trusted"], "robust" in answer) == (0, True, False)

    status, answer = ask(whale, "--estimator", "ips", "--resamples", "200")
    assert (status, answer["verdict"]["trusted"]) == (3, False)
    share = answer["diagnostics"]["contribution_largest_share"]
    assert 0.85 < share < 0.95
    assert answer["verdict"]["reasons"][0] == (
        f"One of the rounds holds {share:.0%} of all weighted rewards, 120,000 by itself, more than 20%."
    )
    codes = [found["code"] for found in answer["estimates"][0]["interval_findings"]]
    assert codes[0] == answer["estimates"][0]["interval_codes"][0] == "bca"
    assert "covers_less_at_heavy_tail" in codes
    assert [found["kind"] for found in answer["robust"]] == [
        "winsorized",
        "log_smoothing",
        "delta_log_normal",
    ]
    assert 2.0 < answer["robust"][0]["value"] < 3.5

    assert execute(["ope", str(whale), "--estimator", "ips", "--resamples", "50"]) == 3
    printed = capsys.readouterr().out
    assert "Rewards have a heavy tail. Each of these says what it assumes:" in printed
    assert "4 largest contributions count as" in printed


def test_orders_of_one_user_are_summed_before_they_are_judged(tmp_path, ask):
    columns = revenue_columns()
    user = np.arange(5000)
    rows = np.flatnonzero(columns["action"] == 3)[:40]
    user[rows] = 0
    reward = columns["reward"].copy()
    reward[rows] = 400.0
    file = write_parquet(tmp_path / "user.parquet", columns | {"user": user, "reward": reward})
    by_round = ask(file, "--resamples", "50")[1]
    by_user = ask(file, "--cluster", "user", "--resamples", "50")[1]
    assert not any("weighted rewards" in reason for reason in by_round["verdict"]["reasons"])
    assert any(
        "one of the clusters holds" in reason.lower() and "25,600 by itself" in reason
        for reason in by_user["verdict"]["reasons"]
    )


def drawn_columns(seed=4, n=1500) -> dict:
    """Four actions, each as likely; the policy prefers the last, which clicks most."""
    rng = np.random.default_rng(seed)
    action = rng.integers(0, 4, n)
    return {
        "action": action,
        "reward": (rng.random(n) < 0.05 + 0.1 * action).astype(float),
        "propensity": np.full(n, 0.25),
        "evaluation_probs": np.tile([0.1, 0.1, 0.2, 0.6], (n, 1)),
    }


def test_the_log_and_the_difference_are_in_the_answer(tmp_path, ask, capsys):
    columns = drawn_columns()
    path = write_parquet(tmp_path / "log.parquet", columns)
    _, answer = ask(path, "--estimator", "ips")
    logged, found = answer["logging_policy"], answer["difference"]
    assert logged["value"] == pytest.approx(columns["reward"].mean(), rel=1e-12)
    assert logged["lower"] < logged["value"] < logged["upper"]
    weight = np.array([0.4, 0.4, 0.8, 2.4])[columns["action"]]
    gains = (weight - 1) * columns["reward"]
    assert found["value"] == pytest.approx(gains.mean(), rel=1e-9)
    # Paired: the width is that of the gains of single rounds, a third of what two separate values would have.
    assert found["upper"] - found["lower"] == pytest.approx(2 * 1.96 * gains.std() / 1500**0.5, rel=0.1)
    assert (found["estimator"], found["finding"]) == ("ips", "gain")
    assert answer["estimates"][0]["difference"]["value"] == found["value"]

    execute(["ope", str(path)])
    said = capsys.readouterr().out
    assert "The log itself earned 0.2" in said
    assert ": a gain is shown." in said


def test_the_policy_that_logged_differs_by_nothing(tmp_path, ask):
    columns = drawn_columns() | {
        "evaluation_probs": np.full((1500, 4), 0.25),
        "q_hat": np.full((1500, 4), 0.3),
    }
    _, answer = ask(write_parquet(tmp_path / "log.parquet", columns))
    for estimate in answer["estimates"]:
        if estimate["estimator"] != "dm":
            assert estimate["difference"]["value"] == pytest.approx(0, abs=1e-12)
    assert answer["difference"]["finding"] == "none"


def test_the_direct_method_is_held_against_what_was_earned_and_not_against_its_model(tmp_path, ask):
    columns = drawn_columns() | {"q_hat": np.full((1500, 4), 0.9)}
    _, answer = ask(write_parquet(tmp_path / "log.parquet", columns), "--estimator", "dm")
    assert answer["difference"]["value"] == pytest.approx(0.9 - columns["reward"].mean(), rel=1e-9)


@pytest.mark.parametrize("deliver", [lambda c: np.concatenate([c, c]), lambda c: np.repeat(c, 2, axis=0)])
@pytest.mark.parametrize("writer", ["parquet", "csv"])
def test_rows_delivered_twice_are_a_doubt(deliver, writer, tmp_path, ask, capsys):
    columns = {name: deliver(np.asarray(column)) for name, column in drawn_columns().items()}
    write = write_parquet if writer == "parquet" else write_csv
    status, answer = ask(write(tmp_path / f"log.{writer}", columns))
    assert status == 3
    assert answer["repeats"]["is_doubtful"]
    assert "rows are the same as an earlier one in every column" in answer["verdict"]["reasons"][0]


def test_a_time_beside_the_rounds_distinguishes_them(tmp_path, ask):
    once = drawn_columns()
    _, plain = ask(write_parquet(tmp_path / "log.parquet", once))
    assert plain["repeats"]["n_repeated"] > 1400
    assert plain["verdict"]["trusted"]
    _, timed = ask(write_parquet(tmp_path / "log.parquet", once | {"seen_at": np.arange(1500) * 0.1}))
    assert timed["repeats"]["n_repeated"] == 0


@pytest.mark.parametrize("n_clusters", [1, 2, 5])
def test_few_clusters_accuse_no_propensity(n_clusters, tmp_path, ask):
    for seed in range(8):
        columns = drawn_columns(seed) | {"shop": np.arange(1500) % n_clusters}
        _, answer = ask(write_parquet(tmp_path / "log.parquet", columns), "--cluster", "shop")
        assert answer["propensity_audit"]["is_consistent"]
        assert not any("propensit" in reason for reason in answer["verdict"]["reasons"])
        leading = answer["estimates"][0]
        assert (leading["lower"] is None) == (n_clusters == 1)
