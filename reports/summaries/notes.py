"""Notes of the manifest → one note per domain and text, with all learners it speaks of."""

from collections.abc import Iterable
from dataclasses import dataclass

from features.contracts.findings import Finding, Say


@dataclass(frozen=True)
class Noted:
    """What the night found of a learner in a domain, or of the domain itself: then learner is empty."""

    domain: str
    learner: str
    found: Finding


@dataclass(frozen=True)
class Note:
    """A sentence for the reader, and the learners it is about; a note of the whole domain has none."""

    text: str
    domain: str = ""
    learners: tuple[str, ...] = ()


def grouped_notes(notes: Iterable[Noted], say: Say) -> tuple[Note, ...]:
    """Return each text once per domain, in the order of first mention.

    >>> kept = [Noted("budget", name, Finding("start_kept", name)) for name in "ab"]
    >>> grouped_notes(kept, lambda findings: "Kept.")
    (Note(text='Kept.', domain='budget', learners=('a', 'b')),)
    """
    learners: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        learners.setdefault((note.domain, say([note.found])), []).extend(
            [note.learner] if note.learner else []
        )
    return tuple(
        Note(text, domain, tuple(dict.fromkeys(named))) for (domain, text), named in learners.items()
    )
