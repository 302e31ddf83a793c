"""What the page of evaluation concludes from values, arms, segments and learning."""

from collections.abc import Sequence

from reports.summaries.learning_curves import LearningCurve
from reports.summaries.verdicts import Verdict
from reports.wording.catalog import Catalog


def values_conclusion(best: str, second: str, catalog: Catalog, *, overlaps: bool) -> str:
    """Return what to conclude from the chart of values; second: "" where only one was measured."""
    if not second:
        return catalog.text("values.only_one", best=best)
    return catalog.text("values.overlap" if overlaps else "values.clear", best=best, second=second)


def arms_conclusion(n_covered: int, n_trusted: int, n_refused: int, catalog: Catalog) -> str:
    """Return how often the estimate from one arm's log contained what another arm was seen to earn."""
    found = (
        catalog.text("arms.inside", n_covered=n_covered, n_trusted=n_trusted)
        if n_trusted
        else catalog.text("arms.none_speaks")
    )
    refused = catalog.text("arms.refused", n_refused=n_refused) if n_refused else ""
    return catalog.paragraph(found, refused)


def harmed_line(n_harmed: int, catalog: Catalog) -> str:
    """Return the sentence above the list of harmed segments."""
    return catalog.text("harmed.some", n_harmed=n_harmed) if n_harmed else catalog.text("harmed.none")


def harmed_segment(segment: Verdict, difference: str, catalog: Catalog) -> str:
    """Return a segment whose loss stands out, and what happens there tomorrow."""
    key = f"harmed.segment.{segment.verdict}"
    return catalog.text(key, segment=segment.segment_id, difference=difference)


def validation_conclusion(curves: Sequence[LearningCurve], catalog: Catalog) -> str:
    """Return what the curves of validation values show, without calling any step the best."""
    shares = [
        catalog.text(
            "learning.share", n_above=curve.n_above, n_compared=curve.n_compared, learner=curve.learner
        )
        for curve in curves
        if curve.n_differing
    ]
    still = [curve.learner for curve in curves if not curve.n_differing]
    return catalog.paragraph(
        catalog.text("learning.adapting", shares=catalog.listed(shares)) if shares else "",
        catalog.text("learning.same", learners=catalog.listed(still)) if still else "",
    )
