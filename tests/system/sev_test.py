#!/usr/bin/env python3
"""Launches tiny guests under SEV and SEV-ES on the simulated platform, with this host's KVM.

sev_test.py --coffer FILE --payloads DIR CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped: no usable /dev/kvm, or too little may be locked.
"""
import base64
import json
import os
import resource
import struct
import subprocess
import sys
import time

from harness import PATIENCE, Skip, check, main

CASES = {}
MEMORY = "6M"  # with one command's chunk within the usual limit of 8 MiB
APPEND = "console=ttyS0"
GUID = "736869e5-84f0-4973-92ec-06879ce3da0b"
# Linux, include/uapi/linux/psp-sev.h: an independent copy of the names.
STATUS = """INVALID_PLATFORM_STATE INVALID_GUEST_STATE INVALID_CONFIG INVALID_LEN ALREADY_OWNED
INVALID_CERTIFICATE POLICY_FAILURE INACTIVE INVALID_ADDRESS BAD_SIGNATURE BAD_MEASUREMENT ASID_OWNED INVALID_ASID
WBINVD_REQUIRED DFFLUSH_REQUIRED INVALID_GUEST INVALID_COMMAND ACTIVE HWERROR_PLATFORM HWERROR_UNSAFE UNSUPPORTED
INVALID_PARAM RESOURCE_LIMIT SECURE_DATA_INVALID""".split()
ERRNO = "EPERM EIO EBADF ENOMEM EACCES EFAULT EBUSY ENODEV EINVAL ENOTTY ETIMEDOUT".split()
EXPLAINED = (64, 66, 69, 77)  # an operator's or the host's; never ours, never a signal


def case(f):
    CASES[f.__name__] = f
    return f


def bzimage(code=b"\xb0\x2a\xe6\xf4\xf4\xeb\xfd"):
    """A kernel whose entry runs @code, or writes 42 to the debug-exit port (Linux, boot.rst, "The Real-Mode Kernel
    Header")."""
    setup = bytearray(1024)
    setup[0x1F1] = 1
    struct.pack_into("<I", setup, 0x1F4, 4096 // 16)
    struct.pack_into("<H", setup, 0x1FE, 0xAA55)
    setup[0x200:0x206] = b"\xeb\x66HdrS"
    struct.pack_into("<HB", setup, 0x206, 0x20F, 0)
    setup[0x211] = 1
    struct.pack_into("<I", setup, 0x214, 0x100000)
    struct.pack_into("<II", setup, 0x22C, 0x7FFFFFFF, 0x1000)
    setup[0x234:0x236] = b"\x01\x0c"
    struct.pack_into("<HI", setup, 0x236, 1, 2047)
    struct.pack_into("<QI", setup, 0x258, 0x100000, 0x10000)
    return bytes(setup) + code.ljust(4096, b"\x90")


class Env:
    def __init__(self, coffer, _payloads, tmp):
        self.coffer, self.tmp = coffer, tmp
        os.chdir(tmp)
        soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        need = (6 + 1) << 20
        if hard != resource.RLIM_INFINITY and hard < need:
            raise Skip(f"only {hard} bytes may be locked (ulimit -H -l); {need} are needed")
        self.put("kernel", bzimage())
        self.put("initrd", os.urandom(3000))
        self.put("secret", b"not for the host\n")

    def put(self, name, data):
        with open(name, "wb") as f:
            f.write(data)

    def sim(self, *cmd, sim=(), **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([self.coffer, "sim", "--state", "platform", *sim, "--", self.coffer, *cmd],
                              capture_output=True, timeout=PATIENCE, text=True, **kw)

    def own(self, *cmd):
        return subprocess.run([self.coffer, *cmd], capture_output=True, timeout=PATIENCE, text=True,
                              stdin=subprocess.DEVNULL)

    def args(self, protect="sev", policy="1", session="vm", more=()):
        sev = f"policy={policy}"
        if session:
            sev += f",dh-cert={session}_godh.b64,session={session}_session.b64"
        return ["run", "--protect", protect, "--sev", sev, "--firmware", "none", "-k", "kernel", "-i", "initrd",
                "-a", APPEND, "-m", MEMORY, "--debug-exit", "--timeout", "60", *more]

    def chain(self):
        p = self.sim("sev", "export", "--full", "chain")
        check(p.returncode == 0, p.stderr)

    def session(self, policy="1", name="vm"):
        if not os.path.exists("chain"):
            self.chain()
        for end in ("godh.b64", "session.b64", "tik.bin", "tek.bin"):
            if os.path.exists(f"{name}_{end}"):
                os.unlink(f"{name}_{end}")
        p = self.own("owner", "session", "--simulated", "--name", name, "chain", policy)
        check(p.returncode == 0, p.stderr)

    def refused(self, status, says, *args, sim=()):
        p = self.sim(*args, sim=sim)
        check(p.returncode == status, f"exit status {p.returncode}, expected {status}: {p.stderr}")
        check(says in p.stderr, f"'{says}' is not in: {p.stderr}")

    def guests(self, sim=()):
        p = self.sim("sev", "status", "--json", sim=sim)
        check(p.returncode == 0, p.stderr)
        return json.loads(p.stdout)["guests"]


class Paused:
    """A guest that waits for its owner."""

    def __init__(self, e, protect="sev", policy="1", sim=(), more=()):
        self.e, self.sock = e, os.path.join(e.tmp, "api")
        self.p = subprocess.Popen(
            [e.coffer, "sim", "--state", "platform", *sim, "--", e.coffer,
             *e.args(protect, policy, more=["--paused", "--api", self.sock, *more])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        end = time.monotonic() + PATIENCE
        while True:
            r = self.ctl("measurement")
            if r.returncode == 0:
                break
            check(self.p.poll() is None, f"ended: {self.p.poll()}")
            check(time.monotonic() < end, f"no measurement: {r.stderr}")
            time.sleep(0.1)
        self.e.put("launch.json", r.stdout.encode())
        self.launch = json.loads(r.stdout)
        return self

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.terminate()
        self.p.communicate(timeout=PATIENCE)

    def ctl(self, *args):
        return self.e.own("ctl", self.sock, *args)

    def packet(self):
        p = self.e.own("owner", "secret", "--unverified", "--force", "--tik", "vm_tik.bin", "--tek", "vm_tek.bin",
                       "--launch", "launch.json", "--secret", f"{GUID}:secret", "header", "payload")
        check(p.returncode == 0, p.stderr)

    def verify(self, *change):
        return self.e.own("owner", "verify", "--tik", "vm_tik.bin", "--launch", "launch.json", "--firmware", "none",
                          *(change or ("-k", "kernel", "-i", "initrd", "-a", APPEND, "-m", MEMORY, "-c", "1")))

    def wait(self):
        out = self.p.communicate(timeout=PATIENCE)
        return self.p.returncode, out[1]


def whole(e, protect, policy, sim=()):
    e.session(policy)
    with Paused(e, protect, policy, sim) as g:
        check(g.launch["platform"] == "simulated", g.launch)
        p = g.verify()
        check(p.returncode == 0 and "VERIFIED" in p.stdout, p.stderr)
        g.packet()
        check(g.ctl("secret", "header", "payload").returncode == 0, "secret")
        check(g.ctl("resume").returncode == 0, "resume")
        status, err = g.wait()
    check(status == 42, f"exit status {status}: {err}")
    check("SIMULATED" in err, err)


@case
def sev_from_session_to_secret(e):
    whole(e, "sev", "1", ("--scramble",))


@case
def sev_es_from_session_to_secret(e):
    whole(e, "sev-es", "5", ("--scramble",))


@case
def without_a_session_it_says_so(e):
    p = e.sim(*e.args(session=None))
    check(p.returncode == 42 and "unattested" in p.stderr, p.stderr)
    p = e.sim(*e.args(session=None, policy="0"))
    check(p.returncode == 42 and "lacks nodbg" in p.stderr, p.stderr)


@case
def owners_files_that_are_wrong(e):
    e.session()
    e.session(name="other")
    raw = base64.b64decode(open("vm_session.b64", encoding="ascii").read())
    godh = base64.b64decode(open("vm_godh.b64", encoding="ascii").read())
    run = e.args()
    at = run.index("--sev") + 1

    def with_files(cert, session):
        run[at] = f"policy=1,dh-cert={cert},session={session}"
        return run

    e.put("raw.session", raw)
    e.put("raw.godh", godh)
    check(e.sim(*with_files("raw.godh", "raw.session")).returncode == 42, "raw bytes")
    e.refused(66, "swapped", *with_files("vm_session.b64", "vm_godh.b64"))
    e.put("cut", raw[:-1])
    e.refused(66, "127 bytes", *with_files("vm_godh.b64", "cut"))
    e.put("cut", godh[:-1])
    e.refused(66, "2083 bytes", *with_files("cut", "vm_session.b64"))
    e.put("pdh", open("chain", "rb").read()[2084:4168])
    e.refused(66, "PEK certificate", *with_files("pdh", "vm_session.b64"))
    e.refused(66, "BAD_MEASUREMENT", *with_files("other_godh.b64", "vm_session.b64"))
    e.put("damaged", raw[:70] + bytes([raw[70] ^ 1]) + raw[71:])
    e.refused(66, "BAD_MEASUREMENT", *with_files("vm_godh.b64", "damaged"))
    e.refused(66, "vm_tik.bin", *with_files("vm_godh.b64", "vm_tik.bin"))
    e.refused(66, "does not exist", *with_files("vm_godh.b64", "nowhere"))
    # for another policy, and for a platform that has new keys by now
    e.refused(66, "another policy", *e.args(policy="3"))
    check(e.sim("sev", "pdh-gen", "--yes").returncode == 0, "pdh-gen")
    e.refused(66, "another platform key", *e.args())
    check(e.guests() == 0, "guests are left")


@case
def policies_and_positions_that_are_wrong(e):
    e.session()
    e.refused(64, "reserved", *e.args(policy="0x41"))
    e.refused(64, "sev-es", *e.args(policy="5"))
    e.refused(64, "1.56", *e.args(policy="0x38010001"))
    e.refused(64, "cbitpos=40, but on this host it is 51", *e.args(policy="1,cbitpos=40"))
    e.refused(64, "reduced-phys-bits=7", *e.args(policy="1,reduced-phys-bits=7"))
    check(e.sim(*e.args(policy="1,cbitpos=51")).returncode == 42, "the right one")
    e.refused(69, "SEV", *e.args(), sim=("--no-sev",))
    e.refused(69, "SEV-ES", *e.args("sev-es", "5", session=None), sim=("--no-es",))
    e.refused(69, "ASIDs", *e.args(session=None), sim=("--fault", "SEV_INIT=EBUSY"))
    check(e.guests() == 0, "guests are left")


@case
def an_expected_digest_is_compared(e):
    e.session()
    with Paused(e) as g:
        digest = g.launch["plan_digest"]
    e.put("digest", (digest + "\n").encode())
    e.session()
    check(e.sim(*e.args(more=["--expect", digest])).returncode == 42, "the right digest")
    check(e.sim(*e.args(more=["--expect", "digest"])).returncode == 42, "in a file")
    wrong = ("0" if digest[0] != "0" else "1") + digest[1:]
    e.refused(66, digest, *e.args(more=["--expect", wrong]))
    e.refused(66, "64 hexadecimal digits", *e.args(more=["--expect", "kernel"]))


@case
def too_little_may_be_locked(e):
    p = e.sim(*e.args(session=None), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20)))
    if p.returncode == 42:
        raise Skip("this process may raise its limit of locked memory")
    check(p.returncode == 69, f"{p.returncode}: {p.stderr}")
    for number in ("7340032 bytes", "1048576 bytes"):
        check(number in p.stderr, p.stderr)


@case
def without_sev_no_limit_is_to_be_raised(e):
    if os.path.exists("/dev/sev"):
        raise Skip("there is /dev/sev here")
    p = subprocess.run([e.coffer, *e.args(session=None)], capture_output=True, timeout=PATIENCE, text=True,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20)))
    check(p.returncode == 69 and "/dev/sev does not exist" in p.stderr, p)


@case
def secrets_have_their_time_and_place(e):
    e.session()
    with Paused(e) as g:
        g.packet()
        data = base64.b64decode(open("payload", encoding="ascii").read())
        area = g.launch["secret"]["address"]

        def refused(says, *args):
            p = g.ctl("secret", *args)
            check(p.returncode != 0, f"accepted: {args}")
            check(says in p.stderr, f"'{says}' is not in: {p.stderr}")

        refused("multiple of 16", "header", "payload", "--address", str(area + 8))
        refused("kernel", "header", "payload", "--address", str(0x100000))
        refused("memory", "header", "payload", "--address", str(1 << 30))
        e.put("cut", data[:-16])
        refused("BAD_MEASUREMENT", "header", "cut")
        e.put("cut", data[:-1])
        refused("16", "header", "cut")
        e.put("long", bytes(16384 + 16))
        refused("16384", "header", "long")
        # over the end of its page, which need not be beside the next one
        refused("next to each other", "header", "payload", "--address", str(0x200000 + 4096 - 64))
        check(g.ctl("secret", "header", "payload").returncode == 0, "the packet itself")
        refused("already", "header", "payload")
        check(g.ctl("resume").returncode == 0, "resume")
        check(g.wait()[0] == 42, "the guest")
    p = g.ctl("secret", "header", "payload")
    check(p.returncode != 0, "after the end")


@case
def a_report_of_a_running_guest_verifies(e):
    """Over the owner's nonce, signed by the platform, of the content that was agreed; and over no other."""
    nonce = os.urandom(16).hex()
    e.put("kernel", bzimage(b"\xf4\xeb\xfd"))
    content = ["--firmware", "none", "-k", "kernel", "-i", "initrd", "-a", APPEND, "-m", MEMORY, "-c", "1"]

    def attestation(nonce, *more):
        return e.own("owner", "attestation", "--simulated", "--nonce", nonce, "--report", "report", *more, "chain")

    for protect, policy in (("sev", "1"), ("sev-es", "5")):
        e.session(policy)
        with Paused(e, protect, policy) as g:
            p = g.ctl("attestation", nonce)
            check(p.returncode == 75 and "waiting" in p.stderr, f"before it runs: {p}")
            g.packet()
            check(g.ctl("resume").returncode == 0, "resume")
            p = g.ctl("secret", "header", "payload")
            check(p.returncode == 75 and "running" in p.stderr, f"a secret after the launch was finished: {p}")
            p = g.ctl("attestation", nonce)
            check(p.returncode == 0, p.stderr)
            e.put("report", p.stdout.encode())
            check(json.loads(p.stdout)["digest"] == g.launch["plan_digest"], p.stdout)
            p = e.own("owner", "inspect", "report")
            check(f"nonce: {nonce}\n  launch digest: {g.launch['plan_digest']}\n" in p.stdout, p.stdout + p.stderr)
            p = attestation(nonce, *content)
            check(p.returncode == 0 and "VERIFIED" in p.stdout, p.stderr)
            p = attestation(os.urandom(16).hex(), *content)
            check(p.returncode == 1 and "another nonce" in p.stderr, p.stderr)
            p = attestation(nonce, *content[:-4], "-m", "8M")
            check(p.returncode == 1 and "other content" in p.stderr, p.stderr)
            p = g.ctl("attestation", "now")
            check(p.returncode == 64, p.stderr)
            check(g.ctl("kill").returncode == 0, "kill")
            g.wait()
    check(e.sim("sev", "reset", "--yes").returncode == 0, "reset")
    e.chain()
    p = attestation(nonce, *content)
    check(p.returncode == 1 and "not signed by the PEK" in p.stderr, "by keys of before the reset")


@case
def a_pause_that_nobody_can_end_is_refused(e):
    e.refused(64, "--api", *e.args(session=None, more=["--paused"]))


@case
def a_monitor_that_touches_launched_memory_is_caught(e):
    """A build with one mistake: a byte of a launched page is written once more (vmm/base/fault.h)."""
    if not os.environ.get("COFFER_FAULTS"):
        raise Skip("this build of coffer has no mistakes to switch on")
    e.put("kernel", bzimage(b"\xb0\x00\xe6\xf4\xf4\xeb\xfd"))  # status 0: the simulator's own is seen
    for protect, policy in (("sev", "1"), ("sev-es", "5")):
        args = e.args(protect, policy, session=None)
        check(e.sim(*args, sim=("--scramble",)).returncode == 0, "without the mistake")
        p = e.sim(*args, sim=("--scramble",), env={**os.environ, "COFFER_FAULT": "monitor:touch"})
        check(p.returncode == 65, f"{protect}: exit status {p.returncode}: {p.stderr}")
        check("1 launched pages were written to" in p.stderr, p.stderr)


@case
def launches_leak_nothing(e):
    """Four ASIDs, two of them for SEV-ES: a leak of one would end it. Descriptors and memory of the simulator, which
    stands for the host, do not grow either. A release makes 500 launches; with sanitizers, which take their time and
    look at each one, 100 do."""
    sanitized = os.environ.get("COFFER_SANITIZED")
    rounds = 25 if sanitized else 125
    count = ('ls /proc/$PPID/fd | wc -l >>fds; sed -n "s/VmRSS:[^0-9]*\\([0-9]*\\) kB/\\1/p" /proc/$PPID/status >>rss; ')
    script = ('launch() { "$C" run --protect $1 --firmware none -k kernel -i initrd -m 6M --debug-exit 2>>err; '
              '[ $? = 42 ] || exit 1; }; '
              f'i=0; while [ $i -lt {rounds} ]; do i=$((i + 1)); [ $i != {rounds // 5} ] || {{ {count}}}; '
              'launch sev; launch sev-es; launch sev; launch sev-es; '
              'done; ' + count + '"$C" sev status --json')
    p = subprocess.run([e.coffer, "sim", "--state", "platform", "--asids", "4", "--es-asids", "2", "--", "sh", "-c",
                        script], capture_output=True, text=True, timeout=1200, env={**os.environ, "C": e.coffer},
                       stdin=subprocess.DEVNULL)
    check(p.returncode == 0, p.stderr + open("err", encoding="utf-8").read()[-2000:])
    check(json.loads(p.stdout)["guests"] == 0, p.stdout)
    fds, rss = ([int(n) for n in open(name, encoding="ascii")] for name in ("fds", "rss"))
    print(f"{4 * rounds} launches: descriptors {fds[0]} -> {fds[1]}, KiB {rss[0]} -> {rss[1]}")
    check(fds[1] == fds[0], f"descriptors: {fds}")
    # What AddressSanitizer keeps of freed memory is no leak; leaks it reports itself.
    check(sanitized or rss[1] <= rss[0] + 512, f"KiB: {rss}")


# What each command's failure may not leave: a guest, an ASID, a hang, a message without a cause.
FAULTS = {
    "PLATFORM_STATUS": "sev", "SEV_INIT": "sev", "SEV_ES_INIT": "sev-es", "LAUNCH_START": "sev", "REG_REGION": "sev",
    "LAUNCH_UPDATE_DATA": "sev", "LAUNCH_UPDATE_VMSA": "sev-es", "LAUNCH_MEASURE": "sev", "LAUNCH_FINISH": "sev",
    "GUEST_STATUS": "sev",
}


def fault(e, command, protect, code, kernel_only):
    sim = ("--asids", "2", "--es-asids", "1", "--fault", f"{command}={code}")
    p = e.sim(*e.args(protect, "5" if protect == "sev-es" else "1", session=None), sim=sim)
    said = [line for line in p.stderr.splitlines() if line.startswith("coffer: run: ")]
    check(p.returncode in EXPLAINED, f"{command}={code}: exit status {p.returncode}: {p.stderr}")
    check(len(said) == 1, f"{command}={code}: {p.stderr}")
    check(command.replace("SEV_ES_INIT", "INIT").replace("SEV_INIT", "INIT") in said[0], said[0])
    if not kernel_only:
        check(code in said[0], said[0])
    check("; " in said[0], f"no fix: {said[0]}")


def some_of(codes):
    """All; with sanitizers, under which a start takes five times as long, every fourth."""
    return codes[::4] if os.environ.get("COFFER_SANITIZED") else codes


def every_code(command, protect):
    def run(e):
        with_firmware = command != "REG_REGION"
        for code in some_of(STATUS if with_firmware else []):
            fault(e, command, protect, code, False)
        for code in some_of(ERRNO):
            fault(e, command, protect, code, True)
        check(e.guests(("--asids", "2", "--es-asids", "1")) == 0, "guests are left")
    return run


for _command, _protect in FAULTS.items():
    CASES["every_code_of_" + _command.lower()] = every_code(_command, _protect)


@case
def every_code_of_launch_secret(e):
    for code in some_of(STATUS + ERRNO):
        e.session()
        with Paused(e, sim=("--fault", f"LAUNCH_SECRET:1={code}")) as g:
            g.packet()
            p = g.ctl("secret", "header", "payload")
            check(p.returncode in EXPLAINED and "LAUNCH_SECRET" in p.stderr, f"{code}: {p.returncode} {p.stderr}")
            # The launch goes on, and the next one is taken.
            check(g.ctl("secret", "header", "payload").returncode == 0, f"{code}: the second packet")
            check(g.ctl("resume").returncode == 0 and g.wait()[0] == 42, code)


@case
def a_launch_that_waits_and_cannot_be_finished_ends(e):
    """EBUSY is the security processor's here, not that of a wrong state."""
    for code in ("HWERROR_PLATFORM", "EBUSY"):
        e.session()
        with Paused(e, sim=("--fault", f"LAUNCH_FINISH={code}")) as g:
            p = g.ctl("resume")
            check(p.returncode in EXPLAINED and "LAUNCH_FINISH" in p.stderr, f"{code}: {p.returncode} {p.stderr}")
            status, err = g.wait()
            check(status == 69 and "LAUNCH_FINISH" in err, f"{code}: {status} {err}")
    check(e.guests() == 0, "guests are left")


@case
def every_code_of_attestation(e):
    """One guest, which goes on whatever becomes of its reports."""
    codes = STATUS + ERRNO
    e.put("kernel", bzimage(b"\xf4\xeb\xfd"))
    e.session()
    with Paused(e, sim=[f"--fault=ATTESTATION:{i + 1}={code}" for i, code in enumerate(codes)]) as g:
        check(g.ctl("resume").returncode == 0, "resume")
        for code in codes:
            p = g.ctl("attestation", "00" * 16)
            check(p.returncode in EXPLAINED and "SEV ATTESTATION: " in p.stderr and "; " in p.stderr,
                  f"{code}: {p.returncode} {p.stderr}")
            check(code in ERRNO or code in p.stderr, f"{code}: {p.stderr}")
        check(g.ctl("attestation", "00" * 16).returncode == 0, "a good one")
        check(g.ctl("kill").returncode == 0, "kill")
    check(e.guests() == 0, "guests are left")


if __name__ == "__main__":
    sys.exit(main(CASES, Env))
