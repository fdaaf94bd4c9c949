"""``python -m seismo``: what the client offers where no ``seismo`` is installed."""

from __future__ import annotations

import sys

from . import __version__, relay

HELP = f"""Seismo {__version__} for Python.

In a training script:
    import seismo
    run = seismo.init(name="gpt", total_steps=10_000)     writes runs/gpt-TIME.jsonl
    run.controls(lr=seismo.multiplier(optimizer))         what may be changed from the screen
    run.log({{"loss": loss}}, step=step)
    run.poll()                                            applies what was asked

Where Seismo is installed:
    seismo watch runs/gpt-TIME.jsonl                      the dashboard, with hands
    seismo control runs/gpt-TIME.jsonl set lr.multiplier 0.5

Here:
    python -m seismo relay PATH [--from BYTES]            a run's lines out, commands in

SEISMO=off in the environment turns the client off.
"""


def main(words: list[str]) -> int:
    if words[:1] == ["relay"]:
        return relay.main(words[1:])
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(HELP)
        return 0
    if words[0] in ("-V", "--version"):
        sys.stdout.write(f"{__version__}\n")
        return 0
    sys.stderr.write(f"seismo: no command '{words[0]}': there is relay; --help tells more\n")
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
