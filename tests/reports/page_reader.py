"""A reader of finished pages: their structure, and all that a person sees or hears of them."""

from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "br", "rect", "line", "circle", "path"})
"""Elements that have no end tag."""


class PageReader(HTMLParser):
    """Reads a page.

    ids, targets: of elements and links. open, mistakes: tags that no tag closes, and that close no tag.
    texts: what stands between tags and in labels for screen readers. of_charts: the texts of charts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.mistakes: list[str] = []
        self.texts: list[str] = []
        self.of_charts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.targets += [given["href"] or ""] if "href" in given else []
        self.texts += [value for name, value in attrs if value and name in ("aria-label", "title", "alt")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.mistakes.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "script" not in self.open and data.strip():
            (self.of_charts if "g" in self.open else self.texts).append(data)


def read(page: str) -> PageReader:
    """Return what a page has; a place where a word may break does not part it."""
    reader = PageReader()
    reader.feed(page.replace("<wbr>", ""))
    return reader
