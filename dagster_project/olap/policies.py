"""What a role is held to: a condition on every row it reads, and how few people a cell may be of.

Policies are declared in the semantic model `sales` (`policies`) and come with each release. They guard what is asked
through the cube, not the file: see docs/policies.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.olap.conditions import Condition, read_conditions
from dagster_project.olap.dictionary import CubeError, Dictionary, Policy, Source, found


@dataclass(frozen=True)
class Restriction:
    """A policy whose condition is read: `conditions` must all hold, beside those of the question."""

    policy: Policy
    conditions: tuple[Condition, ...]

    def over(self, source: Source) -> tuple[Condition, ...]:
        """The conditions on the rows of a source.

        Raises:
            CubeError: its rows can't be told by them, so which of them the role may see is not known.
        """
        for condition in self.conditions:
            for level in condition.levels:
                if level.dimension not in source.entities:
                    raise CubeError(
                        f"role {self.policy.name} sees only rows where {self.policy.where},"
                        f" and {source.name} ({source.fact}) can't be told by {level.name}",
                        remedy=f"ask for metrics of facts that have a {level.dimension}",
                    )
        return self.conditions


def restriction(role: str, dictionary: Dictionary) -> Restriction | None:
    """What a role is held to; nothing for no role.

    Raises:
        CubeError: there is no such role, with the near ones; or its condition is none.
    """
    if not role:
        return None
    policy = found(dictionary.policies, role, "role")
    # each text is read by itself, so no OR of a question's own condition reaches into this one
    return Restriction(policy, read_conditions((policy.where,) if policy.where else (), dictionary))
