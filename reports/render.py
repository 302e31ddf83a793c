"""Fill the templates: autoescape on, style and script inlined, and allowed by their hash alone."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.summaries.line_breaks import breakable, wrapping
from reports.wording.catalog import Catalog

TEMPLATES = Path(__file__).parent / "templates"
STYLES = ("report.css", "verdict.css", "table.css", "figure.css")
SCRIPT = "sort.js"


def render(template: str, catalog: Catalog, *, with_script: bool = True, **context: Any) -> str:
    """Return the filled template with the page's style, script and content security policy.

    catalog: the language, from which templates take every word. with_script: False for a page whose tables
    are not sorted, which gets no script and may run none. Raises jinja2.UndefinedError where the context
    lacks a value that the template prints.

    Nothing may load: `default-src 'none'` stands, and only this very style and script are let through.
    """
    style = "\n".join(_asset(name) for name in STYLES)
    policy = f"default-src 'none'; style-src '{csp_hash(style)}'"
    assets = {"style": Markup(style)}  # noqa: S704
    if with_script:
        script = _asset(SCRIPT)
        policy += f"; script-src '{csp_hash(script)}'"
        assets["script"] = Markup(script)  # noqa: S704
    page = _environment(catalog).get_template(template)
    return page.render(**context, **assets, content_security_policy=policy)


def csp_hash(text: str) -> str:
    """Return the text's source expression in a content security policy.

    >>> csp_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def _environment(catalog: Catalog) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"breakable": breakable, "wrapping": wrapping}
    # Globals, so that macros of imported templates have the language too.
    environment.globals |= {"catalog": catalog, "text": catalog.text}
    return environment


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
