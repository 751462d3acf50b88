import types

import coda


def test_the_public_names_are_exactly_those_listed() -> None:
    visible = {
        name
        for name, value in vars(coda).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert sorted(visible) == coda.__all__ == sorted(coda.__all__)


def test_every_error_has_a_code_of_its_own_and_a_hint() -> None:
    errors = [value for value in vars(coda).values() if isinstance(value, type) and issubclass(value, coda.CodaError)]
    assert len({error.code for error in errors}) == len(errors) == 8
    assert all(error.hint for error in errors)
