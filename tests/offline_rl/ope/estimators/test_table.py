"""The table says what is true of its estimators, and documents that show it show all of it."""

import re
from dataclasses import replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from offline_rl.ope.estimators import table
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import PLAIN, WITH_HYPERPARAMETER, from_name
from offline_rl.ope.estimators.table import TABLE, Row
from offline_rl.ope.records import EvaluationRounds
from tests.laws.estimators import value

README = Path(table.__file__).parents[1] / "README.md"
OPTIONAL = (
    ("q_logged", "q_policy"),
    ("q_logged_mrdr", "q_policy_mrdr"),
    ("density_ratio",),
    ("marginal_weight",),
    ("balanced_propensity",),
)


def spelling(row: Row) -> str:
    return row.name if row.shrinkage is None else f"{row.name}:{row.shrinkage.symbol}"


def on_paper() -> EvaluationRounds:
    """The two rounds of `Row`."""
    return EvaluationRounds(
        reward=np.array([1.0, 0.0]),
        propensity=np.array([0.25, 0.5]),
        evaluation_prob=np.array([0.75, 0.5]),
        cluster=np.arange(2),
        segment=np.zeros(2, dtype=int),
        q_logged=np.array([0.5, 0.25]),
        q_policy=np.array([0.5, 0.5]),
        q_logged_mrdr=np.array([0.75, 0.25]),
        q_policy_mrdr=np.array([0.25, 0.25]),
        density_ratio=np.array([4.0, 1.0]),
        marginal_weight=np.array([1.5, 0.5]),
        balanced_propensity=np.array([0.375, 0.5]),
    )


def of_row(row: Row) -> Estimator:
    return from_name(row.name if row.shrinkage is None else f"{row.name}:1")


@pytest.mark.parametrize("row", TABLE, ids=spelling)
def test_the_answer_of_a_row_is_its_value(row: Row) -> None:
    assert value(of_row(row), on_paper()) == pytest.approx(row.answer, rel=1e-15)


@pytest.mark.parametrize("row", TABLE, ids=spelling)
def test_a_row_needs_the_columns_that_it_names_and_no_other(row: Row) -> None:
    lacking = []
    for columns in OPTIONAL:
        try:
            of_row(row).terms(replace(on_paper(), **dict.fromkeys(columns)))
        except ValueError:
            lacking.extend(columns)
    assert set(lacking) == set(row.needs)


def test_the_drawing_of_the_table_is_the_table() -> None:
    lines = [line for line in (table.__doc__ or "").splitlines() if line.startswith("|")]
    head, _, *drawn = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    cells = {
        (weight, form, name)
        for weight, *names in drawn
        for form, cell in zip(head[1:], names, strict=True)
        for name in cell.split(", ")
        if name
    }
    assert cells == {(_weight(row), _form(row), spelling(row)) for row in TABLE}


def _weight(row: Row) -> str:
    shrunken = "" if row.shrinkage is None else f", {row.shrinkage.shrink.__name__}"
    return row.weight.__name__ + shrunken


def _form(row: Row) -> str:
    return (row.form.func if isinstance(row.form, partial) else row.form).__name__


def test_the_guide_says_when_to_take_each_estimator() -> None:
    guide = README.read_text(encoding="utf-8").split("## Choosing an estimator")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (.*?) \|", guide, re.MULTILINE)
    named = {name for cell in first_cells for name in re.findall(r"`([a-z_:*]+)`", cell)}
    outside = WITH_HYPERPARAMETER.keys() - {row.name for row in TABLE}
    names = {*PLAIN, *map(spelling, TABLE), *outside}
    assert {name for name in names if not any(fnmatch(name, each) for each in named)} == set()
    assert {each for each in named if not any(fnmatch(name, each) for name in names)} == set()
