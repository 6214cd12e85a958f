"""Runs a command with what a unit of systemd forbids, as far as that needs no systemd.

``python sandbox.py JSON COMMAND...``: JSON has ``calls``, the system calls that are allowed, and ``families``,
the address families of sockets.
"""

import ctypes
import json
import os
import sys

ALLOW, REFUSE = 0x7FFF0000, 0x00050001
"""SCMP_ACT_ALLOW, and SCMP_ACT_ERRNO with EPERM. Source: seccomp.h."""
EQUAL = 4
"""SCMP_CMP_EQ."""
NO_NEW_PRIVILEGES, MEMORY_DENY_WRITE_EXECUTE = 38, 65
"""PR_SET_NO_NEW_PRIVS, PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN. Source: linux/prctl.h."""


class Compare(ctypes.Structure):
    """``struct scmp_arg_cmp``."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def confine(calls, families):
    seccomp, libc = ctypes.CDLL("libseccomp.so.2"), ctypes.CDLL(None)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(REFUSE))
    for name in calls:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if name == "socket":
            for family in families:
                only = Compare(0, EQUAL, family, 0)
                seccomp.seccomp_rule_add_array(context, ALLOW, number, 1, ctypes.byref(only))
        elif number >= 0:  # else it is a call of another architecture
            seccomp.seccomp_rule_add(context, ALLOW, number, 0)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.prctl(MEMORY_DENY_WRITE_EXECUTE, 1, 0, 0, 0)  # an older kernel does not know it
    if seccomp.seccomp_load(context) != 0:
        sys.exit("cannot load the filter")


if __name__ == "__main__":
    confine(**json.loads(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
