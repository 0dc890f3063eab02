# SPDX-License-Identifier: GPL-2.0-only
"""
The workers of a kernel that stays open: started when they are needed, and left alone by a forked child.
"""

from __future__ import annotations

import os
import threading
from weakref import WeakSet

from .pool import Pool


class Workers:
    """
    The worker processes of one kernel. They are the children of the process that started them: one that is forked off
    forgets them, and starts its own when it needs some.

    :ivar lock: held by the thread that uses them
    """

    def __init__(self, objects: list[tuple[str, str]]) -> None:
        """Start none yet; they will load *objects*, given by path and sha256."""
        self.lock = threading.RLock()
        self._objects = objects
        self._pool: Pool | None = None
        _every_workers.add(self)

    def pool(self) -> Pool:
        """Return the workers, started now if there are none. The caller holds the lock."""
        if self._pool is None:
            self._pool = Pool(len(os.sched_getaffinity(0))).__enter__()
            try:
                self._pool.load(self._objects)
            except BaseException:
                self.close()
                raise
        return self._pool

    def close(self) -> None:
        """End them, if there are any."""
        with self.lock:
            if self._pool is not None:
                self._pool.__exit__()
            self._pool = None

    def forget(self) -> None:
        """Have none, in a process that was forked off."""
        # Another thread of the parent may have held the lock; the parent's processes are not ours to end.
        self.lock = threading.RLock()
        _inherited.append(self._pool)
        self._pool = None


_every_workers: WeakSet[Workers] = WeakSet()
_inherited: list[Pool | None] = []


def _forget_workers() -> None:
    for workers in list(_every_workers):
        workers.forget()


os.register_at_fork(after_in_child=_forget_workers)
