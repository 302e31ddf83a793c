"""Names and texts as SQL writes them, where no parameter can stand."""


def quoted(text: str) -> str:
    """Return the text as an SQL string.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return the name as an SQL identifier.

    >>> identifier("first name")
    '"first name"'
    """
    return '"' + name.replace('"', '""') + '"'
