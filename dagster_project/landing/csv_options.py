"""How a source's CSV files are written: `csv` of a feed in source.yml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _nulls(value: Any) -> Any:
    """One text that means NULL, or several."""
    return (value,) if isinstance(value, str) else value


class Csv(BaseModel):
    """A dialect.

    Attributes:
        null: the texts that mean NULL.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', max_length=1)
    encoding: Literal["utf-8", "utf-16", "latin-1"] = "utf-8"
    null: Annotated[tuple[str, ...], BeforeValidator(_nulls)] = ("",)

    @model_validator(mode="before")
    @classmethod
    def _null_is_a_name(cls, given: Any) -> Any:
        """YAML reads the key `null` as no name at all."""
        if not isinstance(given, dict):
            return given
        return {"null" if key is None else key: value for key, value in given.items()}
