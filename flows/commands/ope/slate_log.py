"""Evaluation of a file of slates with one slot per row."""

from features.errors import UsageError
from flows.commands.ope.asked_estimators import by_name, distinct
from flows.commands.ope.asked_interval import OF_KNOWN_RANGE
from flows.commands.ope.evaluated_log import LOGGED, POLICY, EvaluatedLog, as_bad_data
from flows.commands.ope.policy_question import PolicyQuestion
from flows.commands.ope.propensity_evidence import NOT_AUDITED
from flows.commands.ope.round_files import RoundFile, lacking
from flows.commands.ope.table_columns import Kind, Table, check_columns, read_table
from offline_rl.ope.slates.estimator import SlateEstimator
from offline_rl.ope.slates.evaluation import evaluate_slates
from offline_rl.ope.slates.named_estimators import from_name
from offline_rl.ope.slates.records import Propensities, SlateRounds
from offline_rl.ope.slates.slate_rounds import whole_slates

REQUIRED: dict[str, Kind] = {"slate": "name", "slot": "index", "reward": "number"}

POSITION = ("propensity", "evaluation_prob")
CASCADE = ("prefix_propensity", "prefix_evaluation_prob")
WHOLE = ("slate_propensity", "slate_evaluation_prob")
MODEL = ("q_logged", "q_policy")

NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "cascade_dr": ((*CASCADE, *MODEL),),
    "rips": (CASCADE,),
    "sips": (WHOLE, CASCADE),
    "iips": (POSITION,),
}
"""Estimator → sets of columns, of which it needs one; the first estimator with its columns there leads."""

NORMALIZED = "sn"


def evaluated_slates(file: RoundFile, question: PolicyQuestion) -> EvaluatedLog:
    """Evaluate the policy by every asked estimator on the slates of a file.

    Raises UsageError for a name or column that does not exist, InputDataError for rows that can't be used.
    """
    if question.asked_interval().bounds is not None:
        raise UsageError(
            f"--interval {question.interval} needs one weight per round, but each slot of a slate has a "
            f"weight: take an interval other than {', '.join(OF_KNOWN_RANGE)}."
        )
    check_columns(file, tuple(REQUIRED))
    asked = _asked(file, question)
    pairs = [pair for pair in (POSITION, CASCADE, WHOLE, MODEL) if set(pair) <= set(file.columns)]
    kinds = REQUIRED | {name: "number" for pair in pairs for name in pair}
    table = read_table(file, kinds, question.cluster)
    with as_bad_data(file.path):
        slates = _slates(table)
        policies = {POLICY: slates, LOGGED: slates.logging_policy()}
        evaluation = evaluate_slates(policies, distinct(asked.values()), **question.drawing("slates"))
    leading = next(iter(asked.values()))
    return EvaluatedLog(
        unit="slate",
        evaluation=evaluation,
        asked=asked,
        # With weights of 1, each of them is the mean reward of a slate.
        mean_reward=leading.name,
        units={name: whole_slates(seen, leading.seen(seen)) for name, seen in policies.items()},
        n_rows=table.n_rows,
        propensities=NOT_AUDITED,
        repetition=table.repetition(slates.cluster),
    )


def _asked(file: RoundFile, question: PolicyQuestion) -> dict[str, SlateEstimator]:
    allowed = [name for name in NEEDS if _allows(file, name)]
    if not allowed:
        pairs = "; ".join(" and ".join(pair) for pair in (POSITION, CASCADE, WHOLE))
        raise UsageError(
            f"{file.path} has no probabilities of slates. It needs one of these pairs: {pairs}. Its "
            f"columns are {', '.join(file.columns)}."
        )
    names = question.estimators or tuple(
        name for plain in allowed for name in (f"{NORMALIZED}{plain}", plain)
    )
    asked = by_name(names, from_name)
    for name, estimator in asked.items():
        plain = estimator.name.removeprefix(NORMALIZED)
        if plain not in allowed:
            sets = ", or ".join(" and ".join(columns) for columns in NEEDS[plain])
            raise lacking(name, sets, file)
    return asked


def _allows(file: RoundFile, name: str) -> bool:
    return any(set(columns) <= set(file.columns) for columns in NEEDS[name])


def _slates(table: Table) -> SlateRounds:
    columns = table.columns
    slate = columns["slate"]

    def pair(names: tuple[str, str]) -> Propensities | None:
        propensity, evaluation_prob = names
        if propensity not in columns:
            return None
        return Propensities(propensity=columns[propensity], evaluation_prob=columns[evaluation_prob])

    return SlateRounds(
        slate=slate,
        slot=columns["slot"],
        n_slots=int(columns["slot"].max()) + 1,
        reward=columns["reward"],
        cluster=slate if table.cluster is None else table.cluster,
        segment=0 * slate,
        position=pair(POSITION),
        cascade=pair(CASCADE),
        whole=pair(WHOLE),
        q_logged=columns.get("q_logged"),
        q_policy=columns.get("q_policy"),
    )
