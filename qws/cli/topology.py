"""`qws topology`."""

from __future__ import annotations

import click

from qws.app import ACTORS
from qws.runtime.actor import contract_of
from qws.runtime.topology import mermaid


@click.command()
def topology() -> None:
    """Who tells whom, as a Mermaid diagram, from the actors' annotations."""
    click.echo(mermaid([contract_of(actor) for actor in ACTORS]))
