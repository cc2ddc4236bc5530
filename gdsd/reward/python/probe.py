"""What must fail inside: run by the self-test. Raises AssertionError that names what did not."""

import os


def fails(what, *args):
    try:
        what(*args)
    except (OSError, ImportError, AttributeError):
        return True
    return False


def open_socket():
    import _socket

    _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)


assert os.getuid() != 0 and os.getpid() == 1, "a user and a process tree of its own"
assert not os.path.exists(CANARY), "the host's files are out of sight"
assert not any(map(os.path.exists, ("/etc/passwd", "/home", "/root", "/proc/1", "/sys/class"))), "no system files"
assert set(os.environ) <= {"PYTHONHASHSEED", "PWD", "LC_CTYPE"}, "no environment"
assert fails(open_socket), "no sockets"
assert fails(os.fork), "no processes"
assert all(fails(open, p + "/probe", "w") for p in ("/", "/usr", "/usr/lib", "/dev")), "nothing writable but /tmp"
open("/tmp/probe", "w").write("x")
os.unlink("/tmp/probe")
