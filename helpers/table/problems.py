"""What is wrong with a description, in words: place, problem, what to do."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from helpers.table.description import TableDescription

_TEXTS = {
    "missing": "the key is missing",
    "string_too_short": "it is empty",
    "string_type": "must be one text, not {input}",
    "string_pattern_mismatch": (
        "must be lower-case letters, digits and _, beginning with a letter, at most 50 in all, not {input}"
    ),
    "list_type": "must be a list such as [a, b], not {input}",
    "dict_type": "must be names with values such as {{a: b}}, not {input}",
    "model_type": "must have keys ({keys}), not {input}",
    "too_short": "at least one is needed",
    "literal_error": "must be {expected}, not {input}",
    "float_parsing": "must be a number, not {input}",
    "float_type": "must be a number, not {input}",
    "finite_number": "must be a finite number, not {input}",
    "greater_than_equal": "must be from 1e-6 to 1e12, not {input}",
    "less_than_equal": "must be from 1e-6 to 1e12, not {input}",
}


def problems_of(error: ValidationError) -> str:
    """Return every problem once, each on a line of its own."""
    return "\n  - ".join(dict.fromkeys(map(_in_words, error.errors(include_url=False))))


def _in_words(problem: Any) -> str:
    place = [str(part) for part in problem["loc"] if part != "[key]"]
    kind, context, found = problem["type"], problem.get("ctx", {}), f"{problem['input']!r:.80}"
    if place[:1] == ["features"] and place[2:3] == ["range"] and kind != "value_error":
        finite = "finite " if kind == "finite_number" else ""
        return f"{'.'.join(place[:3])}: must be two {finite}numbers, [lowest, highest]"
    where = ".".join(place)
    if kind == "value_error":
        return f"{where}: {context['error']}" if where else str(context["error"])
    if kind == "extra_forbidden":
        known = _keys(place[:-1])
        near = get_close_matches(place[-1], known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"{where}: unknown key. {hint}The keys are {', '.join(known)}"
    text = _TEXTS.get(kind, problem["msg"].lower() + ", not {input}")
    keys = ", ".join(_keys(place)) if kind == "model_type" else ""
    return f"{where}: {text.format(input=found, keys=keys, expected=context.get('expected'))}"


def _keys(place: list[str]) -> list[str]:
    """Return the keys that may stand at a place."""
    model: type[BaseModel] = TableDescription
    for part in place:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        model = next(_models_in(annotation), model)
    return list(model.model_fields)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
