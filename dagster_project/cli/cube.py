"""`clientele cube`: ask the cubes in the words of the metric dictionary."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagster_project.cli.output import AsJson, console, print_json, table

if TYPE_CHECKING:
    from dagster_project.olap.answer import Answer
    from dagster_project.olap.cube import Cube
    from dagster_project.olap.query import Query

app = typer.Typer(
    help="Slice, dice, drill, roll up and pivot: the same number as from the fact, at once.", no_args_is_help=True
)

Subject = Annotated[str, typer.Argument(help="What it is about; see: clientele cube list.")]
Metrics = Annotated[
    str,
    typer.Option(
        help="Metrics, separated by commas; varied like net_sales.year_over_year. Default: the subject's main ones."
    ),
]
By = Annotated[str, typer.Option(help="Levels, separated by commas: product.department,calendar.quarter.")]
Where = Annotated[
    list[str] | None,
    typer.Option(help="A condition over levels; repeat it, and all must hold: \"store.store_id = '367'\"."),
]
Order = Annotated[str, typer.Option(help="Columns to order by, separated by commas; - before one for descending.")]
Limit = Annotated[int, typer.Option(help="At most so many rows; 0 for all.", min=0)]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to a file: .csv, .json, .parquet or .arrow.")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")]
Role = Annotated[str | None, typer.Option(help="Role whose policy applies; default: CLIENTELE_ROLE.")]
At = Annotated[str, typer.Option(help="The level to start from; default: the last one of --by.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List subjects, metrics, dimensions with their levels, the words a metric can be varied by, and roles.

    Example: clientele cube list
    """
    from dagster_project.olap.describe import listed

    with _cube() as cube:
        found = listed(cube.dictionary)
    if as_json:
        print_json(found)
        return
    table("Subjects", found["subjects"])
    table("Metrics", found["metrics"], ["metric", "subject", "unit", "additive", "description"])
    table("Dimensions", found["dimensions"])
    table("Variants: METRIC.VARIANT", found["variants"])
    table("Roles", found["roles"])
    table("Not measured yet", found["not measured"], ["concept", "description", "waits for"])


@app.command()
def describe(
    name: Annotated[
        str, typer.Argument(help="A subject, metric, dimension, level, variant, role or concept not measured yet.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say what a name means: definition, unit, additivity, source of the formula, levels and hierarchies.

    Example: clientele cube describe average_order_value
    """
    from dagster_project.olap.describe import described

    with _cube() as cube:
        found = described(name, cube)
    if as_json:
        print_json(found)
        return
    for key, value in found.items():
        shown = ", ".join(str(item) for item in value) if isinstance(value, list) else value
        console.print(f"{key + ':':<18}{shown}", markup=False, soft_wrap=True)


@app.command()
def query(
    subject: Subject, metrics: Metrics = "", by: By = "", where: Where = None, order: Order = "", limit: Limit = 0,
    csv: AsCsv = False, output: Output = None, role: Role = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Metrics by levels, where conditions hold.

    Example: clientele cube query sales --metrics net_sales,buyers --by product.department --order -net_sales --limit 5
    """
    with _cube(role) as cube:
        _show(
            cube.ask(_question(cube, subject, metrics, by, where, order, limit)),
            csv=csv,
            output=output,
            as_json=as_json,
        )


@app.command("slice")
def slice_(
    subject: Subject,
    level: Annotated[str, typer.Option(help="The level that is held fast.")],
    member: Annotated[str, typer.Option(help="Its member.")],
    metrics: Metrics = "", by: By = "", where: Where = None, order: Order = "", limit: Limit = 0,
    csv: AsCsv = False, output: Output = None, role: Role = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Hold one member of a level fast.

    Example: clientele cube slice sales --level product.department --member GROCERY --by calendar.month
    """
    from dagster_project.olap.cube import holding

    with _cube(role) as cube:
        asked = _question(cube, subject, metrics, by, where, order, limit)
        _show(cube.ask(holding(asked, {level: [member]}, cube.dictionary)), csv=csv, output=output, as_json=as_json)


@app.command()
def dice(
    subject: Subject,
    members: Annotated[list[str], typer.Option(help="LEVEL=MEMBER,MEMBER; repeat it for further levels.")],
    metrics: Metrics = "", by: By = "", where: Where = None, order: Order = "", limit: Limit = 0,
    csv: AsCsv = False, output: Output = None, role: Role = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Keep several members of several levels.

    Example: clientele cube dice sales --members calendar.quarter=2017-Q1,2017-Q2 --by product.department --limit 5
    """
    from dagster_project.olap.cube import holding

    chosen: dict[str, list[Any]] = {}
    for text in members:
        level, equals, listed = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} is not LEVEL=MEMBER,MEMBER", param_hint="--members")
        chosen[level.strip()] = [member.strip() for member in listed.split(",")]
    with _cube(role) as cube:
        asked = _question(cube, subject, metrics, by, where, order, limit)
        _show(cube.ask(holding(asked, chosen, cube.dictionary)), csv=csv, output=output, as_json=as_json)


@app.command()
def drill(
    subject: Subject,
    by: Annotated[str, typer.Option(help="The levels of the question to drill from.")],
    member: Annotated[str, typer.Option(help="The member to look into.")],
    level: At = "", metrics: Metrics = "", where: Where = None, order: Order = "", limit: Limit = 0,
    csv: AsCsv = False, output: Output = None, role: Role = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Go one level down, into a member; the conditions stay.

    Example: clientele cube drill sales --by product.department --member GROCERY --metrics net_sales --limit 5
    """
    with _cube(role) as cube:
        asked = _question(cube, subject, metrics, by, where, order, limit)
        _show(cube.ask(cube.drill(asked, member, level)), csv=csv, output=output, as_json=as_json)


@app.command("rollup")
def roll_up(
    subject: Subject,
    by: Annotated[str, typer.Option(help="The levels of the question to roll up from.")],
    level: At = "", metrics: Metrics = "", where: Where = None, order: Order = "", limit: Limit = 0,
    csv: AsCsv = False, output: Output = None, role: Role = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Go one level up; what drilling held fast is let go.

    Example: clientele cube rollup sales --by product.category --metrics net_sales --limit 5
    """
    with _cube(role) as cube:
        asked = _question(cube, subject, metrics, by, where, order, limit)
        _show(cube.ask(cube.roll_up(asked, level)), csv=csv, output=output, as_json=as_json)


@app.command()
def pivot(
    subject: Subject,
    rows: Annotated[str, typer.Option(help="Levels of the rows, separated by commas.")],
    columns: Annotated[str, typer.Option(help="The level whose members are columns.")],
    metrics: Metrics = "", where: Where = None, csv: AsCsv = False, output: Output = None, role: Role = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Members of one level as columns.

    Example: clientele cube pivot sales --metrics net_sales --rows product.department --columns calendar.quarter
    """
    with _cube(role) as cube:
        answer = cube.ask(_question(cube, subject, metrics, f"{rows},{columns}", where, "", 0))
        if as_json or output is not None:
            _show(answer, csv=csv, output=output, as_json=as_json)
            return
        frame = answer.pivot(columns)
    flat = [" ".join(str(part) for part in reversed(name)) if isinstance(name, tuple) else str(name) for name in frame]
    frame.columns = flat
    frame = frame.reset_index()
    if csv:
        frame.to_csv(sys.stdout, index=False)
        return
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    table("", [{str(key): _plain(value) for key, value in record.items()} for record in records])


@app.command()
def explain(
    subject: Subject, metrics: Metrics = "", by: By = "", where: Where = None, order: Order = "", limit: Limit = 0,
    role: Role = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say which table answers, with which SQL, how many rows it reads, how long it takes, and how fresh it is.

    Example: clientele cube explain sales --metrics net_sales --by calendar.month
    """
    with _cube(role) as cube:
        found = cube.ask(_question(cube, subject, metrics, by, where, order, limit)).explain()
    if as_json:
        print_json(found)
        return
    for key, value in found.items():
        if key != "sql":
            shown = ", ".join(value) if isinstance(value, list) else value
            console.print(f"{key + ':':<14}{shown}", markup=False, soft_wrap=True)
    console.print(f"\n{found['sql']}", markup=False, soft_wrap=True)


@app.command()
def advise(
    limit: Annotated[int, typer.Option(help="At most so many rollups to add.", min=0)] = 5, as_json: AsJson = False
) -> None:
    """Say which rollups the questions asked so far would miss or could do without; it changes nothing.

    Example: clientele cube advise --limit 3
    """
    from dataclasses import asdict

    from dagster_project.olap.advise import advise as advised
    from dagster_project.settings import settings

    with _cube() as cube:
        advice = advised(cube, cube.log.read() if cube.log is not None else (), limit)
    if as_json:
        print_json(asdict(advice))
        return
    if not advice.questions:
        typer.echo(
            f"no questions are noted in {settings().home / 'queries'}: ask some, like clientele cube query sales"
        )
        return
    console.print(
        f"{advice.questions:,} questions ({advice.unknown:,} in names that are gone) made {advice.reads:,} reads of"
        f" {advice.rows_read:,} rows; with all additions {advice.rows_read_after:,}",
        soft_wrap=True,
    )
    table("Worth adding: sets of levels", [_flat(asdict(addition)) for addition in advice.additions])
    table("Can be dropped, one after another", [_flat(asdict(removal)) for removal in advice.removals])
    typer.echo(
        "Rollups are declared in dbt/models/semantic (`rollups`) and dbt/macros/cube.sql."
        " One that others are built from or checked against stays: see dbt/models/cubes."
    )


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Tuples as text, for a table."""
    return {
        name.replace("_", " "): ", ".join(value) if isinstance(value, tuple) else value
        for name, value in record.items()
    }


class _cube:
    """The served release's cube, closed at the end."""

    def __init__(self, role: str | None = None) -> None:
        self._role = role

    def __enter__(self) -> Cube:
        from dagster_project.olap.cube import Cube

        self._opened = Cube.open(role=self._role)
        return self._opened

    def __exit__(self, *_: object) -> None:
        self._opened.close()


def _question(
    cube: Cube, subject: str, metrics: str, by: str, where: list[str] | None, order: str, limit: int
) -> Query:
    from dagster_project.olap.query import Query

    main = cube.dictionary.subject(subject).defaults
    return Query.of(metrics or main, by, where or (), order, limit)


def _show(answer: Answer, *, csv: bool, output: Path | None, as_json: bool) -> None:
    if output is not None:
        answer.write(output)
        typer.echo(f"{answer.table.num_rows} rows -> {output}", err=True)
        return
    records = answer.records()
    if as_json:
        print_json(records)
    elif csv:
        answer.df().to_csv(sys.stdout, index=False)
    elif records:
        table(
            "", [{key: _plain(value) for key, value in record.items()} for record in records], answer.table.column_names
        )
    else:
        typer.echo("no cells; members are written as in: clientele cube query SUBJECT --by LEVEL")


def _plain(value: Any) -> Any:
    """Money to cents; whole numbers that pandas made floats, whole again."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(round(value, 2))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return round(value, 4) if isinstance(value, float) else value
