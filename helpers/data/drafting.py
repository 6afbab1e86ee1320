"""Write the description of an unknown table, with a comment where a person must decide."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from helpers.data.guessing import Column, Guess, words
from helpers.data.guessing_target import GuessedTarget

LONGEST_NAME = 1024  # of a feature: YAML's limit for a key, quotes and escapes included
SHOWN_NAME = 60  # characters of a name in a comment
OWN_CATEGORY = 0.05  # from this share on, that a value is missing may itself say something
_SENSITIVE = re.compile(
    r"\b(gender|sex|age|birth\w*|country|nationality|citizen\w*|geography|ethnic\w*|race|religion|marital|married|"
    r"disab\w*|pregnan\w*|senior|geschlecht|alter|land|herkunft|nationalität|familienstand)\b"
)


def draft(
    source: str,
    name: str,
    target: GuessedTarget,
    guesses: dict[Column, Guess],
    *,
    unnamed: bool = False,
    decimal: str | None = None,
) -> str:
    """Return the YAML.

    Parameters
    ----------
    source : str
        The table, for the first line.
    name : str
        The use case's.
    target : GuessedTarget
    guesses : dict
        Of every other column, in the file's order.
    unnamed : bool
        Whether there is also a column that no description can name.
    decimal : str, optional
        The key ``decimal``.
    """
    features = {column: guess for column, guess in guesses.items() if guess.role != "identifier"}
    lines = [
        f"# A draft from {source}. Decide on every line marked `check`, and then remove the mark.",
        "# docs/tables.md explains the keys; a feature may also have a label, a unit and labels.",
        f"name: {_yaml(name)}",
        f"title: {_yaml(name.replace('_', ' ').capitalize())}",
        *([f"decimal: {decimal}"] if decimal else []),
        "",
        *_identifiers({column: guess.remark for column, guess in guesses.items() if column not in features}),
        "",
        *_target(target),
        "",
        "features:",
        *(_feature(column, guess) for column, guess in features.items()),
        *(["  # a column without a name: left out"] if unnamed else []),
        "",
        "costs: {missed: 5, wasted: 1}  # check: what a missed case and a needless contact cost, in any unit",
        _sensitive(column.name for column, guess in features.items() if guess.is_feature),
    ]
    return "\n".join(lines) + "\n"


def is_too_long(name: str) -> bool:
    """Tell whether a column's name is too long to be a feature's key in a description."""
    return len(_yaml(name)) > LONGEST_NAME


def _identifiers(remarks: dict[Column, str]) -> Iterator[str]:
    if not remarks:
        yield "identifiers: []  # columns that no model may see"
        return
    yield "identifiers:  # no model sees them"
    yield from (f"  - {_yaml(column.name)}  # {remark}" for column, remark in remarks.items())
    unique = [column for column in remarks if column.is_unique]
    if unique:
        key = min(unique, key=lambda column: (column.counts_rows, not column.looks_like_id))
        yield f"key: {_yaml(key.name)}  # check: does it identify a customer, in later tables, too?"
    else:
        yield "# key: no identifier has another value in every row"


_NOUNS = {"churned": "churn", "exited": "churn", "left": "churn", "defaulted": "default"}


def _target(target: GuessedTarget) -> Iterator[str]:
    yield f"target:{_comment(target.remarks)}"
    yield f"  column: {_yaml(target.column.name)}"
    _, label = target.positive
    yield f"  outcome: {_yaml(_NOUNS.get(label, label))}  # check: a noun, as in 'churn rate'"
    for key, (value, label) in {"negative": target.negative, "positive": target.positive}.items():
        yield f"  {key}: {_yaml({'value': value, 'label': label})}"


def _feature(column: Column, guess: Guess) -> str:
    """Return a feature's line, commented out if it is left out."""
    if guess.role is None:
        return f"  # {_yaml(column.name[:SHOWN_NAME])}: left out: {guess.left_out}"
    feature: dict[str, Any] = {"role": guess.role}
    if guess.role == "numeric":
        feature["range"] = wider(column.numbers.min(), column.numbers.max())
    elif guess.role == "categorical":
        feature["values"] = column.values
    remarks = [guess.remark] if guess.remark else []
    if column.missing:
        feature["missing"], remark = _missing(column, guess)
        remarks.append(remark)
    line = f"{_yaml(column.name)}: {_yaml(feature)}"
    if guess.left_out:
        return f"  # {line}  # left out: {guess.left_out}"
    return f"  {line}{_comment(remarks)}"


def _comment(remarks: list[str]) -> str:
    """Return the end of a line, with one mark for all that is to be decided."""
    return f"  # {'; '.join(remarks)}".replace("; check: ", "; ") if remarks else ""


def _missing(column: Column, guess: Guess) -> tuple[str, str]:
    """Return an imputation, and how much it is needed."""
    share = column.missing / len(column.texts)
    written = sorted({text for text in column.texts[~column.texts.index.isin(column.present.index)] if text})
    how = f" (also as {', '.join(map(repr, written))})" if written else ""
    remark = f"check: {column.missing:,} are missing, {share:.1%}{how}: why?"
    if guess.role == "categorical":
        return ("category" if share >= OWN_CATEGORY else "most_frequent"), remark
    return ("median" if guess.role == "numeric" else "most_frequent"), remark


def _sensitive(features: Iterable[str]) -> str:
    found = [name for name in features if _SENSITIVE.search(words(name))]
    return f"sensitive: {_yaml(found)}  # check: features of which groups may be treated differently"


def wider(low: float, high: float) -> list[float]:
    """Return a range with round ends, at least a tenth wider on each side; never below 0 unless it was."""
    if not 1e-300 < high - low < 1e300:
        return [float(low), float(high)]
    exponent, margin = math.floor(math.log10(high - low)), (high - low) / 10
    step = 10.0**exponent
    bottom = min(round(math.floor((low - margin) / step) * step, max(0, -exponent)), low)
    top = max(round(math.ceil((high + margin) / step) * step, max(0, -exponent)), high)
    ends = (max(bottom, 0.0) if low >= 0 else bottom, top)
    return [int(end) if end == int(end) else float(end) for end in ends]


def _yaml(content: Any) -> str:
    """Return a value on one line, quoted so that any reader of YAML takes a text as a text."""
    options: dict[str, Any] = {"default_flow_style": True, "sort_keys": False, "width": math.inf}
    text = yaml.safe_dump([content], **options, allow_unicode=True).strip()
    if not text.isprintable():
        text = yaml.safe_dump([content], **options).strip()
    return text[1:-1]
