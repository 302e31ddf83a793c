from reports.summaries.notes import Note, grouped_notes


def test_equal_notes_of_one_domain_become_one() -> None:
    notes = ["recommendation, maml: Kept.", "advertising, maml: Kept.", "recommendation, reptile: Kept."]

    assert grouped_notes(notes) == (
        Note("Kept.", "recommendation", ("maml", "reptile")),
        Note("Kept.", "advertising", ("maml",)),
    )


def test_a_learner_is_named_once() -> None:
    assert grouped_notes(["budget, a: Kept."] * 2) == (Note("Kept.", "budget", ("a",)),)


def test_a_note_of_another_shape_stays_as_it_is() -> None:
    odd = "No ads, so: nothing was decided."

    assert grouped_notes([odd]) == (Note(odd),)
    assert grouped_notes([]) == ()
