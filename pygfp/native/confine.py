# SPDX-License-Identifier: GPL-2.0-only
"""
What compiled code may not ask of the system: a filter on the system calls of a worker.

A header's code runs with the rights of the user. Under the filter it can read files, compute, and crash; it can start
no process, signal no other, write, make and remove no file, and reach no network. Only x86-64 has it so far.
"""

from __future__ import annotations

import os
import platform
import struct
from typing import Any

# linux/audit.h, linux/seccomp.h, linux/prctl.h, linux/filter.h
_ARCH = 0xC000003E
_NO_NEW_PRIVS, _SECCOMP, _MODE_FILTER = 38, 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ERRNO, EPERM
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
#: System calls from here on are those of another ABI on the same machine.
_X32 = 0x40000000

#: By what they would do; numbers of arch/x86/entry/syscalls/syscall_64.tbl.
_REFUSED = {
    "start a process": (56, 57, 58, 59, 322, 435),
    "reach into another process": (101, 129, 297, 310, 311, 312, 424, 434, 438, 440, 141, 203),
    "reach the network, or the kernel by another way": (41, 53, 425, 298, 321, 323, 248, 249, 250),
    "share memory or messages": (29, 30, 64, 68, 240),
    "write, make, change or remove a file": (
        *(76, 77, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 132, 133, 188, 189, 190, 197, 198, 199, 235),
        *(258, 259, 260, 261, 263, 264, 265, 266, 268, 280, 285, 304, 316, 437, 452),
    ),
    "change the system": (
        155,
        161,
        163,
        164,
        165,
        166,
        167,
        168,
        169,
        170,
        171,
        175,
        176,
        179,
        227,
        246,
        272,
        308,
        313,
    ),
}
#: Flags of open() by which a file could be changed: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC.
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
#: open and openat, with the argument that holds the flags; kill, tkill, tgkill and prlimit64, whose first is a process.
_OPENS = ((2, 1), (257, 2))
_PROCESSES = (62, 200, 234, 302)


def confine(ffi: Any) -> bool:  # noqa: ANN401 - what cffi returns is untyped
    """
    Put the calling thread, and whatever it starts, under the filter for good; whether that was possible.

    :param ffi: knows ``prctl``
    """
    if platform.machine() != "x86_64":
        return False
    code = _program()
    instructions = ffi.new("char[]", code)
    # struct sock_fprog: the number of instructions, and where they are.
    program = ffi.new("unsigned long long[2]", [len(code) // 8, int(ffi.cast("unsigned long long", instructions))])
    address = int(ffi.cast("unsigned long long", program))
    prctl = getattr(ffi.dlopen(None), "prctl", None)
    # None: what was generated at install time is older than this file.
    return bool(prctl and prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and prctl(_SECCOMP, _MODE_FILTER, address, 0, 0) == 0)


def _program() -> bytes:
    """The filter as the kernel reads it: operation, where to go on if true and if false, and a number, each."""
    lines: list[tuple[int, int | str, int | str, int]] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_EQUAL, 0, "refuse", _ARCH),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, "refuse", 0, _X32),
    ]
    lines += [(_EQUAL, "refuse", 0, number) for numbers in _REFUSED.values() for number in numbers]
    for number, argument in _OPENS:
        lines += [(_EQUAL, 0, 2, number), (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)]
        lines += [(_ANY_BIT, "refuse", "allow", _WRITES)]
    for number in _PROCESSES:
        lines += [(_EQUAL, 0, 3, number), (_LOAD, 0, 0, _ARGUMENTS_AT), (_EQUAL, "allow", 0, 0)]
        lines += [(_EQUAL, "allow", "refuse", os.getpid())]
    places = {"allow": len(lines), "refuse": len(lines) + 1}
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]

    def jump(target: int | str, at: int) -> int:
        return target if isinstance(target, int) else places[target] - at - 1

    return b"".join(struct.pack("HBBI", op, jump(t, n), jump(f, n), k) for n, (op, t, f, k) in enumerate(lines))
