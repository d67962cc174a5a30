"""dbt in this process: one parse when the project changed, one build a load.

In process, because a dbt subprocess outlives a killed loader and keeps the write lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dagster_project.contract.contract import read_contract
from dagster_project.errors import ConfigurationError, LoadError
from dagster_project.settings import Settings
from dagster_project.warehouse.fingerprints import Manifest, due_tests, models, project_fingerprint, unfilled, unread
from dagster_project.warehouse.releases import DUCKDB, FILE, PII_FILE

# Holds the fingerprint of the project that was parsed.
MARK = "parsed"
# dbt's own manifest as dbt keeps it.
PARSED = "partial_parse.msgpack"


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test."""

    unique_id: str
    resource_type: str
    name: str
    status: str
    seconds: float
    message: str
    failures: int | None

    @property
    def ok(self) -> bool:
        return self.status in {"success", "pass", "warn"}


def staging_models(settings: Settings) -> str:
    """Canonical feed -> staging models of the enabled sources that fill it, found by file name, as JSON.

    Raises:
        ConfigurationError: a file is not named stg_<source>__<canonical feed>[__<part>].sql.
    """
    known = read_contract().feeds
    found: dict[str, list[str]] = {}
    for source in settings.enabled_sources:
        for path in sorted((settings.dbt_dir / "models" / "staging" / source).glob("stg_*.sql")):
            prefix, _, rest = path.stem.partition("__")
            feed = rest.partition("__")[0]
            if prefix != f"stg_{source}" or feed not in known:
                raise ConfigurationError(
                    f"{path}: {feed!r} is no canonical feed, so nothing would read the model",
                    remedy=f"name it stg_{source}__<feed of sources/contract.yml>.sql;"
                    f" a model that others of the source build on: base_{source}__<name>.sql",
                )
            found.setdefault(feed, []).append(path.stem)
    return json.dumps(found, sort_keys=True)


def environment(settings: Settings, build: Path | None) -> dict[str, str]:
    """What profiles.yml reads."""
    values = {
        "CLIENTELE_THREADS": str(settings.threads),
        "CLIENTELE_MEMORY_LIMIT": settings.memory_limit,
        "CLIENTELE_STAGING": staging_models(settings),
    }
    if build is not None:
        values["CLIENTELE_BUILD"] = str(build)
        values["CLIENTELE_SPILL"] = str(build.parent / "spill")
        personal = build.with_name(PII_FILE)
        values["CLIENTELE_PII"] = str(personal) if personal.exists() else ":memory:"
    return values


@contextlib.contextmanager
def _environ(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def manifest_path(settings: Settings) -> Path:
    """manifest.json of the project, parsed anew only if a file of it changed.

    A new home takes over what another home of this project parsed: 0.1 s instead of 3 s.
    """
    folder, now = _folder(settings), _fingerprint(settings)
    mark, path = folder / MARK, folder / "manifest.json"
    if path.exists() and mark.exists() and mark.read_text("utf-8") == now:
        return path
    shared = settings.dbt_dir / "target" / "parsed" / now[:16]
    if shared.exists():
        shutil.copytree(shared, folder, dirs_exist_ok=True)
        return path
    parse(settings)
    with contextlib.suppress(OSError):  # a project that can't be written to, or a second one that was faster
        _share(folder, shared)
    return path


def _share(folder: Path, shared: Path) -> None:
    """Keep a parse beside the project, whole or not at all; those of earlier versions of the project go."""
    shared.parent.mkdir(parents=True, exist_ok=True)
    for earlier in shared.parent.iterdir():
        shutil.rmtree(earlier, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(dir=shared.parent))
    for name in (MARK, PARSED, "manifest.json"):
        shutil.copy2(folder / name, draft)
    draft.rename(shared)


def read_manifest(settings: Settings) -> Manifest:
    loaded: Manifest = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
    return loaded


def left_out(settings: Settings, *, personal: bool, idle: Iterable[str] = ()) -> list[str]:
    """Names of models that a load does not run.

    Tables that are `idle`, and what no other table reads: canonical feeds without a fact yet, staging of sources that
    are not enabled. Without personal data in any enabled source also the models of `pii.duckdb`.
    """
    manifest = read_manifest(settings)
    apart = [] if personal else [node["name"] for node in models(manifest).values() if node["database"] == "pii"]
    return unread(manifest, idle) + sorted(apart)


def parse(settings: Settings, target: str = DUCKDB, more: Mapping[str, str] | None = None) -> Any:
    """Parse the project; unchanged files are taken from the last time. Returns dbt's own manifest.

    Parsed without variables and with the default build path: neither is part of what was parsed.

    Args:
        target: of profiles.yml. more: what that target reads there.

    Raises:
        ConfigurationError: the dbt project has an error; dbt's message is kept.
    """
    folder = _folder(settings) if target == DUCKDB else _folder(settings) / target
    folder.mkdir(parents=True, exist_ok=True)
    now = _fingerprint(settings)
    mark, parsed = folder / MARK, folder / PARSED
    if parsed.exists() and mark.exists() and mark.read_text("utf-8") == now:
        return _parsed_before(parsed)
    # dbt writes before the mark is: killed between, an older mark must not vouch for what it did not see
    mark.unlink(missing_ok=True)
    args = ["parse", "--target", target, "--target-path", str(folder), "--log-path", str(folder)]
    result = _invoke(settings, args, more=more)
    if not result.success:
        raise ConfigurationError(
            f"the dbt project has an error: {result.exception}", remedy=f"correct it; see {settings.dbt_dir}"
        )
    mark.write_text(now, encoding="utf-8")
    return result.result


def _parsed_before(path: Path) -> Any:
    """dbt's manifest from its file, as its parser reads it: 0.4 s, where dbt takes 2 s to find that nothing changed."""
    from dbt.contracts.graph.manifest import Manifest as DbtManifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    parsed = DbtManifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    parsed.build_flat_graph()
    parsed.build_parent_and_child_maps()
    return parsed


def build(
    settings: Settings,
    folder: Path,
    variables: dict[str, Any],
    on_node: Callable[[str, str, str], None] | None = None,
    *,
    target: str = DUCKDB,
    environment_of: Mapping[str, str] | None = None,
    schema_suffix: str = "",
) -> list[NodeResult]:
    """Run models and tests.

    Args:
        folder: the build's; holds warehouse.duckdb where that is the target, gets dbt's own files.
        variables: see dbt/README.md.
        on_node: called with (resource type, name, status) when a node has finished.
        target: of profiles.yml. environment_of: what that target reads there.
        schema_suffix: added to the name of every schema.

    Returns:
        One result a node, failed ones too.

    Raises:
        LoadError: dbt itself broke, the machine ran out of disk or memory, or a test that was due did not run.
    """

    def callback(event: Any) -> None:
        if on_node and event.info.name == "NodeFinished":
            node = event.data.node_info
            on_node(node.resource_type, node.node_name, node.node_status)

    # unit tests test the models' code, not the night's data: they run in the test suite
    args = ["build", "--exclude-resource-type", "unit_test", "--vars", json.dumps(variables), "--target", target]
    args += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    parsed = parse(settings, target, environment_of)
    _rename_schemas(parsed, schema_suffix)
    manifest = read_manifest(settings)
    excluded = left_out(settings, personal=bool(variables["pii"]), idle=unfilled(manifest) - set(variables["rebuild"]))
    args += ["--exclude", *excluded]
    file = folder / FILE if target == DUCKDB else None
    more = dict(environment_of or {}) | {"CLIENTELE_SCHEMA_SUFFIX": schema_suffix}
    result = _invoke(settings, args, file=file, manifest=parsed, callback=callback, more=more)
    if result.exception is not None:
        raise LoadError(
            f"dbt broke off: {result.exception}", remedy=f"see {folder / 'logs' / 'dbt.log'}"
        ) from result.exception
    # Excluding a model, dbt also drops other models' tests that read it: a test that did not run has not passed.
    if lost := due_tests(manifest, excluded) - {item.node.unique_id for item in result.result.results}:
        raise LoadError(
            f"dbt did not run {len(lost)} tests that were due: {', '.join(sorted(lost))}",
            remedy="this is a defect of Clientele: report it; the last release stays served",
        )
    return [
        NodeResult(
            unique_id=item.node.unique_id,
            resource_type=str(item.node.resource_type.value),
            name=item.node.name,
            status=str(item.status.value),
            seconds=item.execution_time,
            message=item.message or "",
            failures=item.failures,
        )
        for item in result.result.results
    ]


def _rename_schemas(parsed: Any, suffix: str) -> None:
    """Give the schemas the load's name: as a variable of the project it would make dbt parse anew (4 s each load)."""
    for node in (*parsed.nodes.values(), *parsed.sources.values()):
        renamed = f"{node.schema}{suffix}"
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f"{node.schema}.", f"{renamed}.", 1)
        node.schema = renamed


def _fingerprint(settings: Settings) -> str:
    return project_fingerprint(settings.dbt_dir, staging_models(settings), version("dbt-core"))


def _folder(settings: Settings) -> Path:
    return settings.home / "dbt"


def _invoke(
    settings: Settings,
    args: list[str],
    *,
    file: Path | None = None,
    manifest: Any = None,
    callback: Callable[[Any], None] | None = None,
    more: Mapping[str, str] | None = None,
) -> Any:
    from dbt.cli.main import dbtRunner

    runner = dbtRunner(manifest=manifest, callbacks=[callback] if callback else None)
    where = ["--project-dir", str(settings.dbt_dir), "--profiles-dir", str(settings.dbt_dir)]
    with _environ(environment(settings, file) | dict(more or {})):
        result = runner.invoke(["--quiet", "--log-level", "none", "--log-level-file", "info", *args, *where])
    if file is not None:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        # the adapter keeps the file open for the next invocation; nobody else could open or move it
        DuckDBConnectionManager.close_all_connections()
    if isinstance(result.exception, KeyboardInterrupt | SystemExit):
        raise result.exception  # dbtRunner swallows even these
    return result
