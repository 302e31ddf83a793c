"""Models fitted on `context`: what they stand in for, how they are marked, what they ask for."""

import numpy as np
import pytest

from offline_rl.ope.models.cross_fitting import cross_fitted_rewards, mrdr_weight
from offline_rl.ope.models.density_ratio import density_ratio
from tests.flows.commands.ope.round_tables import coin_columns, write_csv, write_parquet


def visits(n=900, seed=3) -> dict:
    """Two kinds of visitors, three actions drawn with probabilities of their kind, and pay by both."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    logging = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    action = (rng.random((n, 1)) > logging[kind].cumsum(axis=1)[:, :-1]).sum(axis=1)
    pays = np.array([[0.2, 0.5, 0.8], [0.7, 0.4, 0.1]])
    return {
        "action": action,
        "reward": (rng.random(n) < pays[kind, action]).astype(float),
        "propensity": logging[kind, action],
        "evaluation_probs": np.array([[0.2, 0.3, 0.5], [0.5, 0.3, 0.2]])[kind],
        "context": np.eye(2)[kind],
        "user": np.arange(n) // 3,
    }


def test_a_constant_reward_is_fitted_exactly_on_paper(tmp_path, ask) -> None:
    # Every round of every fold pays 3, so q is 3 whatever is done, and so is the value: 3 + w (3 - 3).
    columns = coin_columns(reward=np.full(400, 3.0), context=np.zeros((400, 1)))
    status, answer = ask(write_parquet(tmp_path / "log.parquet", columns), "--fit-q", "--resamples", "20")
    values = {found["estimator"]: found["value"] for found in answer["estimates"]}
    assert list(values) == ["dr", "sndr", "snips", "ips", "dm"]
    assert values["dr"] == values["dm"] == pytest.approx(3.0, abs=1e-12)
    assert values["ips"] == pytest.approx(3.0, abs=1e-12)
    assert status == 3, "no reward tells of anything"


@pytest.mark.parametrize("model", ["linear", "trees"])
def test_dr_rests_on_the_cross_fitted_model_of_whole_clusters(model, tmp_path, ask) -> None:
    columns = visits()
    path = write_parquet(tmp_path / "log.parquet", columns, row_group_size=250)
    options = ["--fit-q", "--model", model, "--cluster", "user", "--estimator", "dr", "--seed", "2"]
    status, answer = ask(path, *options, "--resamples", "50")
    given = {name: columns[name] for name in ("context", "action", "reward", "evaluation_probs")}
    q = cross_fitted_rewards(**given, cluster=columns["user"], n_actions=3, model=model, seed=2)
    weight = columns["evaluation_probs"][np.arange(900), columns["action"]] / columns["propensity"]
    (found,) = answer["estimates"]
    expected = (q.q_policy + weight * (columns["reward"] - q.q_logged)).mean()
    assert (status, found["value"]) == (0, pytest.approx(expected, rel=1e-9))
    (fitted,) = (of["numbers"] for of in found["interval_findings"] if of["code"] == "fitted_on_context")
    assert fitted == {"columns": "q_hat", "model": model}


def test_a_fitted_column_takes_the_place_of_that_of_the_file(tmp_path, ask) -> None:
    columns = visits()
    wrong = columns | {"q_hat": np.full((900, 3), 50.0)}
    one = ask(write_parquet(tmp_path / "one.parquet", columns), "--fit-q", "--estimator", "dm")[1]
    other = ask(write_csv(tmp_path / "other.csv", wrong), "--fit-q", "--estimator", "dm")[1]
    assert one["estimates"] == other["estimates"]


def test_mrdr_has_a_model_of_its_own_weights(tmp_path, ask) -> None:
    columns = visits()
    path = write_parquet(tmp_path / "log.parquet", columns)
    _, answer = ask(path, "--fit-q", "--estimator", "mrdr", "--resamples", "20")
    probs, row = columns["evaluation_probs"], np.arange(900)
    prob = probs[row, columns["action"]]
    q = cross_fitted_rewards(
        columns["context"],
        columns["action"],
        columns["reward"],
        probs,
        row,
        n_actions=3,
        sample_weight=mrdr_weight(prob, columns["propensity"]),
    )
    expected = (q.q_policy + prob / columns["propensity"] * (columns["reward"] - q.q_logged)).mean()
    assert answer["estimates"][0]["value"] == pytest.approx(expected, rel=1e-9)


def test_propensities_are_estimated_although_some_were_logged(tmp_path, ask) -> None:
    columns = visits() | {"propensity": np.full(900, 0.9)}
    path = write_parquet(tmp_path / "log.parquet", columns)
    assert ask(path, "--estimator", "snips")[1]["verdict"]["trusted"] is False
    status, answer = ask(path, "--fit-propensity", "--estimator", "snips")
    assert (status, answer["propensities"]) == (0, "estimated")
    assert "Propensities estimated, not logged." in answer["estimates"][0]["interval_method"]
    without = {name: column for name, column in columns.items() if name != "propensity"}
    again = ask(write_parquet(tmp_path / "bare.parquet", without), "--estimator", "snips")[1]
    assert again["estimates"] == answer["estimates"]


def test_a_density_ratio_is_fitted_for_balanced(tmp_path, ask) -> None:
    columns = visits()
    path = write_parquet(tmp_path / "log.parquet", columns)
    _, answer = ask(path, "--fit-propensity", "--estimator", "balanced", "--resamples", "20")
    ratio = density_ratio(
        columns["context"], columns["action"], columns["evaluation_probs"], np.arange(900), n_actions=3
    )
    expected = (ratio * columns["reward"]).sum() / ratio.sum()
    assert answer["estimates"][0]["value"] == pytest.approx(expected, rel=1e-9)
    assert "Density_ratio fitted on context" in answer["estimates"][0]["interval_method"]


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (["--fit-q"], 64, "--fit-q needs context, a list of numbers per round, which"),
        (["--fit-propensity"], 64, "--fit-propensity needs context"),
        (["--fit-q", "--model", "magic"], 64, "--model"),
        (["--estimator", "dr"], 64, "dr needs q_hat, which"),
        (["--estimator", "dr"], 64, "--fit-q fits it from a column context."),
        (["--estimator", "balanced"], 64, "--fit-propensity fits it from a column context."),
    ],
)
def test_what_can_not_be_fitted_is_reported_in_a_sentence(options, status, sentence, tmp_path, ask) -> None:
    found, said = ask(write_parquet(tmp_path / "log.parquet", coin_columns()), *options)
    assert found == status
    assert sentence in said


def test_fewer_clusters_than_folds_are_65(tmp_path, ask) -> None:
    columns = coin_columns(context=np.zeros((400, 1)), shop=np.arange(400) % 2)
    status, said = ask(write_parquet(tmp_path / "log.parquet", columns), "--fit-q", "--cluster", "shop")
    assert status == 65
    assert "2 clusters can't be split into 3 folds" in said
