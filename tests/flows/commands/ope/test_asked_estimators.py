"""Which estimators are asked, and what they need of a file."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from features.errors import UsageError
from flows.commands.ope.asked_estimators import asked_estimators, needed_columns
from offline_rl.ope.estimators.named_estimators import (
    PLAIN,
    WITH_HYPERPARAMETER,
    from_name,
)
from offline_rl.ope.trust.contribution_tail import rests_on_corrections

ROUNDS = ("action", "reward", "propensity", "evaluation_probs")


@dataclass(frozen=True)
class Header:
    """A file of which only the columns are looked at."""

    columns: tuple[str, ...]
    path: Path = Path("log.parquet")

    def batches(self, columns):
        raise AssertionError(f"{columns} should not be read")


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("snips", ()),
        ("dm", ("q_hat",)),
        ("dr_os:10", ("q_hat",)),
        ("mrdr", ("q_hat_mrdr",)),
        ("balanced:2", ("density_ratio",)),
        ("mips", ("logging_probs", "embedding_probs")),
        ("off_cem", ("q_hat", "logging_probs", "embedding_probs")),
        ("weighted_loggers_dr:2", ("q_hat", "logger")),
        ("balanced_loggers_ips", ("balanced_propensity",)),
    ],
)
def test_an_estimator_shows_what_it_needs(name, columns) -> None:
    assert needed_columns(from_name(name)) == columns


def test_the_doubly_robust_one_leads_where_there_is_a_model() -> None:
    assert list(asked_estimators((), Header((*ROUNDS, "q_hat")))) == ["dr", "sndr", "snips", "ips", "dm"]
    assert list(asked_estimators((), Header(ROUNDS))) == ["snips", "ips"]


def test_names_stay_as_they_were_asked() -> None:
    assert list(asked_estimators(("ips:2.0", "snips", "ips:2.0"), Header(ROUNDS))) == ["ips:2.0", "snips"]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("dr:auto",), ["dr", "dr:auto"]),
        (("ips:auto", "snips"), ["snips", "ips:auto"]),
        (("snips", "ips:auto"), ["snips", "ips:auto"]),
    ],
)
def test_what_the_rounds_have_chosen_never_leads(names, order) -> None:
    assert list(asked_estimators(names, Header((*ROUNDS, "q_hat")))) == order


def test_a_column_that_is_not_there_is_named_before_any_row_is_read() -> None:
    with pytest.raises(
        UsageError, match=r"dr needs q_hat, which log\.parquet doesn't have. Its columns are action"
    ):
        asked_estimators(("ips", "dr"), Header(ROUNDS))


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"no estimator is called 'magic'. Known are .*snips"):
        asked_estimators(("magic",), Header(ROUNDS))


@pytest.mark.parametrize(
    "name",
    [
        *PLAIN,
        *(f"{family}:{2 if 'loggers' in family else 0.5}" for family in WITH_HYPERPARAMETER),
    ],
)
def test_estimators_that_correct_a_model_are_judged_by_their_corrections(name) -> None:
    estimator = from_name(name)
    reads_model = any(column.startswith("q_hat") for column in needed_columns(estimator))
    assert rests_on_corrections(name) == (reads_model and not estimator.rests_on_model)
