"""Notes of the manifest → one note per domain and text, with all learners it speaks of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reports.summaries.night import DOMAINS

_OF_LEARNER = re.compile(rf"({'|'.join(DOMAINS)}), ([^:]+): (.+)", flags=re.DOTALL)


@dataclass(frozen=True)
class Note:
    """What the night says; a note that names no learner has neither domain nor learners."""

    text: str
    domain: str = ""
    learners: tuple[str, ...] = ()


def grouped_notes(notes: Iterable[str]) -> tuple[Note, ...]:
    """Return each text once per domain, in the order of first mention.

    >>> grouped_notes(["budget, a: Kept.", "budget, b: Kept.", "No ads."])
    (Note(text='Kept.', domain='budget', learners=('a', 'b')), Note(text='No ads.', domain='', learners=()))
    """
    learners: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        found = _OF_LEARNER.fullmatch(note)
        domain, learner, text = found.groups() if found else ("", "", note)
        learners.setdefault((domain, text), []).extend([learner] if learner else [])
    return tuple(
        Note(text, domain, tuple(dict.fromkeys(named))) for (domain, text), named in learners.items()
    )
