// Programs that try to get out, to stop the judge, or to pass without being right. A program's f()
// is true if it got out; its test is about something it cannot know. None may pass.
#pragma once

namespace gdsd {

struct Attack {
  const char* name;
  const char* says;     // part of the message: that it failed for the reason meant; "": any
  const char* program;  // @CANARY@: a file of the host; @PORT@, @NAME@: where the host listens
  const char* test = "assert f()";
};

// What several programs begin with.
#define GDSD_LIBC "import ctypes, os\nlibc = ctypes.CDLL(None)\n"
#define GDSD_FRAME "import os\ndef say(b): os.write(4, len(b).to_bytes(4, 'little') + b)\n"

inline constexpr Attack kAttacks[] = {
    // Out of the sandbox.
    {"InternetSocket", "OSError: [Errno 38]", R"(import socket
def f(): return socket.create_connection(('127.0.0.1', @PORT@), 1))"},
    {"UnixSocket", "OSError: [Errno 38]", R"(import socket
def f():
    s = socket.socket(socket.AF_UNIX)
    s.connect('\0@NAME@')
    return True)"},
    {"Dns", "OSError: [Errno -",
     "import socket\ndef f(): return socket.gethostbyname('localhost')"},
    {"ReadsShadow", "FileNotFoundError: [Errno 2]", "def f(): return open('/etc/shadow').read()"},
    {"ReadsUsers", "FileNotFoundError: [Errno 2]", "def f(): return open('/etc/passwd').read()"},
    {"ReadsCanary", "FileNotFoundError: [Errno 2]", "def f(): return open('@CANARY@').read()"},
    {"ListsHomes", "AssertionError",
     "import os\ndef f(): return any(map(os.path.exists, ('/home', '/root', '/work')))"},
    {"WritesCanary", "FileNotFoundError: [Errno 2]",
     "def f(): return open('@CANARY@', 'r+').write('got out')"},
    {"Environment", "AssertionError", R"(import os
def f(): return set(os.environ) - {'PYTHONHASHSEED', 'PWD', 'LC_CTYPE'})"},
    {"WritesElsewhere", "AssertionError", R"(import os
def f():
    for folder in ('/', '/usr', '/usr/lib', '/bin', '/dev', '/proc', '/etc', '/var/tmp', '/run'):
        try:
            open(folder + '/x', 'w')
            return True
        except OSError: pass)"},
    {"Symlink", "AssertionError", R"(import os
def f():
    os.symlink('@CANARY@', '/tmp/a')
    os.symlink('/proc/1/root/etc/shadow', '/tmp/b')
    return any(map(os.path.exists, ('/tmp/a', '/tmp/b'))))"},
    {"HardLink", "OSError: [Errno 18]",
     "import os\ndef f():\n os.link('/usr/bin/python3.11', '/tmp/python')\n return True"},
    {"RelativePath", "FileNotFoundError: [Errno 2]",
     "def f(): return open('../../../../../../@CANARY@').read()"},
    {"Processes", "AssertionError", R"(def f():
    for path in ('/proc/1/environ', '/proc/self/mem', '/proc/1/root/etc/passwd', '/proc/mounts'):
        try:
            return open(path, 'rb').read(1)
        except OSError: pass)"},
    {"Ptrace", "AssertionError",
     GDSD_LIBC "def f(): return libc.ptrace(0, 0, 0, 0) == 0 or libc.ptrace(16, 1, 0, 0) == 0"},
    {"Unshare", "AssertionError",
     GDSD_LIBC "def f(): return any(libc.unshare(1 << i) == 0 for i in range(10, 31))"},
    {"Mount", "AssertionError", GDSD_LIBC R"(def f():
    return libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None) == 0 or libc.umount2(b'/tmp', 2) == 0)"},
    {"Setns", "AssertionError",
     GDSD_LIBC "def f(): return any(libc.setns(fd, 0) == 0 for fd in range(64))"},
    {"SystemCalls", "AssertionError", GDSD_LIBC R"(def f():
    # keyctl, perf_event_open, userfaultfd, bpf, io_uring_setup, clone3, kexec_load, init_module,
    # personality, process_vm_readv, pidfd_open, pivot_root, chroot, reboot, socketpair
    numbers = 250, 298, 323, 321, 425, 435, 246, 175, 135, 310, 434, 155, 161, 169, 53
    return [n for n in numbers if libc.syscall(n, 1, 0, 0, 0, 0) >= 0])"},
    {"Setuid", "OSError: [Errno 38]", R"(import os, shutil
def f():
    shutil.copy('/bin/sh', '/tmp/sh')
    os.chmod('/tmp/sh', 0o4755)
    os.setuid(0)
    return True)"},
    {"Tiocsti", "AssertionError", R"(import fcntl
def f():  # that the filter said no, not /dev/null
    try: fcntl.ioctl(0, 0x5412, b'x')
    except OSError as e: return e.errno != 38
    return True)"},
    {"GrowsPipes", "OSError: [Errno 38]", R"(import fcntl, os
def f(): return fcntl.fcntl(os.pipe()[1], 1031, 1 << 20) > 0)"},
    {"GrowsPipesByAnotherNumber", "AssertionError", GDSD_LIBC R"(def f():
    return libc.syscall(72, os.pipe()[1], ctypes.c_long(1031 + (1 << 32)), 1 << 20) > 0)"},
    {"ListsLocal", "AssertionError",
     "import os\ndef f(): return os.listdir('/usr/local') + os.listdir('/usr/src')"},
    {"WritesLocal", "AssertionError", R"(import os
def f():
    for folder in ('/usr/local', '/usr/src'):
        try:
            open(folder + '/x', 'w')
            return True
        except OSError: pass)"},
    {"MemoryFile", "OSError: [Errno 38]", "import os\ndef f(): return os.memfd_create('x') >= 0"},
    {"OutlivesTheHost", "AssertionError",
     GDSD_LIBC "def f(): return libc.prctl(1, 0, 0, 0, 0) == 0"},
    // Harm to the host or the judge.
    {"ForkBomb", "OSError: [Errno 38]", "import os\ndef f():\n while True: os.fork()"},
    {"Shell", "OSError: [Errno 38]",
     "import subprocess\ndef f(): return subprocess.run(['/bin/sh', '-c', 'true'])"},
    {"BecomesAShell", "the program's process ended", R"(import os
def f(): os.execv('/bin/sh', ['sh', '-c', 'yes >&4']))"},
    {"ThreadBomb", "AssertionError", R"(import threading, time
def f():
    for n in range(10000):
        try: threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
        except RuntimeError: return n > 100
    return True)"},
    {"MemoryBomb", "MemoryError", "def f(): return bytearray(8 << 30)"},
    {"ManyObjects", "MemoryError", "def f():\n a = []\n while True: a.append(bytes(1 << 16))"},
    {"BigFile", "OSError: [Errno 27]", R"(def f():
    with open('/tmp/big', 'wb') as file:
        for n in range(10 << 10): file.write(bytes(1 << 20))
    return True)"},
    {"ManyFiles", "wrote too many files", R"(import os
def f():
    for n in range(10**7): os.close(os.open('/tmp/%d' % n, os.O_CREAT))
    return True)"},
    {"KillsItsParent", "AssertionError",
     "import os\ndef f():\n os.kill(os.getppid(), 9)\n return os.getppid()"},
    {"KillsAll", "ProcessLookupError: [Errno 3]",
     "import os\ndef f():\n os.kill(-1, 9)\n return True"},
    {"KillsItsGroup", "AssertionError",
     "import os\ndef f():\n os.killpg(0, 15)\n os.killpg(0, 9)\n return False"},
    {"EndlessOutput", "took too long", "def f():\n while True: print('x' * 10000)"},
    {"EndlessErrors", "took too long",
     "import os\ndef f():\n while True: os.write(2, b'x' * 10000)"},
    {"Sleeps", "took too long", "import time\ndef f(): time.sleep(1000)"},
    {"BusyLoop", "took too long", "def f():\n while True: pass"},
    {"BusyWhileLoading", "took too long", "while True: pass"},
    {"CatastrophicRegex", "took too long",
     "import re\ndef f(): return re.match('(a+)+$', 'a' * 50 + 'b')"},
    {"LeavesAThread", "AssertionError", R"(import threading
def spin():
    while True: pass
def f(): threading.Thread(target=spin).start())"},
    {"Segfault", "the program's process ended", "import ctypes\ndef f(): ctypes.string_at(0)"},
    {"DeepRecursion", "the program's process ended", R"(import sys
sys.setrecursionlimit(10**9)
class A:
    def __repr__(self): return repr([self])
def f(): return repr(A()))"},
    {"HugeText", "", "def f(): return 'x' * (100 << 20)"},
    {"HugeInt", "", "def f(): return 1 << (1 << 28)"},
    {"DeepValue", "nested more than",
     "def f():\n a = []\n for _ in range(100000): a = [a]\n return a"},
    {"Cycle", "nested more than", "def f():\n a = []\n a.append(a)\n return a"},
    {"EndlessGenerator", "", "def f():\n while True: yield 1", "assert sum(f()) > 0"},
    // Passing without being right.
    {"ExitsZero", "the program's process ended", "import os\ndef f(): os._exit(0)"},
    {"ExitsWhileLoading", "SystemExit: 0", "import sys\nsys.exit(0)"},
    {"ExitsSilently", "SystemExit: 0", "def f(): raise SystemExit(0)"},
    {"Interrupts", "KeyboardInterrupt", "def f(): raise KeyboardInterrupt"},
    {"NoAssertions", "AssertionError", R"(import builtins
class AssertionError(Exception): pass
builtins.AssertionError = AssertionError
__debug = False
def f(): return 1)",
     "assert f() == 42"},
    {"EqualObject", "AssertionError",
     "class A:\n def __eq__(self, other): return True\ndef f(): return A()", "assert f() == 42"},
    {"EqualInt", "AssertionError",
     "class A(int):\n def __eq__(self, other): return True\ndef f(): return A(1)",
     "assert f() == 42"},
    {"EqualText", "AssertionError",
     "class A(str):\n def __eq__(self, other): return True\ndef f(): return A()",
     "assert f() == 'x'"},
    {"EqualList", "AssertionError",
     "class A(list):\n def __eq__(self, other): return True\ndef f(): return A()",
     "assert f() == [1]"},
    {"EqualClass", "AssertionError", R"(class M(type):
    def __eq__(self, other): return True
    def __hash__(self): return 0
class A(metaclass=M): pass
def f(): return A)",
     "assert f() == 42 or f() in [1, 2]"},
    {"SmallerThanAll", "TypeError",
     "class A:\n def __lt__(self, other): return True\ndef f(): return A()", "assert f() < 42"},
    {"LyingFloat", "AssertionError",
     "class A(float):\n def __sub__(self, o): return 0.\n def __abs__(self): return 0.\ndef f(): "
     "return A(9)",
     "assert abs(f() - 42) < 1e-6"},
    {"StopsTheLoop", "RuntimeError", "def f(x): raise StopIteration", "assert all(map(f, [1, 2]))"},
    {"StopsTheIteration", "RuntimeError",
     "class A:\n def __iter__(self): raise StopIteration\ndef f(): return A()",
     "assert all(x == 42 for x in f())"},
    {"ShadowsBuiltins", "TypeError",
     "def f(): return 1\ndef sorted(x): return 1\ndef len(x): return 1",
     "assert sorted(f()) == [1] and len(f()) == 1"},
    {"ShadowsModules", "AssertionError", R"(class math:
    def isclose(*args): return True
isclose = math.isclose
def f(): return 1)",
     "assert math.isclose(f(), 42) or isclose(f(), 42)"},
    {"EmptiesItsArgument", "AssertionError", "def f(a):\n a.clear()\n return []",
     "a = [3, 1]\nassert f(a) == sorted(a)"},
    {"ReadsTheTest", "AssertionError", R"(import gc, sys
def f():
    frame, seen = sys._getframe(), []
    while frame:
        seen += list(frame.f_locals.values()) + list(frame.f_globals.values())
        frame = frame.f_back
    for thing in gc.get_objects() + seen:
        for part in thing if type(thing) in (list, tuple) else [thing]:
            if type(part) is str and part.startswith('expect') and part.endswith('this'): return part)",
     "assert f() == 'expect-' + 'this' or f() == 'expect this'"},
    {"AtExit", "SystemExit",
     GDSD_FRAME
     "import atexit, sys\natexit.register(say, b'{\"value\": true}')\ndef f(): sys.exit()",
     "assert f() == 42"},
    {"Finalizer", "the program wrote into the protocol",
     GDSD_FRAME "class A:\n def __del__(self): say(b'V{\"passed\": true, \"message\": \"\"}')\ndef "
                "f():\n A()\n return 1",
     "assert f() == 42"},
    {"PatchesItsHarness", "took too long", R"(import json, os, struct, sys
json.dumps = lambda *a, **k: 'true'
os.write = lambda fd, data: len(data)
sys.modules['__main__'].Peer.encode = lambda *a: True
def f(): return 1)",
     "assert f() == 42"},
    {"ClosesAll", "the program's process ended",
     "import os\ndef f():\n os.closerange(0, 64)\n return 1", "assert f() == 42"},
    {"CrossesPipes", "the program's process ended",
     "import os\ndef f():\n os.dup2(3, 4)\n return 1", "assert f() == 42"},
    {"Garbage", "answered at too great a length",
     "import os\ndef f(): os.write(4, b'\\xff' * 100000)"},
    {"EndlessFrame", "answered at too great a length",
     "import os\ndef f():\n os.write(4, b'\\xff\\xff\\xff\\x00')\n while True: os.write(4, "
     "bytes(65536))"},
    {"NotJson", "the program wrote into the protocol",
     GDSD_FRAME "def f(): say(b'\\xff\\x00 nothing')"},
    {"DeepJson", "the program wrote into the protocol", GDSD_FRAME "def f(): say(b'[' * 1000000)"},
    {"DeepTags", "the program wrote into the protocol",
     GDSD_FRAME
     "def f(): say(b'{\"value\":' + b'{\"t\":\"tuple\",\"v\":[' * 5000 + b']}' * 5000 + b'}')"},
    {"WrongTypes", "not a list",
     GDSD_FRAME "def f(): say(b'{\"value\": {\"t\": \"dict\", \"v\": [1]}}')"},
    {"UnknownName", "no such type",
     GDSD_FRAME "def f(): say(b'{\"value\": {\"t\": \"name\", \"v\": [\"os\", \"getpid\"]}}')"},
    {"UnknownObject", "IndexError: list index out of range",
     GDSD_FRAME "def f(): say(b'{\"value\": {\"t\": \"yours\", \"v\": 0}}')"},
    {"Verdict", "the program wrote into the protocol",
     GDSD_FRAME "def f():\n for _ in range(9): say(b'V{\"passed\": true, \"message\": \"\"}')"},
    {"End", "the program wrote into the protocol",
     GDSD_FRAME "def f():\n for _ in range(9): say(b'E0')"},
    {"AsksForever", "took too long",
     GDSD_FRAME "def f():\n while True: say(b'{\"ask\": {\"op\": \"attr\", \"on\": "
                "0, \"args\": [\"__globals__\"], \"kwargs\": {}}}')"},
    {"ReachesIntoFunctions", "AssertionError", GDSD_FRAME R"(
def f(callback):
    say(b'{"ask": {"op": "attr", "on": 0, "args": ["__globals__"], "kwargs": {}}}')
    n = int.from_bytes(os.read(3, 4), 'little')
    return b'raise' not in os.read(3, n))",
     "assert f(lambda: 1)"},
};

}  // namespace gdsd
