#!/usr/bin/python3
"""Runs payload guests under `coffer sim --mktme-profile` and reads the trace: which keys were
made, which memory they cover, and what is left.

mktme_test.py --coffer FILE --payloads DIR --late FILE --attack FILE CASE...   ("list" prints the cases)

--late and --attack are the monitors of tests/attack: one that encrypts too late, one that attacks.
Exit status 0 all passed, 1 a case failed, 77 skipped: no usable /dev/kvm, or no simulation.
"""
import argparse
import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid

from mktme_env import NUMBER, PATIENCE, PROFILE, RAM, Env, Guests, calls, check, expect, has_ended, in_use_at_end, wait_for

SYS_ADD_KEY, SYS_KEYCTL, SESSION = 248, 250, -3
CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


@case
def a_guest_runs_in_memory_under_its_own_key(e):
    p, trace = e.guest(PROFILE)
    expect(p, 42, "encrypted against physical attack; not protected from the host")
    added = calls(trace, "add_key")
    encrypted = calls(trace, "encrypt_mprotect")
    check(len(added) == 1 and added[0]["keyid"] == 1, trace)
    check(sum(t["len"] for t in encrypted) == RAM, encrypted)
    check({t["serial"] for t in encrypted} == {added[0]["serial"]}, encrypted)
    order = [t["call"] + ":" + t.get("command", "") for t in trace
             if t.get("serial") == added[0]["serial"]]
    wanted = ["add_key:", "keyctl:SET_TIMEOUT", "keyctl:SETPERM", "encrypt_mprotect:",
              "keyctl:INVALIDATE"]
    check([w for w in order if w in wanted] == wanted, order)
    check({t["tid"] for t in encrypted}.isdisjoint({t["tid"] for t in added}),
          "the process that made the key encrypted with it")
    check(not calls(trace, "request_key", ok=False), trace)
    # the one other call is the question whether there is such a type at all
    check(len(calls(trace, "add_key", ok=False)) == 2, trace)
    check(in_use_at_end(trace) == 0, trace)


@case
def three_kernels_take_what_is_documented(e):
    key = os.path.join(e.tmp, "key")
    with open(key, "w", encoding="ascii", opener=lambda n, f: os.open(n, f, 0o600)) as f:
        f.write("00112233445566778899aabbccddeeff f0e1d2c3b4a5968778695a4b3c2d1e0f\n")
    for profile, user in (("2018-12", 42), ("2019-05", 42), ("2019-07", 69)):
        for kind, status in (("cpu", 42), ("no-encrypt", 42), ("user,key-file=" + key, user)):
            p, trace = e.guest(["--mktme-profile", profile], f"syscall={NUMBER},type={kind}")
            expect(p, status, "takes no user keys" if status == 69 else "")
            check("00112233" not in p.stderr, "the key is in a message")
            check("encrypted against" in p.stderr or kind != "cpu", p.stderr)
            check("not encrypted" in p.stderr or kind != "no-encrypt", p.stderr)
            check(in_use_at_end(trace) == 0, (profile, kind, trace))


@case
def errors_have_a_message_a_status_and_leave_nothing(e):
    good = "syscall=" + NUMBER
    for sim, mktme, status, word in (
            ([], good, 69, "this kernel has no MKTME"),
            (PROFILE, "type=cpu", 64, "is not set"),
            (PROFILE, "syscall=436", 64, "close_range"),
            (PROFILE, "syscall=335", 64, "uretprobe"),
            (PROFILE, "syscall=428", 64, "open_tree"),
            (PROFILE, "syscall=434", 64, "pidfd_open"),
            (PROFILE, "syscall=0", 64, "syscall"),
            (PROFILE, "id=a b," + good, 64, "not a name"),
            (PROFILE, "share," + good, 64, "needs id="),
            (PROFILE, "syscall=600", 69, "no call at that number"),
            (PROFILE, "handle=-1," + good, 64, "handle"),
            (PROFILE, "handle=7," + good, 66, "no such key"),
            (PROFILE + ["--fault", "ADD_KEY=ENOKEY"], good, 75, "all MKTME KeyIDs"),
            (PROFILE + ["--fault", "ADD_KEY=EINVAL"], good, 69, "HMAT"),
            (PROFILE + ["--fault", "ENCRYPT_MPROTECT=EKEYREVOKED"], good, 75, "revoked"),
            (PROFILE + ["--fault", "ENCRYPT_MPROTECT=EKEYEXPIRED"], good, 75, "has expired"),
            (PROFILE + ["--fault", "ENCRYPT_MPROTECT=ENOKEY"], good, 75, "is gone"),
            (PROFILE + ["--fault", "ENCRYPT_MPROTECT=EACCES"], good, 77, "may not see"),
            (PROFILE + ["--fault", "ENCRYPT_MPROTECT=EINVAL"], good, 69, "type mktme"),
            (PROFILE, good + ",type=user,key-file=/nonexistent", 66, "No such file"),
            (PROFILE, good + ",type=user,key-command=exit 4", 66, "failed with status 4")):
        p, trace = e.guest(sim, mktme)
        expect(p, status, word)
        if sim:
            check(in_use_at_end(trace) == 0, (mktme, trace))


@case
def a_script_can_make_the_key(e):
    libc = ctypes.CDLL(None, use_errno=True)
    script = os.path.join(e.tmp, "script")
    with open(script, "w", encoding="ascii") as f:
        f.write(f"""import ctypes, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
text = b"type=cpu algorithm=aes-xts-128"
k = libc.syscall({SYS_ADD_KEY}, b"mktme", b"k1", text, len(text), {SESSION})
assert k > 0, ctypes.get_errno()
for i in range(2):
    r = subprocess.run(sys.argv[1:] + ["--mktme", "handle=%d,syscall={NUMBER}" % k])
    assert r.returncode == 42, r
""")
    run = e.run_cmd("exit_42", "x")
    p, trace = e.sim(PROFILE, sys.executable, script, *run[:-2])
    expect(p, 0)
    check(len(calls(trace, "add_key")) == 1, trace)
    check(not [t for t in trace if t.get("command") == "INVALIDATE"], trace)
    check(len({t["keyid"] for t in calls(trace, "encrypt_mprotect")}) == 1, trace)
    del libc


@case
def a_handle_that_is_no_use_is_refused(e):
    # a script makes a key, spoils it, and offers it: what coffer says, its status
    spoil = {
        "another type": (b"user", "", 66, "of type 'user'"),
        "another user": (b"mktme", f"libc.syscall({SYS_KEYCTL}, 4, k, 65534, -1)", 77, "belongs to user 65534"),
        "revoked": (b"mktme", f"libc.syscall({SYS_KEYCTL}, 3, k)", 66, "was revoked"),
        "expired": (b"mktme", f"libc.syscall({SYS_KEYCTL}, 15, k, 1); time.sleep(1.5)", 66, "has expired"),
        "invalidated": (b"mktme", f"libc.syscall({SYS_KEYCTL}, 21, k); time.sleep(0.5)", 66, "no such key"),
    }
    run = e.run_cmd("exit_42", "x")[:-2]
    for how, (kind, calls_, status, says) in spoil.items():
        script = os.path.join(e.tmp, "script")
        with open(script, "w", encoding="ascii") as f:
            f.write(f"""import ctypes, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
text = b"type=cpu algorithm=aes-xts-128"
k = libc.syscall({SYS_ADD_KEY}, {kind!r}, b"k1", text, len(text), {SESSION})
assert k > 0, ctypes.get_errno()
{calls_}
sys.exit(subprocess.run(sys.argv[1:] + ["--mktme", "handle=%d,syscall={NUMBER}" % k]).returncode)
""")
        p, trace = e.sim(PROFILE, sys.executable, script, *run)
        check(p.returncode == status and says in p.stderr, (how, p))
        check(not calls(trace, "encrypt_mprotect"), (how, trace))


@case
def a_name_is_for_those_who_share_it(e):
    g = Guests(e, PROFILE + ["--keyids", "3"])
    g.start(0, f"syscall={NUMBER},id=tenant,share")
    g.wait_running(0)
    g.start(1, f"syscall={NUMBER},id=tenant")
    wait_for(lambda: "id=tenant is in use" in g.text(1), g.text(1))
    g.start(2, f"syscall={NUMBER},id=other")
    g.wait_running(2)
    for i in (0, 2):
        g.end(i)
    trace = g.done()
    check(len(calls(trace, "add_key")) == 2, trace)
    check(in_use_at_end(trace) == 0, trace)


@case
def a_users_key_is_looked_at(e):
    key = os.path.join(e.tmp, "key")
    good = "00112233445566778899aabbccddeeff f0e1d2c3b4a5968778695a4b3c2d1e0f\n"
    mktme = f"syscall={NUMBER},type=user,key-file={key}"
    for text, mode, status, says in ((good, 0o644, 42, "others than its owner may read it; chmod 600"),
                                     (good, 0o600, 42, None), (good[:40], 0o600, 66, "not a key"),
                                     (good[:33] + good[:32], 0o600, 66, "not a key"), ("", 0o600, 66, "not a key")):
        with open(key, "w", encoding="ascii") as f:
            os.fchmod(f.fileno(), mode)
            f.write(text)
        p, trace = e.guest(["--mktme-profile", "2018-12"], mktme)
        expect(p, status, says or "")
        check(says or "others" not in p.stderr, p.stderr)
        check("00112233" not in p.stderr + json.dumps(trace), "the key is in a message or in the trace")
        check(in_use_at_end(trace) == 0, trace)
    p, trace = e.guest(["--mktme-profile", "2018-12"], f"syscall={NUMBER},type=user,key-command=sed -n 1p {key}.2")
    expect(p, 66, "key-command")
    with open(key, "w", encoding="ascii") as f:
        f.write(good)
    p, trace = e.guest(["--mktme-profile", "2018-12"], f"syscall={NUMBER},type=user,key-command=cat {key}")
    expect(p, 42)


@case
def without_the_capability_no_key_is_made(e):
    drop = ["setpriv", "--bounding-set", "-sys_admin,-sys_resource", "--inh-caps", "-sys_admin,-sys_resource", "--"]
    if os.getuid() != 0:
        raise Skip("not root: there is nothing to give up")
    p, trace = e.sim(PROFILE, *drop, *e.run_cmd("exit_42", "syscall=" + NUMBER, "--jail", "off"))
    expect(p, 77, "CAP_SYS_RESOURCE or CAP_SYS_ADMIN")
    check(not calls(trace, "add_key") and not calls(trace, "encrypt_mprotect", ok=False), trace)


@case
def three_keyids_are_three_guests_and_come_back(e):
    g = Guests(e, PROFILE + ["--keyids", "3"])
    for i in range(3):
        g.start(i, "syscall=" + NUMBER)
        g.wait_running(i)
    g.start(3, "syscall=" + NUMBER)
    wait_for(lambda: "all MKTME KeyIDs" in g.text(3), g.text(3))
    g.end(1)
    wait_for(lambda: e.trace()[-1].get("keyids_in_use", 0) == 2, "its KeyID did not come back")
    g.start(4, "syscall=" + NUMBER)
    g.wait_running(4)
    for i in (0, 2, 4):
        g.end(i)
    trace = g.done()
    check([t["keyid"] for t in calls(trace, "add_key")] == [1, 2, 3, 2], trace)
    check(in_use_at_end(trace) == 0, trace)


@case
def five_guests_of_a_tenant_share_a_keyid(e):
    g = Guests(e, PROFILE + ["--keyids", "3"])
    for i in range(5):
        g.start(i, f"syscall={NUMBER},id=tenant,share")
        g.wait_running(i)
    for i in range(4):
        g.end(i)
    wait_for(lambda: len([t for t in e.trace() if t["call"] == "exit"]) >= 4, "exits")
    check(e.trace()[-1].get("keyids_in_use", 0) == 1, e.trace()[-5:])
    g.end(4)
    wait_for(lambda: e.trace()[-1].get("keyids_in_use", 0) == 0, f"it stays: {e.trace()[-8:]}")
    trace = g.done()
    check(len(calls(trace, "add_key")) == 1, trace)
    check(len({t["tid"] for t in calls(trace, "encrypt_mprotect")}) == 5, trace)


def no_key_is_left():
    # the kernel takes the keyrings of a killed process down on its own time
    for _ in range(100):
        with open("/proc/keys", encoding="utf-8") as f:
            keys = f.read()
        if "coffer" not in keys:
            return
        time.sleep(0.1)
    raise AssertionError(f"a key is left:\n{keys}")


@case
def kills_at_random_moments_lose_no_keyid(e):
    # supervisor or monitor, after a random part of the time that a start takes here
    r = random.Random(1)
    g = Guests(e, PROFILE + ["--keyids", "3"])
    span = 0
    for name in ("cold", "warm"):
        begin = time.monotonic()
        g.start(name, "syscall=" + NUMBER)
        g.wait_running(name)
        span = 1.25 * (time.monotonic() - begin)
        g.end(name)
    for i in range(e.kills):
        g.start(i, "syscall=" + NUMBER)
        wait_for(lambda: os.path.exists(f"{g.log}.pid.{i}") and
                 open(f"{g.log}.pid.{i}", encoding="ascii").read().strip(), "no process", 0.0005)
        time.sleep(r.random() * span)
        victim = g.pid(i)
        if i % 2:
            try:
                with open(f"/proc/{victim}/task/{victim}/children", encoding="ascii") as f:
                    victim = int((f.read().split() or [victim])[0])
            except FileNotFoundError:
                pass
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if not has_ended(g.pid(i)):
            g.end(i)
    trace = g.done()
    check(in_use_at_end(trace) == 0, trace[-5:])
    made = {t["serial"] for t in calls(trace, "add_key")}
    encrypted = {t["serial"] for t in calls(trace, "encrypt_mprotect")}
    n_made, n_encrypted = len(made) - 2, len(encrypted) - 2  # but for those that were not killed
    check(n_made > 0 and n_encrypted > 0, "no start came so far")
    no_key_is_left()
    print(f"{e.kills} starts, each killed within {span:.2f} s: {e.kills - n_made} had no key yet, "
          f"{n_made - n_encrypted} a key and no memory under it, {n_encrypted} both; no KeyID and no key is left")


@case
def loading_before_encrypting_would_be_caught(e):
    # what is written first is lost: by a program that does it on purpose
    program = os.path.join(e.tmp, "wrong")
    with open(program, "w", encoding="ascii") as f:
        f.write(f"""import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
text = b"type=cpu algorithm=aes-xts-128"
k = libc.syscall({SYS_ADD_KEY}, b"mktme", b"k1", text, len(text), {SESSION})
m = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m[0:6] = b"kernel"
addr = ctypes.addressof(ctypes.c_char.from_buffer(m))
call = lambda: libc.syscall({NUMBER}, ctypes.c_void_p(addr), ctypes.c_size_t(8192), 3, k)
assert call() == 0, ctypes.get_errno()
assert m[0:6] == b"\\xa5" * 6, m[0:6]
m[0:6] = b"kernel"
assert call() == 0 and m[0:6] == b"kernel"   # the same again changes nothing
shared = mmap.mmap(-1, 8192)
addr = ctypes.addressof(ctypes.c_char.from_buffer(shared))
assert call() == -1 and ctypes.get_errno() == 22
""")
    p, _ = e.sim(PROFILE + ["--mktme-poison"], sys.executable, program)
    expect(p, 0)
    p, _ = e.guest(PROFILE + ["--mktme-poison"])
    expect(p, 42)


@case
def a_build_that_loads_the_kernel_before_encrypting_is_caught(e):
    # its guest finds poison where the kernel was: it crashes, or runs through it for ever
    for monitor, timeout, ends in ((e.late, "5", (80, 124)), (None, "60", (42,))):
        coffer = e.with_monitor(monitor) if monitor else e.coffer
        p, trace = e.sim(PROFILE + ["--mktme-poison"],
                         *e.run_cmd("exit_42", "syscall=" + NUMBER, "--timeout", timeout, coffer=coffer))
        check(p.returncode in ends, f"status {p.returncode}, expected one of {ends}: {p.stderr}")
        order = [t["call"] for t in trace]
        # the one before it only asks for a key that there is not
        late = order.index("encrypt_mprotect", order.index("KVM_CREATE_VM")) > order.index("KVM_CREATE_VCPU")
        check(late == bool(monitor), order)
        check(sum(t["len"] for t in calls(trace, "encrypt_mprotect")) == RAM, trace)


@case
def a_monitor_that_wants_a_key_is_killed(e):
    if os.environ.get("COFFER_SANITIZED"):
        raise Skip("a build with sanitizers has a longer list of calls; the release build is tested")
    coffer = e.with_monitor(e.attack)
    names = subprocess.run([e.attack, "list"], capture_output=True, check=True, text=True).stdout.splitlines()
    image = os.path.join(e.tmp, "image")
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    os.chmod(image, 0o666)
    for call in ("add_key", "request_key", "keyctl"):
        for kind, thread in enumerate(("main", "vcpu", "io")):
            ident = uuid.UUID(bytes=bytes([kind, names.index(call) + 1]) + b"\1" * 14)
            p, trace = e.sim(PROFILE, *e.run_cmd("idle", "syscall=" + NUMBER, "-d", image, "--uuid", str(ident),
                                                 "--timeout", "30", coffer=coffer))
            expect(p, 70, "killed (SIGSYS)")
            check("ATTACK" not in p.stderr, p.stderr)
            keys = [t for t in trace if t["call"] in ("add_key", "request_key", "keyctl")]
            check(len({t["tid"] for t in keys}) == 1, (thread, keys))  # the supervisor's
            check(in_use_at_end(trace) == 0, trace)
    no_key_is_left()


@case
def what_it_protects_from_is_said_everywhere(e):
    says = "encrypted against physical attack; not protected from the host"
    sock, status = os.path.join(e.tmp, "api"), os.path.join(e.tmp, "status.json")
    ask = f'''
{e.coffer} "$@" --api {sock} --status-file {status} & pid=$!
until {e.coffer} ctl {sock} status >{e.tmp}/shown 2>/dev/null && grep -q "state *running" {e.tmp}/shown; do
    kill -0 $pid || exit 1; sleep 0.05; done
{e.coffer} ctl --json {sock} status >{e.tmp}/shown.json
{e.coffer} ctl {sock} kill; wait $pid
{e.coffer} mktme status; {e.coffer} mktme keys; {e.coffer} doctor --json | grep -A3 mktme.kernel
true
'''
    p, _ = e.sim(PROFILE, "/bin/bash", "-c", ask, "x", *e.run_cmd("spin", "syscall=" + NUMBER, "--console", "none")[1:])
    expect(p, 0, "guest memory: " + says)
    check(p.stdout.count(says) >= 2, p.stdout)
    with open(os.path.join(e.tmp, "shown"), encoding="utf-8") as f:
        check("protection " + says in f.read(), "ctl status")
    with open(os.path.join(e.tmp, "shown.json"), encoding="utf-8") as f:
        check(json.load(f)["protection"] == says, "ctl --json status")
    with open(status, encoding="utf-8") as f:
        check(json.load(f)["protection"] == says, "status file")
    p = subprocess.run([e.coffer, "plan", "--protect", "mktme", "-k", "/dev/null"], capture_output=True, text=True)
    check(says in p.stdout, p)
    p = subprocess.run([e.coffer, "help", "run"], capture_output=True, text=True)
    check("not protected from the host" in " ".join(p.stdout.split()), p)


@case
def killed_at_every_step_nothing_is_left(e):
    # each step of a start, in either process, fails or is its last
    n = 0
    for who in ("supervisor", "monitor"):
        for kill in ("", ":kill"):
            for step in range(1, 60):
                os.environ["COFFER_FAULT"] = f"{who}:{step}{kill}"
                p, trace = e.guest(PROFILE + ["--keyids", "3"])
                del os.environ["COFFER_FAULT"]
                check(in_use_at_end(trace) == 0, (who, step, kill, p.stderr, trace))
                if p.returncode == 42:  # there are no more steps
                    break
                n += 1
            else:
                raise AssertionError(f"{who}: steps do not end")
    if not n:
        raise Skip("this build has no steps that fail (COFFER_FAULTS)")
    check(n > 20, f"{n} steps")
    no_key_is_left()


def forbid(numbers):
    """Kill this process, and what it starts, for a call of one of numbers (seccomp(2))."""
    class Filter(ctypes.Structure):
        _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8),
                    ("k", ctypes.c_uint32)]

    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_uint16), ("filter", ctypes.POINTER(Filter))]

    load, equal, ret, kill, allow = 0x20, 0x15, 0x06, 0x80000000, 0x7FFF0000
    code = [Filter(load, 0, 0, 0)]
    for n in numbers:
        code += [Filter(equal, 0, 1, n), Filter(ret, 0, 0, kill)]
    code.append(Filter(ret, 0, 0, allow))
    array = (Filter * len(code))(*code)
    program = Program(len(code), array)
    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_no_new_privs, pr_set_seccomp, mode_filter = 38, 22, 2
    check(libc.prctl(pr_set_no_new_privs, 1, 0, 0, 0) == 0, "no_new_privs")
    check(libc.prctl(pr_set_seccomp, mode_filter, ctypes.byref(program), 0, 0) == 0, "seccomp")


@case
def a_host_without_mktme_is_told_at_once_and_not_touched(e):
    # Under a filter that kills whoever makes a call that Linux does not have, or that has a
    # number of the patches. 436, close_range, is one that coffer makes for what it is.
    numbers = [335, 428, 434] + list(range(387, 424)) + list(range(470, 512)) + \
        list(range(548, 700)) + [int(NUMBER)]

    def run(*cmd):
        return subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                              text=True, preexec_fn=lambda: forbid(numbers))

    # the filter works
    libc_call = f"import ctypes; ctypes.CDLL(None).syscall({NUMBER})"
    check(run(sys.executable, "-c", libc_call).returncode == -signal.SIGSYS, "no filter")
    p = run(*e.run_cmd("exit_42", "syscall=" + NUMBER))
    if p.returncode == -signal.SIGSYS:
        raise AssertionError("a system call that Linux does not have was made")
    expect(p, 69, "this kernel has no MKTME")
    p = run(e.coffer, "mktme", "status")
    check(p.returncode == 69 and "no keys of type mktme" in p.stdout, p)
    p = run(e.coffer, "doctor")
    check(p.returncode in (0, 69) and "mktme.kernel" in p.stdout, p)
    check("mktme.syscall" not in p.stdout, p.stdout)
    p = run(e.coffer, "mktme", "release", "x")
    check(p.returncode == 66, p)


class Skip(Exception):
    """This host lacks what the case is about."""


def usable(e):
    try:
        with open("/dev/kvm", "rb+", buffering=0):
            pass
    except OSError as err:
        return f"/dev/kvm: {err.strerror}"
    p, _ = e.sim(PROFILE, "/bin/true")
    return "" if p.returncode == 0 else f"coffer sim: {p.stderr}"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--coffer")
    ap.add_argument("--payloads")
    ap.add_argument("--late", help="the monitor that encrypts too late")
    ap.add_argument("--attack", help="the monitor that attacks")
    ap.add_argument("--kills", type=int, default=25, help="starts that are killed")
    ap.add_argument("case", nargs="*")
    a = ap.parse_args()
    if a.case == ["list"]:
        print("\n".join(CASES))
        return 0
    status = 0
    for name in a.case or CASES:
        with tempfile.TemporaryDirectory() as tmp:
            os.mkdir(os.path.join(tmp, "case"))
            e = Env(a.coffer, a.payloads, os.path.join(tmp, "case"))
            e.kills, e.late, e.attack = a.kills, a.late, a.attack
            why = usable(e)
            if why:
                print(f"SKIPPED {name}: {why}")
                return 77
            try:
                CASES[name](e)
                print(f"passed {name}")
            except Skip as s:
                print(f"SKIPPED {name}: {s}")
                return 77
            except AssertionError as err:
                print(f"FAILED {name}: {err}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
