"""`metacart ope`: the value of another policy, estimated from a file of logged rounds.

The rest is imported when the command runs: `metacart --help` should not wait for it.
"""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from features.errors import UsageError
from features.exit_statuses import ExitStatus
from flows.commands.finite import Finite, FiniteRange
from flows.commands.json_flag import JsonFlag


def ope(
    rounds: Path,
    *,
    shape: Literal["rounds", "slates", "sessions", "spend"] = "rounds",
    estimator: Annotated[list[str] | None, Parameter(negative="")] = None,
    confidence: Finite = 0.95,
    resamples: int = 1000,
    cluster: str | None = None,
    seed: int = 0,
    interval: str = "bca",
    reward_range: FiniteRange | None = None,
    max_weight: Finite | None = None,
    fit_q: Annotated[bool, Parameter(negative="")] = False,
    fit_propensity: Annotated[bool, Parameter(negative="")] = False,
    model: Literal["linear", "trees"] = "linear",
    gamma: Finite | None = None,
    spend_range: FiniteRange | None = None,
    bandwidth: Finite | None = None,
    kernel: Literal["triangular", "gaussian", "epanechnikov", "cosine"] = "epanechnikov",
    html: Path | None = None,
    as_json: JsonFlag = False,
) -> int:
    """Estimate what another policy would have earned, and what the log earned.

    Exit status 3: the log gives no answer that can be trusted.

    Parameters
    ----------
    rounds
        Parquet, CSV or CSV.gz, one round per row: action (counted from 0), reward, propensity (probability
        with which the action was logged), evaluation_probs (list: the policy's probability of every action);
        for some estimators q_hat, q_hat_mrdr, density_ratio, logging_probs, embedding_probs, logger,
        balanced_propensity. Without propensity, context (list: all inputs of the logging policy). Rows that
        are equal in all columns look like duplicates: keep an id or a time.
    shape
        The meaning of a row. slates: a slot of a slate. Columns slate (id), slot (from 0), reward, and one of
        the pairs propensity and evaluation_prob (of the item in its slot), prefix_propensity and
        prefix_evaluation_prob (of all items down to the slot), slate_propensity and slate_evaluation_prob;
        for cascade_dr q_logged, q_policy. sessions: a step. Columns session (id), step (from 0), action,
        reward, propensity, evaluation_prob or evaluation_probs; with a model q_logged and v, its reward from
        the step to the end. spend: a round whose action is an amount. Columns spend, reward, density (with
        which the amount was drawn), evaluation_spend (the policy's amount); with a model q_logged, q_policy.
    estimator
        Repeat it for several, in upper or lower case; the headline is from the first. By default dr, sndr,
        snips, ips and dm where there is q_hat, otherwise snips and ips. NAME:auto (ips, dr, switch_dr, dr_os,
        subgaussian_ips, subgaussian_dr) tunes its parameter on the same rounds, so it never gives the
        headline. Of slates: sips, iips, rips, cascade_dr, and with the prefix sn self-normalized. Of
        sessions: per_decision_is, weighted_per_decision_is, sequential_dr, weighted_dr, sequential_dm.
    confidence
        Level of the intervals.
    resamples
        Number of bootstrap resamples.
    cluster
        Column of clusters, such as the user: rounds of one cluster may depend on each other. By default all
        rounds are independent.
    seed
        Seed of the bootstrap and of the folds: equal seeds give equal answers.
    interval
        bca, percentile, studentized or student_t; or for independent rounds with --reward-range cressie_read,
        confidence_sequence (valid however often you look), empirical_bernstein, clopper_pearson. Differences
        always have bca.
    reward_range
        Smallest and largest reward that can occur, not those of the file.
    max_weight
        Largest ratio of evaluation to logging probability that can occur; empirical_bernstein and
        clopper_pearson need it.
    fit_q
        Fit q_hat (for mrdr q_hat_mrdr; for sessions q_logged and v) on context, a list of numbers, each round
        by models of other clusters.
    fit_propensity
        Estimate propensities (for balanced density_ratio) from context, even if some were logged.
    model
        Type of model for --fit-q and density_ratio: linear or trees.
    gamma
        Discount of a session's rewards, 1 by default; the first step counts in full.
    spend_range
        Smallest and largest amount that the logging policy could draw.
    bandwidth
        Bandwidth of the kernel that smooths amounts, in their unit; by default it is chosen from the data.
    kernel
        Shape of that kernel.
    html
        File for an HTML page about the answer.
    """
    from flows.commands.ope.answer_json import json_line
    from flows.commands.ope.fitted_columns import Fit
    from flows.commands.ope.policy_answer import answer
    from flows.commands.ope.policy_question import PolicyQuestion
    from flows.commands.ope.printed_answer import printed
    from reports.pages.policy_value import write_policy_value

    if html is not None and not html.parent.is_dir():
        raise UsageError(f"{html.parent} is not a folder: name a page in an existing folder.")
    question = PolicyQuestion(
        rounds,
        tuple(estimator or ()),
        confidence,
        resamples,
        cluster,
        seed,
        interval=interval,
        reward_range=reward_range,
        max_weight=max_weight,
        fit=Fit(fit_q, fit_propensity, model),
        shape=shape,
        gamma=gamma,
        spend_range=spend_range,
        bandwidth=bandwidth,
        kernel=kernel,
    )
    answered = answer(question)
    print(json_line(answered) if as_json else printed(answered))
    if html is not None:
        write_policy_value(answered, html)
    return ExitStatus.DONE if answered.trusted else ExitStatus.NOT_TRUSTED
