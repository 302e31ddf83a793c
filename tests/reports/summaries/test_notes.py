from features.contracts.findings import finding
from reports.summaries.notes import Note, Noted, grouped_notes
from reports.wording.sentences import say

KEPT = "No step convincingly beat the warm start, so its parameters are kept."


def kept(domain: str, learner: str) -> Noted:
    return Noted(domain, learner, finding("start_kept", learner))


def test_equal_notes_of_one_domain_become_one() -> None:
    notes = [kept("recommendation", "maml"), kept("advertising", "maml"), kept("recommendation", "reptile")]

    assert grouped_notes(notes, say) == (
        Note(KEPT, "recommendation", ("maml", "reptile")),
        Note(KEPT, "advertising", ("maml",)),
    )


def test_a_learner_is_named_once() -> None:
    assert grouped_notes([kept("advertising", "a")] * 2, say) == (Note(KEPT, "advertising", ("a",)),)


def test_a_note_that_names_its_learner_is_not_shared() -> None:
    notes = [Noted("recommendation", name, finding("diverged", name, step=3)) for name in ("maml", "reptile")]

    assert [note.learners for note in grouped_notes(notes, say)] == [("maml",), ("reptile",)]


def test_a_note_of_the_whole_domain_names_no_learner() -> None:
    opened = Noted("advertising", "", finding("holdout_used_before", "advertising", n_earlier_uses=1))

    [note] = grouped_notes([opened], say)

    assert (note.domain, note.learners) == ("advertising", ())
    assert note.text.startswith("advertising: this holdout was used once before")
