"""The commands that look after stores: `purigeom info`, `check` and `merge`."""

from typing import Annotated

import typer

application = typer.Typer()
Store = Annotated[str, typer.Argument(help="Folder or URL of a purigeom store.")]


@application.command()
def info(store: Store) -> None:
    """Say what a store holds and what is missing."""
    from purigeom import commands

    typer.echo(commands.contents(store))


@application.command()
def check(
    store: Store,
    repair: Annotated[
        bool, typer.Option("--repair", help="Drop what is broken, so that the next run answers it again.")
    ] = False,
    again: Annotated[
        float, typer.Option(metavar="SHARE", help="Measure this share of the finished units again, and compare.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Which units are measured again.")] = 0,
) -> None:
    """Read a store again, byte by byte; fail if anything is damaged, or is not what is measured now.

    What is measured again is built from what the store says of it. Objects of your own are not asked, and do not fail;
    from Python, `purigeom.rechecking.measured_again(store, share, known=[...])` takes them.
    """
    from purigeom import upkeep

    said, harm = upkeep.repaired(store) if repair else upkeep.checked(store)
    typer.echo(said)
    for line, differs in upkeep.asked_again(store, again, seed) if again and not harm else ():
        typer.echo(line)
        harm = harm or differs
    raise typer.Exit(code=1 if harm else 0)


@application.command()
def merge(
    target: Annotated[str, typer.Argument(help="Folder or URL of the store that grows.")],
    sources: Annotated[list[str], typer.Argument(help="Stores whose answers it gets.")],
) -> None:
    """Bring the answers of several stores into one; refuse if they contradict each other."""
    from purigeom import upkeep

    typer.echo(upkeep.merged(target, sources))
