"""The election of a champion, which serves tomorrow. Nothing is promoted without a verdict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from features.contracts.findings import Finding
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.trust.verdict import GateSettings, Verdict, reach_verdict

LOGGING = "logging"
"""Name of the policies that made the log, taken as one policy."""

INCUMBENT = "incumbent"
"""Name of the policy that serves today, where it is another."""


@dataclass(frozen=True)
class Contenders:
    """The learned policies that may be promoted, by name.

    wanted: the learner that predicted later rewards best (`offline_rl.meta.choice`), if any, then the plain
    baseline: a learner ships where it beats the baseline, else the baseline where it beats what serves today.
    cautious: what must pass first, and ships where it alone passes (`offline_rl.meta.cautious`).
    constant: those that show all users, or all users of a segment, the same: the best of them by the training
        rounds. They may be promoted only if they are among the wanted; a promoted policy is compared with
        them.
    """

    wanted: tuple[str, ...]
    cautious: str | None
    constant: tuple[str, ...] = ()

    @property
    def compared(self) -> tuple[str, ...]:
        """All policies that the gate compares, each once, the most wanted first."""
        cautious = () if self.cautious is None else (self.cautious,)
        return tuple(dict.fromkeys((*self.wanted, *cautious, *self.constant)))


@dataclass(frozen=True)
class Kept:
    """Why the incumbent stays in a segment: the word for it, and the finding."""

    word: Literal["kept", "protected"]
    reason: Finding


@dataclass(frozen=True)
class Champion:
    """The policy that serves tomorrow, as decisions need it.

    champion: the policy that serves; incumbent: the one that serves today, and stays in the segments of
    kept_from (segment → why). candidate, verdict, reasons: of the verdict that decided.
    refitted: the learner whose policy of tonight serves in place of the one that it learned before, and that
    stands; "" where none does.
    """

    candidate: str
    verdict: Literal["promote", "test", "hold", "reject"]
    reasons: tuple[Finding, ...]
    champion: str
    incumbent: str
    kept_from: Mapping[str, Kept]
    refitted: str = ""


def left_segments(champion: Champion, segment_ids: Sequence[str]) -> frozenset[int]:
    """Return the places of the segments that a promoted policy leaves to what serves today."""
    return frozenset(segment_ids.index(segment_id) for segment_id in champion.kept_from)


def challengers(contenders: Contenders, learner: str) -> Contenders:
    """Return those who ask to take the place of a champion of this learner: the learner itself doesn't.

    What would have to pass before a learned policy serves at all has passed, where it is the champion's.

    >>> challengers(Contenders(("maml", "pooled"), "cautious"), "pooled")
    Contenders(wanted=('maml',), cautious=None, constant=())
    """
    others = tuple(name for name in contenders.wanted if name != learner)
    if not others or others == contenders.wanted:
        return contenders
    return replace(contenders, wanted=others, cautious=None)


@dataclass(frozen=True)
class Election:
    """The outcome of a night's gate.

    overall: the verdict that decided.
    incumbent: the policy that serves today; champion: the one that serves tomorrow, where it may
        (`offline_rl.segment_choice`).
    """

    overall: Verdict
    incumbent: str
    champion: str


def elect(
    evaluation_of: Callable[[str], Evaluation],
    contenders: Sequence[str],
    logging_policy: str,
    incumbent: str,
    settings: GateSettings,
    *,
    cautious: str | None = None,
) -> Election:
    """Promote the first contender that passes the gate; the incumbent stays where none does.

    evaluation_of: contender → the rounds that it and its rivals are evaluated on.
    contenders: the most wanted first, in an order chosen before the holdout was used. Each is evaluated
        against the logging policy, the incumbent and the contenders after it, so a learner must beat the
        plain model that would ship instead of it.
    incumbent: what serves today; the logging policy itself where nothing else does.
    cautious: a softer policy of the last contender's scores, which serves where it alone passes.

    The last in order, the cautious policy or else the plain model, must pass first: no contender serves where
    it doesn't. With c contenders a false promotion would have c chances, each at half the error of a
    two-sided interval; where no policy is better than what serves today, one that must pass first leaves half
    of an interval's error in all, 2.5%.
    """

    def rivals(contender: str) -> list[str]:
        return [incumbent, *contenders[[*contenders, contender].index(contender) + 1 :]]

    in_order = [*contenders, cautious] if cautious is not None else [*contenders]
    verdicts = [
        reach_verdict(
            evaluation_of(contender), contender, logging_policy, rivals(contender), settings=settings
        )
        for contender in in_order
    ]
    is_open = verdicts[-1].verdict == "promote"
    promoted = next((verdict for verdict in verdicts if verdict.verdict == "promote"), None)
    if not is_open:
        promoted = None
        closed = "hold" if verdicts[0].verdict == "promote" else verdicts[0].verdict
        reasons = (*verdicts[0].reasons, *verdicts[-1].reasons)
        verdicts = [replace(verdicts[0], verdict=closed, reasons=reasons)]
    overall = promoted or verdicts[0]
    # The contenders before the one that serves, and why they failed, belong to the verdict.
    passed_over = verdicts[: verdicts.index(overall)]
    earlier = tuple(reason for verdict in passed_over for reason in verdict.reasons)
    # A contender that is also the last in order has given its reasons twice.
    overall = replace(overall, reasons=tuple(dict.fromkeys((*earlier, *overall.reasons))))
    return Election(overall, incumbent, incumbent if promoted is None else promoted.candidate)
