"""A classifier behind a purifier, and what an attacker knows of it.

`Defended` is the random map itself. `knowledge` says which random configurations an attacker may ask, `gradients` which
derivatives it takes, and a `Target` answers its queries accordingly and counts them. `module` shows a target to attack
libraries as an ordinary `nn.Module`.
"""

from purigeom.defence.defended import Defended

__all__ = ["Defended"]
