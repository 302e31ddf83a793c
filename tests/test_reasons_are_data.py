"""Reasons are codes with numbers; no sentence of theirs is made outside of reports/wording."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("features", "offline_rl", "flows")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MODELS = sorted((ROOT / "features").rglob("*.sql"))

REASONS = re.compile(
    r"^_?(reasons?|reason_texts?|doubts?|findings?|notes?|rule|verdict_text"
    r"|remarks?|labels?|\w+_label|interval_\w+|methods?|made_by|WORDING|smoothing)$"
)
"""Names that say why, or how a number was made: a finding, or the sentence that `say` makes of it."""

INPUT = {
    # the data dictionary's own text
    "features/contracts/dictionary.py": {"_findings"},
    # what a file lacks that is not loaded yet: `metacart init` prints it above the draft
    "features/sources/propose.py": {"_remarks"},
}
"""Module → names there that hold something else."""


def is_sentence(node: ast.AST) -> bool:
    """Whether an expression is made of English words: a text with a space between two of them."""
    if isinstance(node, ast.JoinedStr):
        return any(map(is_sentence, node.values)) or any(
            isinstance(part, ast.Constant) and " " in str(part.value) for part in node.values
        )
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(re.search(r"[A-Za-z]{2,} [a-z]{2,}", node.value))
    return any(map(is_sentence, _parts(node)))


def _parts(node: ast.AST) -> Sequence[ast.AST]:
    """Return the expressions that a text, a table or a row of texts is put together from."""
    match node:
        case ast.BinOp():
            return node.left, node.right
        case ast.IfExp():
            return node.body, node.orelse
        case ast.List() | ast.Tuple() | ast.Set():
            return node.elts
        case ast.Dict():
            return node.values
        case ast.Call(func=ast.Attribute(value=text, attr="join" | "format"), args=given):
            return text, *given
    return ()


def sentences_by_name(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of each reason that is an English text where it is given its value."""
    for node in ast.walk(tree):
        named: list[tuple[str, ast.AST]] = []
        if isinstance(node, ast.Assign):
            named = [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign | ast.AugAssign) and isinstance(node.target, ast.Name):
            named = [(node.target.id, node.value)] if node.value else []
        elif isinstance(node, ast.keyword) and node.arg:
            named = [(node.arg, node.value)]
        elif isinstance(node, ast.Dict):
            keys = ((key, value) for key, value in zip(node.keys, node.values, strict=True))
            named = [(str(key.value), value) for key, value in keys if isinstance(key, ast.Constant)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_added = node.func.attr in ("append", "extend") and isinstance(node.func.value, ast.Name)
            named = [(node.func.value.id, value) for value in node.args] if is_added else []
        elif isinstance(node, ast.FunctionDef):
            named = [
                (node.name, found.value)
                for found in ast.walk(node)
                if isinstance(found, ast.Return | ast.Yield) and found.value
            ]
        yield from (
            (value.lineno, name) for name, value in named if REASONS.match(name) and is_sentence(value)
        )


def test_no_module_makes_a_sentence_of_a_reason() -> None:
    found = [
        (path.relative_to(ROOT).as_posix(), line, name)
        for path in MODULES
        for line, name in sentences_by_name(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert [place for place in found if place[2] not in INPUT.get(place[0], ())] == []
    assert {place[0] for place in found} == INPUT.keys(), "an exception that nothing needs"


IN_SQL = re.compile(r"'[^']*[a-z]{2,} [a-z]{2,}[^']*'\s*(?:\|\||AS\s+(?:reason|rule)\b)|\|\|\s*' [a-z]{2,} ")


def test_no_query_glues_words() -> None:
    own = (*MODULES, *MODELS)
    glued = {path.relative_to(ROOT).as_posix(): IN_SQL.findall(path.read_text("utf-8")) for path in own}

    assert {name: texts for name, texts in glued.items() if texts} == {}


@pytest.mark.parametrize(
    "code",
    [
        'reason = f"only {n} rounds are left"',
        'rows = {"reason_text": "the spend stays where it is"}',
        'Note("a", reason="the file has no color")',
        'doubts.append("rows repeat too often")',
        'def _reasons(n):\n    yield f"too few of {n} rounds"',
        'reason = "a" + (f"the line has {n}" if n else "")',
        'PolicyValue(interval_method=f"bootstrap over {clusters}, as asked")',
        'def honest_label(n):\n    return f"intervals covered as little as {n}"',
        'method = "; ".join(["none: these rounds identify no value", *remarks])',
        'WORDING: dict[str, str] = {"bca": "bootstrap over {clusters}"}',
    ],
)
def test_the_scan_finds_sentences(code: str) -> None:
    assert list(sentences_by_name(ast.parse(code)))


@pytest.mark.parametrize(
    "query",
    [
        "'line ' || min(line) || ' is the first'",
        "'every line was loaded' AS reason",
        "'rows of the log ' || log",
    ],
)
def test_the_scan_finds_words_in_queries(query: str) -> None:
    assert IN_SQL.search(query)
