"""The commands of `purigeom models`."""

from typing import Annotated

import typer

application = typer.Typer(
    help="Published networks: what is known of them, where they are, how they get here.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="A name that `purigeom models list` shows.")]


@application.command(name="list")
def list_() -> None:
    """Show every published network: its kind, where it is and its licence."""
    from purigeom import models

    typer.echo(models.listed())


@application.command()
def show(name: Name) -> None:
    """Show all that is known of a network, and whether what lies here is what was published."""
    from purigeom import models

    typer.echo(models.shown(models.published(name)))


@application.command()
def fetch(name: Name) -> None:
    """Bring a network into the models folder (PURIGEOM_MODELS, or data_cache/models) and check it."""
    from purigeom import fetching, models

    typer.echo(fetching.fetched(models.published(name)))
