"""What there is to ask, told."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain
from typing import Any

from dagster_project.olap.cube import Cube
from dagster_project.olap.dictionary import (
    CubeError,
    Dictionary,
    Dimension,
    Metric,
    Policy,
    Subject,
    Unmeasured,
    found,
)
from dagster_project.olap.query import VARIANTS


def listed(dictionary: Dictionary) -> dict[str, list[dict[str, Any]]]:
    """Subjects, metrics, dimensions, variants, roles and what is not measured, as records."""
    return {
        "subjects": [
            {"subject": subject.name, "description": subject.description, "main metrics": ", ".join(subject.defaults)}
            for subject in dictionary.subjects.values()
        ],
        "metrics": [
            {
                "metric": metric.name,
                "subject": metric.subject,
                "unit": dictionary.unit(metric),
                "additive": dictionary.is_additive(metric),
                "description": metric.description,
                "source of the formula": metric.formula_source,
            }
            for metric in sorted(dictionary.metrics.values(), key=lambda metric: (metric.subject, metric.name))
        ],
        "dimensions": [
            {
                "dimension": dimension.name,
                "hierarchies": "; ".join(" > ".join(order) for order in dimension.hierarchies.values()),
                "further levels": ", ".join(
                    name
                    for name in dimension.levels
                    if not any(name in order for order in dimension.hierarchies.values())
                ),
                "description": dimension.description,
            }
            for dimension in dictionary.dimensions.values()
        ],
        "variants": [{"variant": item.name, "description": item.description} for item in VARIANTS.values()],
        "roles": [_role(policy) for policy in dictionary.policies.values()],
        "not measured": [_unmeasured(concept) for concept in dictionary.unmeasured.values()],
    }


def _unmeasured(concept: Unmeasured) -> dict[str, Any]:
    return {
        "concept": concept.name,
        "label": concept.label,
        "description": concept.description,
        "waits for": concept.waits_for,
    }


def described(name: str, cube: Cube) -> dict[str, Any]:
    """One name: whatever has it.

    Raises:
        CubeError: nothing has it; with the near names.
    """
    dictionary = cube.dictionary
    kinds: tuple[tuple[Collection[str], Callable[[], dict[str, Any]]], ...] = (
        (dictionary.metrics, lambda: _metric(dictionary.metrics[name], dictionary)),
        (dictionary.subjects, lambda: _subject(dictionary.subjects[name], dictionary)),
        (dictionary.dimensions, lambda: _dimension(dictionary.dimensions[name])),
        (
            VARIANTS,
            lambda: {"variant": name, "description": VARIANTS[name].description, "asked as": f"net_sales.{name}"},
        ),
        (dictionary.levels, lambda: _level(name, cube)),
        (dictionary.policies, lambda: _role(dictionary.policies[name])),
        (dictionary.unmeasured, lambda: {"not measured yet": True} | _unmeasured(dictionary.unmeasured[name])),
    )
    for names, told in kinds:
        if name in names:
            return told()
    found(dict.fromkeys(chain.from_iterable(names for names, _ in kinds), 0), name, "name")
    raise CubeError(f"there is no name {name!r}")


def _variant(name: str) -> dict[str, Any]:
    return {"variant": name, "description": VARIANTS[name].description, "asked as": f"net_sales.{name}"}


def _subject(subject: Subject, dictionary: Dictionary) -> dict[str, Any]:
    return {
        "subject": subject.name,
        "description": subject.description,
        "metrics": [metric.name for metric in dictionary.metrics_of(subject)],
    }


def _dimension(dimension: Dimension) -> dict[str, Any]:
    return {
        "dimension": dimension.name,
        "description": dimension.description,
        "table": dimension.table,
        "levels": list(dimension.levels),
        "hierarchies": [" > ".join(order) for order in dimension.hierarchies.values()],
    }


def _metric(metric: Metric, dictionary: Dictionary) -> dict[str, Any]:
    measures = [dictionary.measure(name) for name in dictionary.measures_of(metric)]
    given = {key: value for key, value in metric.definition.items() if value is not None}
    return {
        "metric": metric.name,
        "label": metric.label,
        "subject": metric.subject,
        "description": metric.description,
        "unit": dictionary.unit(metric),
        "additive": dictionary.is_additive(metric),
        "type": metric.type,
        "definition": ", ".join(f"{key} = {value}" for key, value in given.items() if key != "type"),
        "measures": [f"{measure.name} = {measure.agg}({measure.expr})" for measure in measures],
        "facts": sorted({dictionary.sources[measure.source].fact for measure in measures}),
        "dimensions": dictionary.dimensions_of(metric),
        "formula's source": metric.formula_source,
    }


def _role(policy: Policy) -> dict[str, Any]:
    return {
        "role": policy.name,
        "sees": f"only where {policy.where}" if policy.where else "all rows",
        "cells of": f"{policy.min_customers} people or more" if policy.min_customers else "any number of people",
        "description": policy.description,
    }


def _level(name: str, cube: Cube) -> dict[str, Any]:
    level = cube.dictionary.level(name)
    dimension = cube.dictionary.dimensions[level.dimension]
    shown = f"coalesce({level.expr}, '(unknown)')" if level.is_text else level.expr
    members = cube.connection.execute(
        f"select count(*), min(member), max(member) from (select distinct {shown} as member from {dimension.table})"
    ).fetchall()[0]
    return {
        "level": name,
        "description": level.description,
        "type": level.data_type,
        "members": members[0],
        "from - to": f"{members[1]} - {members[2]}",
        "table": dimension.table,
    }
