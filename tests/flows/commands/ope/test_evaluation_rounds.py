"""A file and the columns that estimators look at are the same rounds."""

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest

from features.errors import InputDataError, UsageError
from flows.commands.ope.evaluation_rounds import read_evaluation_rounds
from flows.commands.ope.round_files import open_rounds
from offline_rl.ope.estimators.marginal_weight import marginal_weight
from offline_rl.ope.models.estimated_propensities import Choices, estimate_propensities
from offline_rl.ope.records import EvaluationRounds
from tests.flows.commands.ope.round_tables import (
    Columns,
    coin_columns,
    small_columns,
    spoiled,
    write_csv,
    write_parquet,
)

OPTIONAL = ("q_hat", "q_hat_mrdr", "density_ratio")


def read(path, wanted=(), cluster=None) -> EvaluationRounds:
    return read_evaluation_rounds(open_rounds(path), wanted, cluster).rounds


def assert_equal(one: EvaluationRounds, other: EvaluationRounds) -> None:
    for field in fields(EvaluationRounds):
        np.testing.assert_array_equal(
            getattr(one, field.name), getattr(other, field.name), err_msg=field.name
        )


def test_lists_become_one_number_per_round(tmp_path) -> None:
    log = small_columns()
    row, action, probs = np.arange(1000), log["action"], log["evaluation_probs"]

    rounds = read(write_parquet(tmp_path / "log.parquet", log), OPTIONAL)

    np.testing.assert_array_equal(rounds.evaluation_prob, probs[row, action])
    np.testing.assert_array_equal(rounds.q_logged, log["q_hat"][row, action])
    np.testing.assert_allclose(rounds.q_policy, (probs * log["q_hat"]).sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(rounds.q_policy_mrdr, (probs * log["q_hat_mrdr"]).sum(axis=1), rtol=1e-14)
    np.testing.assert_array_equal(rounds.density_ratio, log["density_ratio"])
    np.testing.assert_array_equal(rounds.unsupported_mass, np.zeros(1000))


def test_every_layout_of_a_file_holds_the_same_rounds(tmp_path) -> None:
    log = small_columns() | {"user": np.arange(1000) // 7}
    whole = read(write_parquet(tmp_path / "log.parquet", log), OPTIONAL, "user")

    assert_equal(
        read(write_parquet(tmp_path / "cut.parquet", log, row_group_size=130), OPTIONAL, "user"), whole
    )
    assert_equal(read(write_csv(tmp_path / "log.csv", log), OPTIONAL, "user"), whole)
    gzipped = write_csv(tmp_path / "log.csv.gz", log, separator=";", brackets="")
    assert_equal(read(gzipped, OPTIONAL, "user"), whole)


def test_columns_nobody_wants_are_not_read(tmp_path) -> None:
    log = spoiled(small_columns(), "q_hat", 3, np.nan)
    assert read(write_parquet(tmp_path / "log.parquet", log)).q_logged is None


def test_mass_on_actions_the_log_never_took_is_unsupported(tmp_path) -> None:
    probs = np.tile([0.1, 0.2, 0.7], (400, 1))
    probs[0] = [0.5, 0.5, 0.0]
    path = write_parquet(tmp_path / "log.parquet", coin_columns(evaluation_probs=probs), row_group_size=50)
    assert read(path).unsupported_mass.tolist() == [0.0, *[0.7] * 399]


def test_an_action_first_taken_in_the_last_round_is_supported_in_the_first(tmp_path) -> None:
    probs = np.tile([0.1, 0.2, 0.7], (400, 1))
    log = coin_columns(evaluation_probs=probs)
    log["action"][-1] = 2
    path = write_parquet(tmp_path / "log.parquet", log, row_group_size=50)
    assert not read(path).unsupported_mass.any()


def test_logging_probs_say_round_by_round_what_was_possible(tmp_path) -> None:
    logging = np.tile([0.5, 0.5], (4, 1))
    logging[0] = [1.0, 0.0]
    path = write_parquet(tmp_path / "log.parquet", coin_columns(4, logging_probs=logging))
    assert read(path).unsupported_mass.tolist() == [0.75, 0, 0, 0]


def test_embeddings_weigh_by_what_the_action_looks_like(tmp_path) -> None:
    rng = np.random.default_rng(0)
    probs, logging, embedding = (
        rng.dirichlet(np.ones(3), 50),
        rng.dirichlet(np.ones(3), 50),
        rng.random((50, 3)),
    )
    log = coin_columns(50, evaluation_probs=probs, logging_probs=logging, embedding_probs=embedding)

    rounds = read(write_parquet(tmp_path / "log.parquet", log), ("logging_probs", "embedding_probs"))

    expected = marginal_weight(probs, logging, embedding)
    np.testing.assert_allclose(rounds.marginal_weight, expected, rtol=1e-12)


def test_an_embedding_that_could_not_be_shown_is_named(tmp_path) -> None:
    half = np.full((400, 2), 0.5)
    log = coin_columns(logging_probs=half, embedding_probs=np.ones((400, 2)))
    log["embedding_probs"][7] = 0.0
    path = write_parquet(tmp_path / "log.parquet", log, row_group_size=3)
    with pytest.raises(InputDataError, match="row 7: embedding_probs leaves the logged embedding"):
        read(path, ("logging_probs", "embedding_probs"))


@pytest.mark.parametrize(
    "users",
    [np.array([7, 7, 30, 1]), np.array(["b", "b", "c", "a"]), pa.array(["7", "7", "30", "1"])],
    ids=["numbers", "names", "numbers as text"],
)
def test_clusters_are_numbered_in_their_own_order(tmp_path, users) -> None:
    path = write_parquet(tmp_path / "log.parquet", coin_columns(4, user=users), row_group_size=1)
    assert read(path, (), "user").cluster.tolist() == [1, 1, 2, 0]


def test_numbers_with_leading_zeros_stay_names(tmp_path) -> None:
    path = write_parquet(tmp_path / "log.parquet", coin_columns(4, user=pa.array(["7", "07", "7", "007"])))
    assert read(path, (), "user").cluster.tolist() == [2, 1, 2, 0]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("reward", np.nan, "row 333: reward is nan"),
        ("propensity", 1.7, "row 333: propensity is 1.7"),
        ("propensity", 0.0, "row 333: propensity is 0"),
        ("action", 2, "row 333: action is 2, but evaluation_probs has actions 0 to 1"),
        ("action", -1, "row 333: action is -1"),
        ("action", 0.5, "row 333: action holds 0.5, not a whole number"),
        ("evaluation_probs", 0.5, "row 333: evaluation_probs sums to 0.75"),
        ("q_hat", np.inf, "row 333: q_hat is inf for action 1"),
    ],
)
@pytest.mark.parametrize("layout", ["parquet", "csv"])
def test_the_first_bad_row_is_counted_over_the_whole_file(tmp_path, name, value, said, layout) -> None:
    log = spoiled(coin_columns(q_hat=np.zeros((400, 2))), name, 333, value)
    path = (
        write_parquet(tmp_path / "log.parquet", log, row_group_size=100)
        if layout == "parquet"
        else write_csv(tmp_path / "log.csv", log)
    )
    with pytest.raises(InputDataError) as caught:
        read(path, ("q_hat",))
    assert said in str(caught.value)
    assert path.name in str(caught.value)


def test_lists_of_different_lengths_are_named(tmp_path) -> None:
    log = coin_columns(q_hat=np.zeros((400, 3)))
    with pytest.raises(
        InputDataError, match="row 0: q_hat has 3 numbers where evaluation_probs of row 0 has 2"
    ):
        read(write_parquet(tmp_path / "log.parquet", log), ("q_hat",))


def test_a_round_without_a_cluster_is_named(tmp_path) -> None:
    log = coin_columns(4, user=pa.array([1, 1, None, 2]))
    with pytest.raises(InputDataError, match="row 2: user is missing"):
        read(write_parquet(tmp_path / "log.parquet", log, row_group_size=1), (), "user")


def test_a_missing_column_is_named_beside_those_there_are(tmp_path) -> None:
    log = coin_columns(4)
    del log["reward"]
    with pytest.raises(
        UsageError, match=r"no column reward, user. Its columns are action, propensity, evaluation"
    ):
        read(write_parquet(tmp_path / "log.parquet", log), (), "user")


def test_propensities_may_stand_among_those_of_all_actions(tmp_path) -> None:
    logging = np.random.default_rng(0).dirichlet(np.ones(2), 400)
    log = coin_columns(logging_probs=logging, context=np.zeros((400, 1)))
    del log["propensity"]
    path = write_parquet(tmp_path / "log.parquet", log, row_group_size=30)
    np.testing.assert_array_equal(read(path).propensity, logging[np.arange(400), log["action"]])


def test_an_audit_gets_every_action_and_the_least_probability(tmp_path) -> None:
    log = coin_columns(logging_probs=np.full((400, 2), 0.5))
    log["logging_probs"][213] = [0.75, 0.25]
    path = write_parquet(tmp_path / "log.parquet", log, row_group_size=30)
    whole = read_evaluation_rounds(open_rounds(path), (), None)
    assert (whole.n_actions, whole.least_logging_prob, whole.estimated) == (2, 0.25, None)
    np.testing.assert_array_equal(whole.action, log["action"])


def context_columns() -> Columns:
    """Rounds without propensities: visitors of two kinds, to each of whom action 1 was shown in 3 of 4."""
    kind, shown = np.arange(1600) % 2, np.arange(1600) // 2 % 4 < 3
    log = coin_columns(1600, action=np.where(shown, kind, 1 - kind), context=np.eye(2)[kind])
    del log["propensity"]
    return log


@pytest.mark.parametrize("layout", ["parquet", "csv"])
def test_without_propensities_they_are_estimated_from_contexts(tmp_path, layout) -> None:
    log = context_columns()
    path = (
        write_parquet(tmp_path / "log.parquet", log, row_group_size=100)
        if layout == "parquet"
        else write_csv(tmp_path / "log.csv", log)
    )
    whole = read_evaluation_rounds(open_rounds(path), (), None, seed=3)
    is_usual = log["action"] == np.arange(1600) % 2
    assert whole.rounds.propensity == pytest.approx(np.where(is_usual, 0.75, 0.25), abs=0.05)
    choices = Choices(log["context"], log["action"], np.arange(1600), 2)
    expected = estimate_propensities(choices, seed=3).propensity
    np.testing.assert_array_equal(whole.rounds.propensity, expected)


def test_the_folds_of_an_estimate_are_whole_clusters(tmp_path) -> None:
    log = context_columns() | {"user": np.arange(1600) // 8}
    path = write_parquet(tmp_path / "log.parquet", log)
    expected = estimate_propensities(Choices(log["context"], log["action"], log["user"], 2)).propensity
    np.testing.assert_array_equal(read(path, (), "user").propensity, expected)


def test_logged_propensities_are_taken_whatever_the_contexts(tmp_path) -> None:
    log = coin_columns(context=np.full((400, 1), np.nan))
    assert set(read(write_parquet(tmp_path / "log.parquet", log)).propensity) == {0.5}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"context": [[0.0]] * 1599 + [[0.0, 1.0]]},
            "row 1599: context has 2 numbers where context of row 0",
        ),
        ({"context": [[0.0]] * 1599 + [[np.nan]]}, "row 1599: context is nan for feature 0"),
        ({"user": np.arange(1600) % 2}, "2 clusters can't be split into 3 folds"),
    ],
)
def test_contexts_that_give_no_propensities_are_named(tmp_path, changes, said) -> None:
    path = write_parquet(tmp_path / "log.parquet", context_columns() | changes, row_group_size=100)
    with pytest.raises(InputDataError) as caught:
        read(path, (), "user" if "user" in changes else None)
    assert said in str(caught.value)


def test_neither_propensities_nor_contexts_names_both_ways_out(tmp_path) -> None:
    log = coin_columns()
    del log["propensity"]
    with pytest.raises(UsageError, match=r"neither propensity nor context\. Log .*; or give context"):
        read(write_parquet(tmp_path / "log.parquet", log))


def test_a_file_without_rounds_is_refused(tmp_path) -> None:
    with pytest.raises(InputDataError, match="holds no rounds"):
        read(write_csv(tmp_path / "log.csv", coin_columns(0)))
