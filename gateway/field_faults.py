"""Faults of fields in our own sentences (API-02): what pydantic finds, told in the reader's language.

The codes are pydantic's names, grouped where two of them mean the same to a caller; the table is the documentation.
The input itself is never repeated, since it may be personal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.errors import FieldFault
from gateway.i18n import _

SENTENCES: Final[dict[str, str]] = {
    "missing": _("This field is needed."),
    "extra_forbidden": _("This field is not known here."),
    "text_expected": _("A text is expected."),
    "text_too_short": _("At least {min_length} characters are expected."),
    "text_too_long": _("At most {max_length} characters are allowed."),
    "text_form": _("The text does not have the form that is expected here."),
    "whole_number_expected": _("A whole number is expected."),
    "boolean_expected": _("true or false is expected."),
    "list_expected": _("A list is expected."),
    "list_too_short": _("At least {min_length} items are expected."),
    "list_too_long": _("At most {max_length} items are allowed."),
    "object_expected": _("An object is expected."),
    "number_too_small": _("The value is too small; {limit} is the least."),
    "number_too_large": _("The value is too large; {limit} is the most."),
    "choice_unknown": _("One of these is expected: {expected}."),
    "day_expected": _("A day of the form YYYY-MM-DD is expected."),
    "moment_expected": _("A moment with its offset is expected, such as 2026-11-21T08:15:00Z."),
    "invalid_id": _("An id of the form {prefix}_… is expected."),
    "null_expected": _("Nothing but null is possible here."),
    "value_not_allowed": _("This value is not possible here."),
}
HINT: Final = _("Compare the field with the documentation of the operation.")

_CODES: Final[dict[str, str]] = {
    "string_type": "text_expected",
    "string_sub_type": "text_expected",
    "string_unicode": "text_form",
    "string_too_short": "text_too_short",
    "string_too_long": "text_too_long",
    "string_pattern_mismatch": "text_form",
    "int_type": "whole_number_expected",
    "int_parsing": "whole_number_expected",
    "int_parsing_size": "whole_number_expected",
    "int_from_float": "whole_number_expected",
    "bool_type": "boolean_expected",
    "bool_parsing": "boolean_expected",
    "list_type": "list_expected",
    "tuple_type": "list_expected",
    "set_type": "list_expected",
    "too_short": "list_too_short",
    "too_long": "list_too_long",
    "dict_type": "object_expected",
    "model_type": "object_expected",
    "model_attributes_type": "object_expected",
    "mapping_type": "object_expected",
    "greater_than_equal": "number_too_small",
    "greater_than": "number_too_small",
    "less_than_equal": "number_too_large",
    "less_than": "number_too_large",
    "enum": "choice_unknown",
    "literal_error": "choice_unknown",
    "union_tag_invalid": "choice_unknown",
    "union_tag_not_found": "missing",
    "date_type": "day_expected",
    "date_parsing": "day_expected",
    "date_from_datetime_parsing": "day_expected",
    "date_from_datetime_inexact": "day_expected",
    "datetime_type": "moment_expected",
    "datetime_parsing": "moment_expected",
    "datetime_from_date_parsing": "moment_expected",
    "datetime_object_invalid": "moment_expected",
    "timezone_aware": "moment_expected",
    "none_required": "null_expected",
}
_PARAMETERS: Final = {
    "ge": "limit", "gt": "limit", "le": "limit", "lt": "limit", "min_length": "min_length",
    "max_length": "max_length", "expected": "expected", "expected_tags": "expected", "prefix": "prefix",
}  # fmt: skip
_SAFE_PARAMETER: Final = 300
"""A list of choices may be long; anything longer is not a parameter but a text."""


def validation_faults(errors: Sequence[Any]) -> list[FieldFault]:
    """Pydantic's findings as faults with JSON Pointers, in its order."""
    return [_fault(error) for error in errors]


def code_of(kind: str) -> str:
    """The documented code of one of pydantic's error types."""
    if kind in SENTENCES:
        return kind
    return _CODES.get(kind, "value_not_allowed")


def _fault(error: Any) -> FieldFault:
    code, context = code_of(str(error["type"])), error.get("ctx") or {}
    sentence = SENTENCES[code]
    if error["type"] == "value_error":
        # Raised by a validator of ours with a sentence that is marked for translation.
        sentence = str(context.get("error", sentence))
    parameters = {
        _PARAMETERS[name]: str(value)[:_SAFE_PARAMETER] for name, value in context.items() if name in _PARAMETERS
    }
    pointer = "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in error["loc"][1:])
    return FieldFault(pointer, code, sentence, HINT, parameters)
