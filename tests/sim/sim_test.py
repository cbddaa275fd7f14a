#!/usr/bin/env python3
"""The simulated SEV host under programs that are not coffer, and under coffer.

sim_test.py list                      names of the cases
sim_test.py --build DIR CASE...       run them; 77: skipped, and why
"""
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time

from sim_env import PATIENCE, Skip, check, Client, launch, secret, main

NOBODY = 65534


def whole_launch(env, *options, **kw):
    c = Client(env, *env.state, *options, **kw)
    report = launch(env, c)
    out = env.good(env.owner, "verify", "--tik", "vm_tik.bin", "--firmware", "fw", *report)
    check("VERIFIED" in out, out)
    bad = env.run(env.owner, "verify", "--tik", "vm_tik.bin", "--firmware", "chain", *report)
    check(bad.returncode == 1, f"another firmware was accepted: {bad.stdout}")
    want = secret(env, c, report)
    scrambled = c.ok("peek 131072 64")
    c.ok("finish")
    check(want in c.ok("peek 131072 64"), "the secret is not there")
    check((want in scrambled) != ("--scramble" in options), f"before the end: {scrambled}")
    check(c.ok("gstatus").endswith("state 3"), "it does not run")
    return c


def owner(env):
    """session, launch, verify, secret, and a thread that does it"""
    said = whole_launch(env, client=["-t"]).end()
    check("SIMULATED" in said, said)


def scramble(env):
    """launched memory is encrypted meanwhile, and plain afterwards"""
    whole_launch(env, "--scramble").end()


def touched(env):
    """a monitor that writes to launched memory is caught"""
    c = Client(env, *env.state, "--scramble")
    launch(env, c)
    c.ok("poke 8200 1", "finish")
    said = c.end(65)
    check("1 launched pages were written to" in said, said)


def not_root(env):
    """without root: an own user namespace; locked memory is limited"""
    if os.getuid() == 0:
        os.chmod(env.tmp, 0o777)
        gid = os.stat("/dev/kvm").st_gid
        prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", f"--groups={gid}",
                  "prlimit", "--memlock=2097152:2097152"]
    else:
        prefix = ["prlimit", "--memlock=2097152:2097152"]
    if env.run(*prefix, "unshare", "--user", "true").returncode:
        raise Skip("no user namespaces without root here")
    c = whole_launch(env, prefix=prefix)
    c.ok("close", "vm", "init", "start 1", "mem 4194304")
    c.fails("reg", "ENOMEM")
    c.ok("reg 0 2097152")
    c.fails("update 0 4096", "ENOMEM")
    c.end()


def refused(env):
    """what a real platform refuses, with the same errno and status"""
    c = Client(env, *env.state)
    start = env.session(c, 1)
    c.ok("vm")
    c.fails("finish", "ENOTTY")
    c.fails("reg 0 4096", "ENOTTY")
    c.fails("vm 2", "EINVAL")
    c.ok("vm", "init", "mem 1048576")
    c.fails("init", "EINVAL")
    c.fails("update 0 4096", "EBADF")
    c.fails(start.replace("start 1", "start 3"), "EIO", 0x0B)
    c.fails("start 1 vm_session vm_godh", "EIO", 0x04)
    c.fails("start 0x40", "EIO", 0x16)
    c.fails("start 5", "EIO", 0x0D)
    c.fails("start 0x38010001", "EIO", 0x07)
    c.fails("start 1 vm_godh.b64 vm_session.b64", "EIO", 0x04)
    c.ok(start)
    c.fails("finish", "EIO", 0x02)
    c.fails("secret 0 chain chain", "EINVAL")
    c.fails("update 8 16", "EIO", 0x09)
    c.fails("update 0 17", "EIO", 0x04)
    c.fails("update 0x400000000000 4096", "ENOMEM")
    c.fails("vmsa", "ENOTTY")
    check(c.fails("measure 47", "EIO", 0x04).endswith(" 48"), "no length")
    c.ok("update 0 4096", "measure")
    c.fails("update 0 4096", "EIO", 0x02)
    env.write("hdr", bytes(52))
    env.write("data", bytes(32))
    env.write("large", bytes(16400))
    c.fails("secret 0 hdr data", "EIO", 0x0B)
    c.fails("secret 4080 hdr data", "EINVAL")
    c.fails("secret 0 hdr large", "EINVAL")
    c.fails("secret 0 data data", "EIO", 0x04)
    c.ok("finish")
    c.fails("secret 0 hdr data", "EIO", 0x02)
    c.fails("dbg 0 4096 16", "EIO", 0x07)
    c.fails("op 8", "EIO", 0x15)
    c.fails("op 22", "EINVAL")
    c.fails("pekgen", "EIO", 0x01)
    c.fails("reset", "EBUSY")
    c.ok("closesev")
    c.fails("gstatus", "EBADF")
    c.ok("close", "sev ro")
    c.fails("pdhgen", "EPERM")
    c.end()


def keys(env):
    """keys are kept, and change; an old session is refused then"""
    c = Client(env, *env.state)
    start = env.session(c, 1)
    first = c.ok("id")
    c.end()
    c = Client(env, *env.state)
    c.ok("sev")
    check(c.ok("id") == first, "another platform")
    c.ok("vm", "init", start, "close", "pdhgen", "vm", "init")
    c.fails(start, "EIO", 0x0B)
    c.ok("close", "reset")
    check("state 0" in c.ok("pstatus"), "not reset")
    c.ok("vm", "init")
    check("state 1" in c.ok("pstatus"), "not started by KVM")
    c.end()
    other = Client(env)
    other.ok("sev")
    check(other.ok("id") != first, "the same platform without its file")
    other.end()


def corrupted(env):
    """a damaged state file is refused, and left as it is"""
    env.good(env.sim, *env.state, "--", "true")
    with open(env.path("plat.sim"), "rb") as f:
        good = f.read()
    for name, data in (("cut", good[:-1]), ("bit", good[:999] + b"!" + good[1000:]),
                       ("empty", b""), ("text", b"hello\n")):
        path = env.write(name, data)
        p = env.run(env.sim, "--state", path, "--", "touch", "started")
        check(p.returncode == 66 and name in p.stderr, f"{name}: {p.returncode} {p.stderr}")
        check(not os.path.exists(env.path("started")), "the command was started")
        with open(path, "rb") as f:
            check(f.read() == data, "the file was changed")
    check(sorted(os.listdir(env.tmp)) == ["bit", "cut", "empty", "plat.sim", "text"], "litter")


def leaf(env):
    """the leaf of CPUID: offered, hidden from guests unless they shall see it"""
    c = Client(env, *env.state, "--asids", "15", "--es-asids", "4")
    c.ok("vm", "vcpu 0")
    check(c.ok("types") == "0", "VM types of later kernels")
    check(c.ok("leaf") == "0xa 0x33 0xf 0x5", "leaf")
    c.fails("leaf short", "E2BIG")
    check(c.ok("leaf set") == "0x0 0x0 0x0 0x0", "the guest is told")
    check(c.ok("cat /sys/module/kvm_amd/parameters/sev") == b"Y\n".hex(), "parameter")
    c.end()
    c = Client(env, *env.state, "--cbit-alias", "--no-es")
    c.ok("vm", "vcpu 0")
    found = c.ok("leaf set").split()
    check(found[0] == "0x2" and 32 <= int(found[1], 16) < 52, f"{found}")
    check(c.ok("cat /sys/module/kvm_amd/parameters/sev_es") == b"N\n".hex(), "parameter")
    c.end()
    c = Client(env, "--no-sev")
    c.ok("vm")
    c.fails("probe", "ENOTTY")
    c.fails("init", "ENOTTY")
    c.end()


def es(env):
    """SEV-ES: the registers are part of the measurement"""
    found = set()
    for rip in (0x1000, 0x2000, 0x1000):
        c = Client(env, *env.state)
        start = env.session(c, 5)
        c.ok("vm", "esinit", start, "mem 65536", "vcpu 0", f"regs 0 {rip}", "vcpu 1", "update 0 4096",
             "vmsa")
        c.fails("vmsa", "EINVAL")
        digest = c.ok("measure", "attest")[32:96]
        found.add((rip, digest))
        c.ok("finish")
        c.end()
    check(len(found) == 2 and len({d for _, d in found}) == 2, f"{found}")


def count(pid):
    """Open descriptors and resident kilobytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        rss = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    return len(os.listdir(f"/proc/{pid}/fd")), rss


def many(env):
    """500 launches in one process leave nothing behind, with 2 ASIDs"""
    c = Client(env, *env.state, "--asids", "4", "--es-asids", "2", "--guests", "2")
    c.ok("sev")
    for i in range(500):
        c.ok("vm", "esinit" if i % 2 else "init", f"start {5 if i % 2 else 1}", "mem 65536", "reg",
             "update 0 65536", "measure", "finish", "close")
        if i == 99:
            before = count(c.p.pid)
    after = count(c.p.pid)
    check(c.ok("pstatus").endswith("guests 0"), "guests are left")
    check(after[0] == before[0], f"descriptors: {before[0]}, then {after[0]}")
    sanitized = b"__asan" in open(env.sim, "rb").read()
    check(sanitized or after[1] <= before[1] + 512, f"KiB: {before[1]}, then {after[1]}")
    c.ok("vm", "init", "start 1")
    first = Client(env, *env.state)  # a second simulator is another host
    first.ok("sev")
    check(first.ok("pstatus").endswith("guests 0"), "shared guests")
    first.end()
    c.end()
    print(f"many: 500 launches, {after[0]} descriptors, {before[1]} -> {after[1]} KiB")


STEPS = {
    "PLATFORM_STATUS": "pstatus", "PEK_GEN": "pekgen", "PDH_GEN": "pdhgen", "PEK_CSR": "csr x",
    "SEV_INIT": "init", "LAUNCH_START": "start 1", "LAUNCH_UPDATE_DATA": "update 0 4096",
    "LAUNCH_MEASURE": "measure 48", "LAUNCH_FINISH": "finish", "GUEST_STATUS": "gstatus",
    "ATTESTATION": "attest", "LAUNCH_SECRET": "secret 0 hdr data",
}


def faults(env):
    """every code at every command, and then it works as if nothing had been"""
    codes = [*range(1, 0x29), 0x30, 0x31, 0x32, 0x33, 0x3A]
    env.write("hdr", bytes(52))
    env.write("data", bytes(32))
    n = 0
    for command, line in STEPS.items():
        rules = [f"--fault={command}:{i + 1}={code:#x}" for i, code in enumerate(codes)]
        c = Client(env, *env.state, *rules, "--fault=REG_REGION:1=ENOMEM")
        c.ok("sev", "vm", "mem 65536")
        for before in ("init", "start 1", "update 0 4096", "measure 48", "finish"):
            if before == line or (command in ("PEK_GEN", "PEK_CSR") and before == "start 1"):
                break
            if command in ("PLATFORM_STATUS", "PDH_GEN", "GUEST_STATUS") and before == "measure 48":
                break
            if command == "LAUNCH_SECRET" and before == "finish":
                break
            c.ok(before)
            if before == "init":
                c.fails("reg", "ENOMEM")
                c.ok("reg")
        for code in codes:
            c.fails(line, "EIO", code)
            n += 1
        if command != "LAUNCH_SECRET":
            c.ok(line)
        c.ok("close")
        check(c.ok("pstatus").endswith("guests 0"), f"{command}: a guest is left")
        c.end()
    print(f"faults: {n} answers of {len(STEPS)} commands")


def ends(env):
    """exit status, signals, and nothing left behind"""
    for status in (0, 1, 42, 64):
        p = env.run(env.sim, "--", "sh", "-c", f"exit {status}")
        check(p.returncode == status, f"{p.returncode}, not {status}")
    check(env.run(env.sim, "--", "/nonexistent").returncode == 127, "no such command")
    check(env.run(env.sim, "--", env.tmp).returncode == 126, "a directory")
    check(env.run(env.sim).returncode == 64, "nothing to run")
    check(env.run(env.sim, "--fault", "x", "--", "true").returncode == 64, "a bad fault")
    check(env.run(env.sim, "--", "sh", "-c", "kill -9 $$").returncode == 137, "killed")
    check(env.run(env.sim, "--", env.sim, "--", "true").returncode == 69, "a second one")
    late = env.run(env.sim, "--", "sh", "-c", "(sleep 0.3; cat /sys/module/kvm_amd/parameters/sev"
                   ">late) >/dev/null 2>&1 & exit 3")
    check(late.returncode == 3, f"{late}")
    with open(env.path("late"), encoding="ascii") as f:
        check(f.read() == "Y\n", "what the command left running is served, too")
    for sig, status in ((signal.SIGTERM, 5), (signal.SIGINT, 6)):
        script = "trap 'exit 5' TERM; trap 'exit 6' INT; echo ready; while :; do sleep 0.05; done"
        p = subprocess.Popen([env.sim, "--", "sh", "-c", script], stdout=subprocess.PIPE)
        check(p.stdout.readline() == b"ready\n", "not started")
        p.send_signal(sig)
        check(p.wait(timeout=PATIENCE) == status, f"{sig}: {p.returncode}")
    c = Client(env, "--trace", env.path("trace"))
    c.ok("sev", "vm")
    with open(env.path("trace"), encoding="ascii") as f:
        child = json.loads(f.readline())["tid"]
    c.p.kill()
    c.p.wait()
    deadline = time.monotonic() + PATIENCE
    while os.path.exists(f"/proc/{child}") and time.monotonic() < deadline:
        time.sleep(0.05)
    check(not os.path.exists(f"/proc/{child}"), "the command outlives a killed simulator")


def trace(env):
    """every line of the trace is JSON"""
    c = Client(env, *env.state, "--trace", "trace.json")
    launch(env, c)
    c.ok("finish")
    c.end()
    with open(env.path("trace.json"), encoding="ascii") as f:
        lines = [json.loads(line) for line in f]
    done = [e["command"] for e in lines if e.get("result") == 0 and "command" in e]
    for step in ("PDH_CERT_EXPORT", "SEV_INIT", "LAUNCH_START", "REG_REGION", "LAUNCH_UPDATE_DATA",
                 "LAUNCH_MEASURE", "LAUNCH_FINISH"):
        check(step in done, f"{step} is not in the trace: {done}")
    digest = hashlib.sha256(open(env.path("fw"), "rb").read()).hexdigest()
    check([e["digest"] for e in lines if "digest" in e] == [digest], f"digest: {digest}")


def monitor(env):
    """coffer itself, with its jail and its filters; as a user where users may make namespaces"""
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    may = subprocess.run([*user, "unshare", "--user", "true"], capture_output=True, check=False).returncode == 0
    for prefix in ([], ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                        f"--groups={os.stat('/dev/kvm').st_gid}"] if os.getuid() == 0 and may else []):
        p = env.run(*prefix, env.sim, "--", env.coffer, "run", "-k",
                    os.path.join(env.payloads, "exit_42.elf"), "--debug-exit", "-m", "16M")
        check(p.returncode == 42, f"{prefix}: {p.returncode}: {p.stderr}")


CASES = (owner, scramble, touched, not_root, refused, keys, corrupted, leaf, es, many, faults, ends,
         trace, monitor)

if __name__ == "__main__":
    sys.exit(main(CASES))
