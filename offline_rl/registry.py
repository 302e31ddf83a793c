"""Who serves tomorrow: the election of a champion. Nothing is promoted without a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from offline_rl.ope.evaluation import ALL, Evaluation
from offline_rl.ope.trust.verdict import GateSettings, Verdict, judge


@dataclass(frozen=True)
class Election:
    """The outcome of a night's gate.

    overall: the verdict that decided; by_segment: the same candidate judged in each segment of the log.
    incumbent: the policy that serves today; champion: the one that serves tomorrow.
    kept_from: segments where the champion was shown to do harm, and the incumbent stays.
    """

    overall: Verdict
    by_segment: Mapping[int, Verdict]
    incumbent: str
    champion: str
    kept_from: tuple[int, ...]

    def serves(self, segment: int) -> str:
        """Return the policy that serves a segment tomorrow."""
        return self.incumbent if segment in self.kept_from else self.champion


def elect(
    evaluation: Evaluation,
    contenders: Sequence[str],
    logging_policy: str,
    incumbent: str,
    settings: GateSettings,
) -> Election:
    """Promote the first contender that passes the gate; the incumbent stays where none does.

    contenders: the most wanted first, in an order chosen before the holdout was opened. Each is judged
        against the logging policy, the incumbent and the contenders after it, so a learner must beat the
        plain model that would ship instead of it.
    incumbent: what serves today; the logging policy itself where nothing else does.

    With c contenders a false promotion has c chances, each at half the error of a two-sided interval: for two
    contenders and 95% intervals, at most 5% in all.
    """

    def rivals(contender: str) -> list[str]:
        return [incumbent, *contenders[contenders.index(contender) + 1 :]]

    verdicts = [
        judge(evaluation, contender, logging_policy, rivals(contender), settings=settings)
        for contender in contenders
    ]
    promoted = next((verdict for verdict in verdicts if verdict.verdict == "promote"), None)
    overall = promoted or verdicts[0]
    # Who asked before the one that serves, and why that did not do, belongs to the verdict.
    passed_over = verdicts[: verdicts.index(overall)]
    earlier = tuple(reason for verdict in passed_over for reason in verdict.reasons)
    overall = replace(overall, reasons=(*earlier, *overall.reasons))
    by_segment = {
        segment: judge(
            evaluation,
            overall.candidate,
            logging_policy,
            rivals(overall.candidate),
            segment=segment,
            settings=settings,
        )
        for segment in evaluation.segments
        if segment is not ALL
    }
    if promoted is None:
        return Election(overall, by_segment, incumbent, incumbent, ())
    harmed = tuple(segment for segment, verdict in by_segment.items() if verdict.verdict == "reject")
    return Election(overall, by_segment, incumbent, promoted.candidate, harmed)
