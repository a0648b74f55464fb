"""Tries to look into a process of the same user: neither its memory nor ptrace may be allowed.

usage: look.py PID
"""

import ctypes
import sys

PTRACE_ATTACH = 16

pid = int(sys.argv[1])
for name in ["mem", "environ", "maps"]:
    try:
        open(f"/proc/{pid}/{name}", "rb").close()
        sys.exit(f"{name} can be opened")
    except PermissionError:
        pass
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(PTRACE_ATTACH, pid, None, None) == 0:
    sys.exit("ptrace is allowed")
