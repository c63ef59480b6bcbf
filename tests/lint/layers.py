#!/usr/bin/env python3
"""The rules that a script can check: which layer may include which, who owns which power, names,
sizes, mutable data, no sleep in tests. `layers.py OBJECTS` (a folder of objects of src/).

The tables below are the rules; the README's map of the tree follows them.
"""

import pathlib
import re
import subprocess
import sys

# A folder may include its own headers and those of the folders named here.
LAYERS = {
    "base": set(),
    "net": {"base"},
    "plan": {"base"},
    "proc": {"base", "plan"},
    "stage": {"base", "plan", "net", "proc"},
    "server": {"base", "plan"},
    "init": {"base", "plan", "proc", "server"},
    "cmd": {"base", "net", "plan", "proc", "stage", "server", "init"},
    "main": {"base", "plan", "cmd"},
}

# Who may call it; nobody else, and with no owner nobody at all.
POWERS = [
    ("setgroups setuid setgid setresuid setresgid capset", "proc/privs"),
    ("fork _Fork vfork clone posix_spawn posix_spawnp _exit _Exit", "proc/spawn"),
    ("execl execle execlp execv execve execvp execvpe fexecve execveat", "proc/spawn"),
    ("wait waitpid waitid wait3 wait4", "proc/reap"),
    ("kill killpg tgkill pidfd_send_signal", "proc/group proc/pidfd"),
    ("signalfd sigprocmask pthread_sigmask sigwaitinfo sigtimedwait", "proc/signals"),
    # The child's dispositions are put back to their defaults.
    ("sigaction signal", "proc/signals proc/spawn"),
    ("poll ppoll select pselect epoll_wait",
     "net/dial net/wire stage/command base/log base/fdio proc/spawn"),
    ("getaddrinfo", "net/dial"),
    ("socket connect", "net/dial proc/listen proc/twin proc/notify"),
    ("bind listen", "proc/listen proc/twin proc/notify"),
    ("openat unlinkat rmdir remove", "stage/tree init/state"),
    ("unlink rename", "stage/once_file init/state proc/listen"),
    ("utimensat futimens utime utimes", "stage/touch"),
    ("getenv secure_getenv environ setenv putenv", "plan/env"),
    ("mmap mprotect munmap", "base/arena"),
    ("clock_gettime gettimeofday time", "base/clock"),
    # The pause between two tries of a stage; PID 1 never pauses.
    ("nanosleep", "base/clock"),
    ("sleep usleep", ""),
    ("opendir", "stage/ports"),
    ("malloc calloc realloc free strdup strndup asprintf vasprintf getline fopen", ""),
    ("exit system popen strcpy strcat sprintf vsprintf atoi atol strtok gets sscanf", ""),
]
HEADERS = {"ini.h": "plan/inifile", "cap-ng.h": "proc/privs"}
MUTABLE = {"base/log", "base/arena"}
# The application of a test, whose answers have to be slow.
SLOW = {"tests/e2e/servers.py"}

FUNCTION_LINES = 60
FILE_LINES = {"src": 400, "include": 400, "tests": 500}
COLUMNS = 100

faults = []


def fault(where, text):
    faults.append(f"{where}: {text}")


def module_of(path):
    """src/plan/env.c and include/plan/env.h are both plan/env."""
    parts = path.with_suffix("").parts
    return "/".join(parts[1:])


def check_includes(path, modules):
    module = module_of(path)
    layer = module.split("/")[0]
    reached = modules.setdefault(module, set())
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path}:{number}"
        system = re.match(r"#\s*include\s*<([^>]+)>", line)
        if system and HEADERS.get(system[1], module) != module:
            fault(where, f"<{system[1]}> belongs to src/{HEADERS[system[1]]}.c")
        own = re.match(r'#\s*include\s*"([^"]+)"', line)
        if not own:
            continue
        other = own[1].removesuffix(".h")
        if not pathlib.Path("include", own[1]).exists():
            fault(where, f'"{own[1]}" is no header of include/ (name the folder)')
        elif other.split("/")[0] not in LAYERS[layer] | {layer}:
            fault(where, f"{layer}/ may not include {other.split('/')[0]}/")
        if other != module:
            reached.add(other)


def reach(modules, start):
    found, todo = set(), [start]
    while todo:
        for other in modules.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def check_rings(modules):
    """Modules that include each other, over however many steps; each ring is told once."""
    told = set()
    for module in sorted(modules):
        ring = {other for other in reach(modules, module) if module in reach(modules, other)}
        if ring and not ring & told:
            fault(module, "a ring of includes: " + ", ".join(sorted(ring)))
            told |= ring


def symbols(folder, module):
    """(name, class, section) of each symbol of one object."""
    command = ["nm", "-f", "sysv", f"{folder}/{module}.o"]
    listing = subprocess.run(command, text=True, capture_output=True)
    if listing.returncode != 0:
        fault(f"src/{module}.c", "has no object to look at")
    for line in listing.stdout.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 7:
            yield cells[0], cells[2], cells[6]


def plain_name(name):
    """What the source called: __poll_chk is poll, open64 is open."""
    name = name.split("@")[0]
    if name.startswith("__"):
        name = re.sub(r"^__(isoc99_)?(\w+?)(_chk|_2)?$", r"\2", name)
    return name.removesuffix("64")


def check_object(folder, module):
    owners = {name: who.split() for names, who in POWERS for name in names.split()}
    stem = module.split("/")[-1]
    for name, kind, section in symbols(folder, module):
        called = plain_name(name)
        if kind == "U" and module not in owners.get(called, [module]):
            who = " and ".join(owners[called]) or "nobody"
            fault(f"src/{module}.c", f"{called} belongs to {who}")
        if kind in "TRDBC" and name != "main" and not (name + "_").startswith(stem + "_"):
            fault(f"src/{module}.c", f"exports {name}, which does not begin with {stem}_")
        is_data = re.match(r"\.(data|bss|tdata|tbss)|\*COM\*", section)
        is_constant = section.startswith(".data.rel.ro")
        if is_data and not is_constant and kind in "dDbBC" and module not in MUTABLE:
            fault(f"src/{module}.c", f"{name} is mutable data at file scope")


def check_sizes(path):
    start = 0
    lines = path.read_text().splitlines()
    most = FILE_LINES[path.parts[0]]
    if len(lines) > most:
        fault(path, f"{len(lines)} lines, more than {most}")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            fault(f"{path}:{number}", f"{len(line)} columns, more than {COLUMNS}")
        if "TODO" in line or "FIXME" in line:
            fault(f"{path}:{number}", "a TODO: an issue is the place for it")
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > FUNCTION_LINES:
                fault(f"{path}:{start}", f"a function of {number - start - 1} lines")
            start = 0


def check_waiting(path):
    """`sleep` as a program to run is quoted there, and no call."""
    call = r"\b(time\.|asyncio\.)?u?sleep\(" if path.suffix in (".py", ".c") else r"^\s*sleep\s+[\d$]"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if re.search(call, line) and not re.search(r"""["'][^"']*u?sleep\(""", line):
            fault(f"{path}:{number}", "sleeps: wait for the event, with a deadline")


def main():
    folder = sys.argv[1]
    modules = {}
    sources = sorted(pathlib.Path("src").rglob("*.c"))
    own = sources + sorted(pathlib.Path("include").rglob("*.h"))
    for path in own:
        check_includes(path, modules)
        check_sizes(path)
    check_rings(modules)
    for path in sources:
        check_object(folder, module_of(path))
    for path in sorted(pathlib.Path("tests").rglob("*")):
        if path.suffix == ".c":
            check_sizes(path)
        if path.suffix in (".c", ".py", ".sh") and str(path) not in SLOW:
            check_waiting(path)
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
