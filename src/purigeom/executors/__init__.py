"""Where units of work are done: in this process, in local worker processes, on Dask, in an array of Slurm jobs.

Each has a file of its own, which alone knows its engine and imports it when units are to be worked on.
"""

from purigeom.executors.dask import Dask
from purigeom.executors.flags import chosen
from purigeom.executors.local import Processes, in_process
from purigeom.executors.protocol import Executor, Lost
from purigeom.executors.slurm import Slurm

__all__ = ["Dask", "Executor", "Lost", "Processes", "Slurm", "chosen", "in_process"]
