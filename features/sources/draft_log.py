"""The keys of one log in a drafted file: what each of its columns is read from, or what stands in for it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import dataframely as dy

from features.contracts.logs import LOGS
from features.sources.draft import Line, LogDraft, blank, comment, operand, read_line, text_literal, toml_text
from features.sources.guesses import ALL_EVENT_WORDS, CANCELLED_WORDS, EVENT_WORDS, PURCHASE_WORDS
from features.sources.headings import heading_currency, is_telling, plain_heading
from features.sources.likely_logs import FEEDS
from features.sources.number_forms import SIGN_CURRENCIES
from features.sources.sample import YES, Column, Sample

# Somebody's words may name somebody: no example of them.
_FREE_TEXT_CHARACTERS = 80
# Examples are shown of these alone: no other column is sure to be about things and not about people.
_SHOWN = {
    "item",
    "time",
    "quantity",
    "price",
    "total",
    "cost",
    "revenue",
    "category",
    "brand",
    "slot",
    "propensity",
}

_ROW_NUMBER = toml_text("row number")
# Among this many orders one would have several lines, if any had.
_SURE = 100

# What a log can do without its column: the value of every row, and what to know about it.
_CONSTANTS: Mapping[str, tuple[str, str]] = {
    "quantity": ("1", "no quantity found"),
    "is_cancelled": ("false", "no cancellations found"),
    "segment_id": ('"all"', "no audience segment found"),
    "surface": ('"home"', "no surface found; say where items are shown"),
    "policy_version": ('"unknown"', "no policy found; say who chose"),
}
# What belongs into a blank that one value may fill.
_ASKED: Mapping[str, str] = {
    "slot": "no slot found: 1 where one item is shown at a time, else name its column under columns",
    "event_type": "no kind of event found: view, click, add_to_cart or remove_from_cart",
    "campaign_id": "no campaign found: one name, if all lines are of one campaign",
    "channel": "no channel found: where the ads ran, such as search or feed",
    "creative_id": "no creative found: one name, if all lines are of one",
    "impressions": "no count of ads shown was found; without it clicks have no base",
    "clicks": "no clicks found; 0 only if they were not measured",
    "conversions": "no conversions found; 0 only if they were not measured",
    "revenue_cents": "no revenue found; 0 only if it was not measured",
    "conversion_value_cents": "no revenue found; 0 only if it was not measured",
    "spend_cents": "no spend found; 0 only if it was not measured",
    "cost_cents": "no cost found; 0 only if it was not measured",
    "is_clicked": "no clicks found: name their column under columns",
}
_CHANNELS_IN_NAMES = (
    "google",
    "meta",
    "facebook",
    "instagram",
    "amazon",
    "bing",
    "tiktok",
    "pinterest",
    "criteo",
)


@dataclass(frozen=True)
class Seen:
    """What a look at a file showed.

    roles: which column stands for what. misfits: columns whose heading fits a role, and whose values don't.
    stem: the file's name in lower case, which may say what its lines are.
    """

    sample: Sample
    roles: Mapping[str, Column]
    misfits: Mapping[str, Column]
    stem: str


@dataclass(frozen=True)
class _Drafted:
    """What is known when the lines of a log are written."""

    log: str
    logs: list[str]
    seen: Seen

    @property
    def roles(self) -> Mapping[str, Column]:
        return self.seen.roles

    @property
    def elements(self) -> tuple[str, ...]:
        """Steps to the list that the log takes its rows from; empty where a line is a row."""
        used = (self.roles[role] for role in FEEDS[self.log].values() if role in self.roles)
        return next((column.inside for column in used if column.inside), ())

    @property
    def sample(self) -> Sample:
        return self.seen.sample


def draft_log(log: str, logs: list[str], seen: Seen) -> LogDraft:
    """Return the table of one log.

    logs: all that the file feeds.
    """
    return LogDraft(log, tuple(_lines(_Drafted(log, logs, seen))))


def _lines(known: _Drafted) -> Iterator[Line]:
    log, roles = known.log, known.roles
    key = FEEDS[log].get("item_id" if log == "items" else "user_id", "")
    if log in {"items", "users"} and (len(known.logs) > 1 or not roles[key].is_unique):
        yield Line("one_row_per_key", "true", "the last line of each counts")
    if known.elements:
        name, *path = known.elements
        said = "each element of this list is a row; expressions call it element"
        yield Line("elements", toml_text(operand(Column(name, (), path=tuple(path)))), said)
    if conditions := list(_conditions(known)):
        joined = " and ".join(f"({said})" for said in conditions) if len(conditions) > 1 else conditions[0]
        yield Line("where", toml_text(joined))
    for name in LOGS[log].column_names():
        yield from _column(name, known)


def _conditions(known: _Drafted) -> Iterator[str]:
    """Yield what a line has to be to be a row of the log."""
    roles, log = known.roles, known.log
    if known.sample.layout and (total := known.sample.layout.total):
        column = operand(Column(total[0], ()))
        yield f"{column} is null or not starts_with(lower({column}), {text_literal(total[1])})"
    if log == "users" and len(known.logs) > 1:
        # Guests have no id, and are no lines of the other logs to be refused.
        yield f"{operand(roles['user'])} is not null"
    if "event" in roles and log in {"events", "purchases"}:
        name = operand(roles["event"])
        bought = _texts_of(roles["event"], PURCHASE_WORDS)
        if bought:
            yield (
                f"{name} in ({bought})"
                if log == "purchases"
                else f"{name} not in ({bought}) or {name} is null"
            )
    elif _is_click_log(known):
        yield _is_yes(roles["click"])


def _is_click_log(known: _Drafted) -> bool:
    return known.log == "events" and "event" not in known.roles and "impressions" in known.logs


def _column(name: str, known: _Drafted) -> Iterator[Line]:
    roles, kind = known.roles, LOGS[known.log].columns()[name]
    column = roles.get(FEEDS[known.log].get(name, ""))
    special = {
        "event_type": _event_type,
        "event_id": _event_id,
        "order_id": _order_id,
        "line": _line_number,
        "is_cancelled": _is_cancelled,
        "quantity": _quantity,
        "impression_id": _impression_id,
        "ad_impression_id": _impression_id,
        "currency_code": _currency_code,
        "signup_at": _signup,
    }
    if name in special:
        yield from special[name](name, column, known)
    elif column is None and name == "price_cents" and known.log == "purchases":
        yield from _price_of_total(known)
    elif (
        column is not None
        and isinstance(kind, dy.Datetime | dy.Date)
        and "clock" in roles
        and _is_day(column)
    ):
        said = f"{operand(column)} || ' ' || {operand(roles['clock'])}"
        yield Line(f"expressions.{name}", toml_text(said), "date and time of day stand in two columns")
    elif column is not None and isinstance(kind, dy.Bool):
        yield _flag_line(name, column)
    elif column is not None:
        line = read_line(name, column, _example(column, FEEDS[known.log][name]))
        if isinstance(kind, dy.Datetime | dy.Date) and not is_telling("time", column.label):
            line = replace(line, said=f"by its heading alone: is this {kind.description}?", kind="assumed")
        yield line
        yield from _unit(name, column, known)
    else:
        yield from _absent(name, known)


def _absent(name: str, known: _Drafted) -> Iterator[Line]:
    """Say what stands in for a column that the file lacks, or ask for it."""
    kind = LOGS[known.log].columns()[name]
    misfit = known.seen.misfits.get(FEEDS[known.log].get(name, ""))
    if misfit is not None:
        said = f"{comment(misfit.label)} is called so, and its values don't look so; name a column or mend it"
        yield blank(f"columns.{name}", f"{kind.description}. {said} by an expression")
    elif name == "propensity":
        yield Line("constants.propensity", "0.3333", "in a randomized test of three", "off")
    elif kind.nullable:
        if name == "user_id":
            yield from _address_as_user(known)
    elif name in _CONSTANTS:
        value, said = _CONSTANTS[name]
        yield Line(f"constants.{name}", value, said, "assumed")
    elif name == "channel" and (
        found := next((word for word in _CHANNELS_IN_NAMES if word in known.seen.stem), "")
    ):
        yield Line("constants.channel", toml_text(found), "by the file's name", "assumed")
    elif name in _ASKED:
        yield blank(f"constants.{name}", _ASKED[name])
    elif name == "session_id":
        yield blank("columns.session_id", 'no visit found: name its column, or ids.session_id = "row number"')
    else:
        yield blank(f"columns.{name}", f"needed, and not found: {kind.description}")


def _address_as_user(known: _Drafted) -> Iterator[Line]:
    personal = known.roles.get("personal_user")
    if personal is not None:
        said = "no customer number found; this would become a keyed pseudonym as well: your choice"
        yield Line("columns.user_id", toml_text(personal.name), said, "off")


def _unit(name: str, column: Column, known: _Drafted) -> Iterator[Line]:
    if (LOGS[known.log].columns()[name].metadata or {}).get("unit") != "cents":
        return
    words = plain_heading(column.label).split("_")
    if "micros" in words:
        yield Line(f"units.{name}", '"millionths"', "of the currency, as its heading says")
    elif not {"cent", "cents", "ct"} & set(words):
        yield Line(f"units.{name}", '"currency"', '35.79 is 3579 cents; or "cents", or "millionths"')


def _event_type(_name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    if column is None:
        if _is_click_log(known):
            yield Line("constants.event_type", '"click"', "from the flag beside each impression")
            return
        words = set(re.split(r"[^a-z]+", known.seen.stem))
        named = [event for event, texts in EVENT_WORDS.items() if words & texts]
        if len(named) == 1:
            yield Line("constants.event_type", toml_text(named[0]), "by the file's name", "assumed")
        else:
            yield blank("constants.event_type", _ASKED["event_type"])
        return
    texts = {
        text: event
        for text in sorted(set(column.values))
        for event, known_words in EVENT_WORDS.items()
        if text.lower() in known_words and text != event
    }
    if texts or column.path:
        whens = " ".join(f"when {text_literal(text)} then '{event}'" for text, event in texts.items())
        said = f"case {operand(column)} {whens} else {operand(column)} end" if whens else operand(column)
        yield Line("expressions.event_type", toml_text(said))
    else:
        yield Line("columns.event_type", toml_text(column.name))


def _event_id(name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    if _is_click_log(known):
        shown = known.roles.get("impression") or _own_id(known)
        if shown is not None:
            yield Line(
                "expressions.event_id", toml_text(f"'click:' || {operand(shown)}"), "one click an impression"
            )
            return
    yield from _id_line(name, column, known, "tell events apart")


def _impression_id(name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    if known.log == "events":
        shown = column or (_own_id(known) if _is_click_log(known) else None)
        if shown is not None:
            yield read_line(name, shown)
        elif _is_click_log(known):
            yield Line("ids.impression_id", _ROW_NUMBER, "the impression is on the same line")
        return
    yield from _id_line(name, column, known, "tell impressions apart")


def _own_id(known: _Drafted) -> Column | None:
    """Return the column that names each line, without saying of what."""
    candidate = known.roles.get("any_id")
    return candidate if candidate is not None and candidate.is_unique else None


def _id_line(name: str, column: Column | None, known: _Drafted, what: str) -> Iterator[Line]:
    found = column or _own_id(known)
    if found is not None and known.elements and not found.inside:
        yield Line(f"expressions.{name}", toml_text(f"{operand(found)} || ':' || element_number"))
        return
    if found is not None:
        said = "" if found.is_unique else "not every line has its own: a line that repeats one replaces it"
        yield read_line(name, found, said)
        return
    question = f"no id found to {what}. Can a line come twice, here or in a later file?"
    then = 'If so, name the columns that tell them apart, as in ["visit", "at"]'
    if known.sample.n_repeated:
        n_repeated, n_lines = known.sample.n_repeated, known.sample.n_lines
        question += f" {n_repeated} of {n_lines} lines looked at repeat an earlier one, and count twice."
    yield Line(f"ids.{name}", _ROW_NUMBER, f"{question} {then}", "assumed")


def _order_id(_name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    roles = known.roles
    if column is not None:
        yield read_line("order_id", column)
    elif "event_id" in roles or _own_id(known) is not None:
        own = roles.get("event_id") or _own_id(known)
        assert own is not None
        said = "no order found: each line with an id of its own is one"
        yield replace(read_line("order_id", own, said), kind="assumed")
    elif {"session", "time"} <= roles.keys() and not (roles["session"].path or roles["time"].path):
        parts = f"[{toml_text(roles['session'].name)}, {toml_text(roles['time'].name)}]"
        yield Line(
            "ids.order_id", parts, "no order found; what a visit bought at one moment is one", "assumed"
        )
    elif "event" in roles and not known.sample.n_repeated:
        said = "no order found: is each purchase an order, and does none come twice? Else name columns"
        yield Line("ids.order_id", _ROW_NUMBER, said, "assumed")
    else:
        yield blank(
            "ids.order_id",
            'no order found: the columns that together name one, as in ["visit", "at"], or "row number" if '
            "every line is an order of its own and none comes twice",
        )


def _line_number(_name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    roles = known.roles
    order = roles.get("order") or roles.get("event_id") or _own_id(known)
    if column is not None and column is not order:
        yield read_line("line", column)
    elif known.elements:
        yield Line("ids.line", _ROW_NUMBER, "the number of the element in its list")
    elif (
        order is not None
        and order.is_unique
        and (order is not roles.get("order") or len(order.values) >= _SURE)
    ):
        yield Line(
            "constants.line", "1", "each order looked at has one line; with several, name a column", "assumed"
        )
    else:
        said = "no line number found; the line of the file stands in"
        yield Line("ids.line", _ROW_NUMBER, said)


def _is_cancelled(_name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    quantity = known.roles.get("quantity")
    if column is None and quantity is not None and _has_minus(quantity):
        yield Line("expressions.is_cancelled", toml_text(f"{operand(quantity)} < 0"), "a return has a minus")
    elif column is None:
        yield from _absent("is_cancelled", known)
    elif _on_first_line_only(column, known):
        said = f"{comment(column.label)} stands on the first line of an order alone, and not on its others"
        yield blank("constants.is_cancelled", f"{said}; repeat it on each line of the export, or false")
    else:
        yield _flag_line("is_cancelled", column)


def _on_first_line_only(column: Column, known: _Drafted) -> bool:
    return "order" in known.roles and known.sample.stands_on_first_line_only(column, known.roles["order"])


def _flag_line(name: str, column: Column) -> Line:
    """Return the line for yes or no: flags as they are, a time that is there, or words that mean it."""
    if column.words and column.words <= {"0", "1", "true", "false"}:
        return read_line(name, column)
    if column.is_flag:
        return Line(f"expressions.{name}", toml_text(f"case when {_is_yes(column)} then true else false end"))
    said = operand(column)
    if not column.values or column.time_form is not None:
        return Line(f"expressions.{name}", toml_text(f"{said} is not null"), "where it has a time")
    meant = sorted(column.words & CANCELLED_WORDS) or ["cancelled", "canceled", "refunded"]
    listed = ", ".join(map(text_literal, meant))
    others = sorted(column.words - set(meant))
    why = (
        f"check the words; not cancelled are: {', '.join(map(comment, others[:8]))}"
        if others
        else "check the words"
    )
    when = f"case when lower({said}) in ({listed}) then true else false end"
    return Line(f"expressions.{name}", toml_text(when), why, "assumed")


def _is_yes(column: Column) -> str:
    said = ", ".join(map(text_literal, sorted(column.words & YES) or ["1"]))
    return f"lower({operand(column)}) in ({said})"


def _quantity(_name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    if column is None:
        yield from _absent("quantity", known)
    elif _has_minus(column):
        yield Line("expressions.quantity", toml_text(f"abs({operand(column)})"), "a minus marks a return")
    else:
        yield read_line("quantity", column, _example(column, "quantity"))


def _has_minus(column: Column) -> bool:
    return any(value.startswith("-") for value in column.values)


def _price_of_total(known: _Drafted) -> Iterator[Line]:
    """Ask whether an amount is of a piece or of the whole line, where that makes a difference."""
    total, quantity = known.roles.get("total"), known.roles.get("quantity")
    if total is None:
        yield from _absent("price_cents", known)
    elif quantity is None or quantity.all_match(r"1([.,]0+)?"):
        yield read_line("price_cents", total, _example(total, "total"))
        yield from _unit("price_cents", total, known)
    else:
        name, pieces = operand(total), operand(quantity)
        said = f"the price of one piece: {name}, or {name} / {pieces} if it is of the whole line"
        yield blank("expressions.price_cents", said)
        yield Line("units.price_cents", '"currency"')


def _currency_code(_name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    code = currency_of(known.roles)
    if column is not None and not (code and _on_first_line_only(column, known)):
        yield read_line("currency_code", column)
    elif known.log == "items" and "price" not in known.roles:
        return
    elif code:
        yield Line("constants.currency_code", toml_text(code), "as a column, a heading or a sign says")
    elif sign := _sign(known.roles):
        if sign == "$":
            yield Line(
                "constants.currency_code", '"USD"', "the sign $ is that of other dollars too", "assumed"
            )
        else:
            yield blank("constants.currency_code", f"the amounts carry the sign {sign}: of which currency?")
    elif any(re.search("[\u4e00-\u9fff]", column.name) for column in known.roles.values()):
        yield Line(
            "constants.currency_code",
            '"CNY"',
            "no currency found, and Chinese headings; say which",
            "assumed",
        )
    else:
        yield Line("constants.currency_code", '"EUR"', "no currency found; say which", "assumed")


def currency_of(roles: Mapping[str, Column]) -> str | None:
    """Return the currency that a column of it, headings or signs of amounts name, if they name one."""
    if "currency" in roles:
        named = set(roles["currency"].values)
        return named.pop() if len(named) == 1 else None
    codes = {code for column in _amounts(roles) if (code := heading_currency(column.name))}
    sign = _sign(roles)
    codes |= {SIGN_CURRENCIES.get(sign, sign if re.fullmatch("[A-Z]{3}", sign) else "")} - {""}
    return codes.pop() if len(codes) == 1 else None


def _amounts(roles: Mapping[str, Column]) -> list[Column]:
    return [column for role, column in roles.items() if role in {"price", "total", "cost", "revenue"}]


def _sign(roles: Mapping[str, Column]) -> str:
    """Return the sign of the currency that all amounts with a sign have; empty for none."""
    signs = {form.currency_sign for column in _amounts(roles) for form in column.number_forms[:1]} - {""}
    return signs.pop() if len(signs) == 1 else ""


def _signup(_name: str, column: Column | None, known: _Drafted) -> Iterator[Line]:
    found = column or (known.roles.get("time") if known.logs == ["users"] else None)
    if found is not None:
        yield read_line("signup_at", found, _example(found, "time"))


def _is_day(column: Column) -> bool:
    return column.times is not None and column.times.is_day


def _texts_of(column: Column, words: set[str]) -> str:
    return ", ".join(text_literal(text) for text in sorted(set(column.values)) if text.lower() in words)


def _example(column: Column, role: str) -> str:
    if role == "user":
        return "becomes a keyed pseudonym before anything is stored"
    if not column.values:
        return "empty in the first lines"
    if role not in _SHOWN:
        return ""
    if max(map(len, column.values)) > _FREE_TEXT_CHARACTERS:
        return "free text"
    return f"e.g. {comment(column.example)}"


def odd_words(column: Column) -> list[str]:
    """Return the words of an event column that are no events yet; each line with one will be rejected."""
    return sorted(column.words - ALL_EVENT_WORDS)
