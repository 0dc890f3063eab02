# SPDX-License-Identifier: GPL-2.0-only
"""
Children that do not outlive their parent, however it ends.
"""

from __future__ import annotations

import _thread
import os
import select
import signal


def end_with_parent(fd: int) -> None:
    """
    Kill this process and its group as soon as nobody holds the other end of pipe *fd* any more.

    Code that never returns does not see the end of its input, and a signal on the death of the parent would come
    on the death of the thread that started us. For the leader of a process group; imports nothing that has to be read.
    """
    _thread.start_new_thread(_wait, (fd,))


def _wait(fd: int) -> None:
    watched = select.poll()
    watched.register(fd, 0)
    watched.poll()
    os.killpg(0, signal.SIGKILL)
