"""The translations: what the program says, what the catalogue holds, and the compiled file.

`python -m tests.support.catalogue` compiles it, or lists what is missing, fuzzy or obsolete and compiles nothing.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.support.sentences import sentences

ROOT = Path(__file__).parents[2]
PO = ROOT / "qws" / "locale" / "zh_CN" / "LC_MESSAGES" / "qws.po"
MO = PO.with_suffix(".mo")
MARKS = ("_", "N_")


class Compiled(Catalog):
    """A catalogue whose header says only what a reader needs: no dates, no version of the compiler."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [("Language", "zh_CN"), ("Content-Type", "text/plain; charset=utf-8")]


def texts_of(path: Path) -> Iterator[str | None]:
    """Every text marked in a file; None for a mark around something else than one plain string."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            match node.args:
                case [ast.Constant(value=str(text))]:
                    yield text
                case [ast.Subscript()] if node.func.id == "_":  # a text of a table, marked where it stands
                    pass
                case _:
                    yield None


def marked() -> dict[Path, set[str | None]]:
    """The marked texts of every file of the program."""
    return {path: set(texts_of(path)) for path in _sources()}


def _sources() -> list[Path]:
    return [path for folder in ("qws", "actors") for path in sorted((ROOT / folder).rglob("*.py"))]


def spoken() -> dict[str, str]:
    """The sentences that are made in English and translated where they are shown, each with the first file of it."""
    names = [path.relative_to(ROOT).as_posix() for path in _sources()]
    pairs = [(text, name) for name in names for text in sorted(sentences(ROOT / name, name))]
    return dict(reversed(pairs))


def read_catalogue() -> Catalog:
    """The translations as they are kept by hand."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh_CN", abort_invalid=True)


def entries(catalogue: Catalog) -> dict[str, str]:
    """Source and translation of every entry that the program can use; a fuzzy one is empty."""
    return {str(entry.id): "" if entry.fuzzy else str(entry.string) for entry in catalogue if entry.id}


def placeholders(text: str) -> set[tuple[str, str | None, str | None]]:
    """What a text leaves open: name, format and conversion."""
    return {(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None}


def complaints() -> list[str]:
    """What keeps the catalogue from being complete, one line each."""
    said = {text for texts in marked().values() for text in texts} | set(spoken())
    catalogue = read_catalogue()
    kept = entries(catalogue)
    plain = {text for text in said if text is not None}
    unreadable = [f"{path}: a mark around no plain string" for path, texts in marked().items() if None in texts]
    missing = [f"not translated: {text!r}" for text in sorted(plain) if not kept.get(text)]
    unused = [f"obsolete: {text!r}" for text in sorted((kept.keys() - plain) | catalogue.obsolete.keys())]
    other = [
        f"other placeholders: {text!r} and {translation!r}"
        for text, translation in kept.items()
        if translation and placeholders(text) != placeholders(translation)
    ]
    ids = Counter(re.findall(r'^msgid "(.+)"$', PO.read_text(encoding="utf-8"), re.MULTILINE))
    twice = [f"translated twice, and only the first counts: {text!r}" for text, count in ids.items() if count > 1]
    return unreadable + missing + unused + other + twice


def compiled() -> bytes:
    """The compiled catalogue, the same bytes at any time and from any compiler version."""
    result = Compiled(locale="zh_CN", fuzzy=False)
    for text, translation in entries(read_catalogue()).items():
        result.add(text, translation)
    file = io.BytesIO()
    write_mo(file, result)
    return file.getvalue()


def main() -> int:
    """Compile, or say what is wrong."""
    found = complaints()
    for line in found:
        sys.stderr.write(f"{line}\n")
    if not found:
        MO.write_bytes(compiled())
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
