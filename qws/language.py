"""English in the source, Chinese from the catalogue: the language of this process."""

from __future__ import annotations

import gettext as _gettext
import locale
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from qws.words import WORDS

_translations: _gettext.NullTranslations = _gettext.NullTranslations()
_folder = resources.files("qws") / "locale"


def speak(language: str) -> None:
    """Choose the language of this process: `en`, `zh_CN`, or `auto` for the system's locale."""
    global _translations
    if language == "auto":
        language = language_of(locale.setlocale(locale.LC_CTYPE))  # asks only; getlocale() raises for some names
    _translations = _gettext.translation("qws", str(_folder), languages=[language], fallback=True)


def language_of(locale_name: str | None) -> str:
    """`zh_CN` for every Chinese locale (`zh_TW.UTF-8`, Windows' `Chinese (Simplified)_China.936`), otherwise `en`."""
    first = re.split("[^a-z]", (locale_name or "").lower(), maxsplit=1)[0]
    return "zh_CN" if first in ("zh", "chinese") else "en"


def translated(text: str) -> str:
    """A text of the source in the chosen language."""
    return _translations.gettext(text)


def catalogue_folder() -> str:
    """Where the translations lie."""
    return str(_folder)


def is_chinese() -> bool:
    """Whether this process speaks Chinese."""
    return isinstance(_translations, _gettext.GNUTranslations)


def catalogue() -> Mapping[str, str]:
    """Every text of the source with its translation; empty in English."""
    return _pairs(_translations) if is_chinese() else MappingProxyType({})


@cache
def _pairs(translations: _gettext.NullTranslations) -> Mapping[str, str]:
    found: dict[str, str] = getattr(translations, "_catalog", {})  # gettext has no other way to ask for all of it
    return MappingProxyType({source: said for source, said in found.items() if source and isinstance(source, str)})


_ = translated  # around every plain text of the source: the catalogue is made of these


def word(code: str) -> str:
    """A code of ours as people say it; one without a word stays what it is."""
    return _translations.gettext(WORDS[code]) if code in WORDS else code
