"""Runs a command under which no limit on the size of files can be set.

qemu makes a file in memory of /proc/self/cmdline, which ONNX Runtime reads, and the agent's worker may write none.
A board has no such need, so the limit stays as it is, and the emulated board goes without.
"""
import ctypes
import os
import struct
import sys

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
X86_64, PRLIMIT64, FILE_SIZE = 0xC000003E, 302, 1
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, ARCHITECTURE, RESOURCE, NEW_LIMIT = 0, 4, 24, 32  # offsets in struct seccomp_data
SUCCEED_WITHOUT_CALL, ALLOW = 0x00050000, 0x7FFF0000

# (code, jump if equal, jump if not, operand); the jumps lead to ALLOW, the last line.
program = [
    (LOAD, 0, 0, ARCHITECTURE), (EQUAL, 0, 7, X86_64),
    (LOAD, 0, 0, NUMBER), (EQUAL, 0, 5, PRLIMIT64),
    (LOAD, 0, 0, RESOURCE), (EQUAL, 0, 3, FILE_SIZE),
    (LOAD, 0, 0, NEW_LIMIT), (EQUAL, 1, 0, 0),
    (RETURN, 0, 0, SUCCEED_WITHOUT_CALL), (RETURN, 0, 0, ALLOW),
]
instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
fprog = struct.pack("HxxxxxxP", len(program), ctypes.addressof(instructions))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(SET_SECCOMP, FILTER, fprog):
    sys.exit(f"arm64-files: prctl failed: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[1], sys.argv[1:])
