"""The judge: runs the tests, in a process that never runs the program.

Names of the program are proxies of the player's objects; calls go to the player and come back as plain
data. Every job is done by a fork of this process, so that no test sees another's traces.
"""

import ast
import json
import resource

# What tests take from the standard library, sometimes without importing it themselves.
MODULES = (
    "math cmath re random string collections itertools functools heapq bisect operator copy json"
    " datetime time statistics fractions decimal typing sys array"
).split()
FUNCTIONS = {
    "math": "isclose sqrt pi inf ceil floor gcd factorial",
    "collections": "Counter defaultdict deque OrderedDict namedtuple",
    "fractions": "Fraction",
    "decimal": "Decimal",
    "copy": "deepcopy",
    "functools": "reduce",
    "itertools": "permutations combinations product chain",
    "typing": "List Dict Tuple Set Optional Any Union",
}


def trusted_names():
    """By name, what is the judge's own even if the program defines it: else a program could redefine
    the `sorted` that a test compares with."""
    names = {n: getattr(builtins, n) for n in dir(builtins)}
    names.update((m, __import__(m)) for m in MODULES)
    for module, functions in FUNCTIONS.items():
        names.update((n, getattr(names[module], n)) for n in functions.split())
    return names


def names_wanted(tree):
    """The names that a test reads and does not make itself."""
    nodes = list(ast.walk(tree))
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    made = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    made |= {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    made |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    for n in nodes:
        if isinstance(n, (ast.Import, ast.ImportFrom)):
            made |= {(a.asname or a.name).split(".")[0] for a in n.names}
    return read - made


def namespace_of(wanted, offered, trusted):
    """The program's names for one test. A trusted name is the program's only where it is all that the
    test asks of the program: `assert sum(10, 15) == 6` about a program that defines `sum`."""
    out = {"__name__": "test"}
    shared = wanted & offered.keys()
    out.update((n, offered[n]) for n in shared - trusted.keys())
    special = shared & trusted.keys()
    if len(shared) == 1 and special:
        out.update((n, offered[n]) for n in special)
    else:
        out.update((n, trusted[n]) for n in special)
    return out


class HoldArguments(ast.NodeTransformer):
    """Arguments are not copied back within an assertion that reads a name twice: in
    `assert f(a) == sorted(a)` a program that empties `a` and returns [] would be right."""

    def visit_Assert(self, node):
        names = [n.id for n in ast.walk(node.test) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        called = [n.func.id for n in ast.walk(node.test) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
        if not any(names.count(n) > 1 for n in set(names) - set(called)):
            return node
        hold = ast.withitem(context_expr=ast.Name(id=" hold", ctx=ast.Load()))
        return ast.copy_location(ast.With(items=[hold], body=[node]), node)


class Hold:
    def __init__(self, peer):
        self.peer = peer

    def __enter__(self):
        self.peer.no_copy_back += 1

    def __exit__(self, *_):
        self.peer.no_copy_back -= 1


def compiled(source, name):
    tree = ast.parse(source)
    wanted = names_wanted(tree)
    tree = ast.fix_missing_locations(HoldArguments().visit(tree))
    return wanted, compile(tree, name, "exec")


def of_error(error):
    name, said = description(error)
    return (name + ": " + said if said else name)[:300]


def report(kind, content):
    write_frame(kind + json.dumps(content).encode())


def receive():
    """What the player says. b"X": it is gone."""
    frame = read_frame()
    if frame[:1] != b"A":
        os._exit(1)
    try:
        message = json.loads(frame[1:])
    except (ValueError, RecursionError) as error:
        raise Unknown("the program wrote into the protocol") from error
    if type(message) is not dict:
        raise Unknown("the program wrote into the protocol")
    return message


def serve_function(peer):
    def answer(op, number, args, kwargs):
        function = peer.mine[number]
        if op != "call" or type(function) is not FUNCTION:
            raise TypeError("functions of a test can be called, nothing else")
        return function(*args, **kwargs)

    return answer


def run_tests(job, trusted):
    tests = []
    for i, source in enumerate(job["tests"]):
        try:
            tests.append(compiled(source, "<test %d>" % i))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            tests.append((set(), "the test is no Python: " + of_error(error)))
    peer = Peer(lambda message: report(b"C", message), receive, None, False)
    peer.serve = serve_function(peer)
    names = sorted(set().union(*(wanted for wanted, _ in tests)))
    try:
        offered = peer.ask("load", 0, [job["program"], names])
        if type(offered) is not dict:
            raise Unknown("the program wrote into the protocol")
        error = None
    except BaseException as e:
        error = of_error(e)
    report(b"B", None)
    for wanted, code in tests:
        said = error
        if said is None and type(code) is str:
            said = code
        if said is None:
            try:
                exec(code, {" hold": Hold(peer), **namespace_of(wanted, offered, trusted)})
            except BaseException as e:
                said = of_error(e)
        report(b"V", {"passed": said is None, "message": said or ""})


def parse(source):
    """What stands in a program, without running it."""
    try:
        return "program" if ast.parse(source).body else "empty"
    except SyntaxError:
        return "syntax"
    except BaseException:
        return "other"


def judge(limits):
    def limit(names):
        for name, value in limits:
            if name in names:
                resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))

    limit({name for name, _ in limits} - {"CPU"})
    os.dup2(1, 2)
    trusted = trusted_names()
    write_frame(b"{}")  # ready
    while True:
        frame = read_frame()
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            write_frame(b"E%d" % status)
            continue
        try:
            limit({"CPU"})
            if frame[:1] == b"P":
                report(b"S", parse(json.loads(frame[1:])))
            else:
                run_tests(json.loads(frame[1:]), trusted)
        except BaseException:
            os._exit(2)
        os._exit(0)
