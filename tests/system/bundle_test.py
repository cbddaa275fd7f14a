#!/usr/bin/env python3
"""Launch bundles as files: made, shown, verified, run on this host's /dev/kvm, and spoilt.

bundle_test.py --coffer FILE --payloads DIR --document bundles.md CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped: no usable /dev/kvm, or no u-boot-tools, device-tree-compiler,
openssl.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

from harness import PATIENCE, Env, Skip, check, main, read_until, tree
from plan_test import bzimage

CASES = {}
LINE = "console=ttyS0 quiet"


def case(f):
    CASES[f.__name__] = f
    return f


class Bundles(Env):
    def __init__(self, coffer, payloads, tmp, document):
        super().__init__(coffer, payloads, tmp)
        self.document = document
        self.kernel = os.path.join(payloads, "exit_42.elf")
        self.initrd = self.put("initrd", os.urandom(50000))

    def put(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def get(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def call(self, *args, cwd=None):
        return subprocess.run(args, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                              cwd=cwd or self.tmp)

    def good(self, *args):
        p = self.call(*args)
        check(p.returncode == 0, f"{args}: {p}")
        return p.stdout.decode()

    def bundle(self, *args):
        return self.good(self.coffer, "bundle", *args)

    def create(self, name, *args):
        self.bundle("create", "-k", self.kernel, "-i", self.initrd, "-a", LINE, "-c", "1", "-m", "16M", "-o",
                    self.path(name), *args)
        return self.path(name)

    def refused(self, status, says, *args):
        """Of a command of coffer: its exit status, and what it says."""
        p = self.call(self.coffer, *args)
        said = p.stderr.decode()
        check(p.returncode == status, f"{args}: status {p.returncode}, not {status}: {said}")
        for word in says if isinstance(says, tuple) else (says,):
            check(word in said, f"{args}: '{word}' is not in: {said}")

    def runs(self, bundle, *args, status=42):
        """What it says on standard error."""
        p = self.call(self.coffer, "run", "--debug-exit", *args, bundle)
        check(p.returncode == status, f"{bundle}: status {p.returncode}, not {status}: {p.stderr.decode()}")
        return p.stderr.decode()

    def keys(self, name, *algorithm):
        self.tool("openssl", "openssl")
        self.good("openssl", "genpkey", *algorithm, "-out", self.path(name + ".pem"))
        self.good("openssl", "pkey", "-in", self.path(name + ".pem"), "-pubout", "-out", self.path(name + ".pub"))
        return self.path(name + ".pem"), self.path(name + ".pub")

    def ed25519(self, name="ed"):
        return self.keys(name, "-algorithm", "ed25519")

    def p384(self, name="ec"):
        return self.keys(name, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")

    @staticmethod
    def tool(name, package):
        if not shutil.which(name):
            raise Skip(f"no {name}: apt-get install {package}")


@case
def what_was_made_is_shown_verified_and_run(e):
    b = e.create("app.itb", "--description", "an app")
    with open(e.kernel, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    shown = json.loads(e.bundle("show", "--json", b))
    check(shown["kernel"] == {"bytes": os.path.getsize(e.kernel), "sha256": digest}, shown)
    check(shown["ramdisk"]["sha256"] == hashlib.sha256(e.get("initrd")).hexdigest(), shown)
    check([shown[k] for k in ("cmdline", "cpus", "memory", "description", "firmware", "policy")] ==
          [LINE, 1, 16 << 20, "an app", None, None], shown)
    check(f"sha256 {digest}" in e.bundle("show", b), "show")
    check("the hashes are right; it is not signed" in e.bundle("verify", b), "verify")
    e.runs(b)


@case
def a_signed_bundle_runs_under_its_key(e):
    for pem, pub in (e.ed25519(), e.p384()):
        b = e.create(os.path.basename(pem) + ".itb", "--sign", pem)
        check("signed it" in e.bundle("verify", "--key", pub, b), "verify")
        check(e.runs(b, "--bundle-key", pub) == "", "a key that fits is warned of")


@case
def a_signature_that_nobody_looks_at_is_one_warning(e):
    pem, pub = e.ed25519()
    b = e.create("app.itb", "--sign", pem)
    for quiet in ((), ("--quiet",)):
        said = e.runs(b, *quiet)
        check(said.count("\n") == 1 and f"warning: bundle '{b}' is signed" in said and "--bundle-key" in said, said)
    config = e.put("config.json", json.dumps({"bundle-key": pub}).encode())
    check(e.runs(b, "--config", config) == "", "the key of the configuration file")
    check(e.runs(e.create("plain.itb")) == "", "a bundle that is not signed")


@case
def a_bundle_that_was_changed_does_not_run(e):
    pem, pub = e.ed25519()
    data = e.get(os.path.basename(e.create("app.itb", "--sign", pem)))
    with open(e.kernel, "rb") as f:
        at = data.index(f.read())
    line = data.index(LINE.encode())
    spoilt = {
        "kernel": (data[:at + 99] + bytes([data[at + 99] ^ 1]) + data[at + 100:], "its kernel does not have the hash"),
        "cut": (data[:-100], "it was cut"),
        "longer": (data + b"more", "4 bytes follow its tree"),
        "empty": (b"", "is empty"),
        "elf": (b"\x7fELF" + data[4:], "not a launch bundle"),
    }
    for name, (content, says) in spoilt.items():
        b = e.put(name + ".itb", content)
        e.refused(66, (b, says), "run", "--debug-exit", b)
        e.refused(66, (b, says), "bundle", "verify", b)
        e.refused(66, b, "run", "--debug-exit", "--bundle-key", pub, b)
    # Hashes do not cover the command line; the signature does.
    b = e.put("line.itb", data[:line] + b"C" + data[line + 1:])
    check("the hashes are right" in e.bundle("verify", b), "hashes")
    e.refused(66, "wrong signature: it was changed", "run", "--debug-exit", "--bundle-key", pub, b)
    e.refused(66, "wrong signature: it was changed", "bundle", "verify", "--key", pub, b)


@case
def a_bundle_of_somebody_else_does_not_run(e):
    pem, pub = e.ed25519()
    _, other = e.ed25519("other")
    ec_pem, ec_pub = e.p384()
    b = e.create("app.itb", "--sign", pem)
    for wrong in (other, ec_pub):
        e.refused(66, ("wrong signature", "not by the one given"), "run", "--bundle-key", wrong, b)
    e.refused(66, "it is not signed", "run", "--bundle-key", pub, e.create("plain.itb"))
    e.refused(66, "that is a private key", "run", "--bundle-key", pem, b)
    e.refused(66, "not a public key", "run", "--bundle-key", e.kernel, b)
    e.refused(64, "--bundle-key: is for a BUNDLE", "run", "--bundle-key", pub, "-k", e.kernel)
    check(pem != ec_pem, "keys")


@case
def options_that_a_bundle_fixes_are_refused(e):
    b = e.create("app.itb", "--protect", "none")
    for option, value in (("--kernel", e.kernel), ("--initrd", e.initrd), ("--append", LINE), ("--cpus", "1"),
                          ("--firmware", "none"), ("--protect", "none"), ("--memory", "32M")):
        e.refused(64, (option + ":", b), "run", option, value, b)
    config = e.put("config.json", b'{"cpus": 1}')
    e.refused(64, ("--cpus:", b), "run", "--config", config, b)
    e.runs(b, "--memory", "16M,prefault")
    p = e.path("policy.itb")
    e.refused(66, "is an ELF image", "bundle", "create", "-k", e.kernel, "--policy", "1", "-o", p)
    e.bundle("create", "-k", e.put("bzimage", bzimage()), "--policy", "1", "-o", p)
    e.refused(64, ("--protect: is missing", p), "run", p)
    e.refused(64, ("--sev policy=:", p), "run", "--protect", "sev", "--sev", "policy=1", p)
    e.refused(64, "--sev: needs --protect", "run", "--sev", "policy=1", e.create("plain.itb"))
    e.refused(64, "--policy: needs --protect", "bundle", "create", "-k", e.kernel, "--policy", "1",
              "--protect", "none", "-o", e.path("none.itb"))


@case
def nothing_half_is_written(e):
    b = e.create("app.itb")
    before = e.get("app.itb")
    e.refused(66, "is there already", "bundle", "create", "-k", e.kernel, "-o", b)
    check(e.get("app.itb") == before, "it was changed")
    new = e.path("new.itb")
    e.refused(66, "control character", "bundle", "create", "-k", e.kernel, "-a", "two\nlines", "-o", new)
    e.refused(66, "not a kernel", "bundle", "create", "-k", e.initrd, "-o", new)
    e.refused(64, "--cpus", "bundle", "create", "-k", e.kernel, "-c", "65", "-o", new)
    e.refused(64, "--memory", "bundle", "create", "-k", e.kernel, "-m", "16M,shared", "-o", new)
    e.refused(64, "--protect", "bundle", "create", "-k", e.kernel, "--protect", "tdx", "-o", new)
    e.refused(66, "--sign", "bundle", "create", "-k", e.kernel, "--sign", e.kernel, "-o", new)
    check(sorted(os.listdir(e.tmp)) == ["app.itb", "initrd"], os.listdir(e.tmp))
    e.create("app.itb", "--force")
    check(e.get("app.itb") == before, "the same input made another bundle")


@case
def what_runs_is_what_was_checked(e):
    """Images are sealed memfds, and the bundle itself is closed."""
    e.kernel = os.path.join(e.payloads, "idle.elf")
    b = e.create("app.itb")
    p = subprocess.Popen([e.coffer, "run", "--console", "stdio", b], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    try:
        read_until(p.stdout.fileno(), b"idle")
        images = {}
        for pid in tree(p.pid):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                name = f"/proc/{pid}/fd/{fd}"
                to = os.readlink(name)
                check(to != b, f"process {pid} holds the bundle open")
                if to.startswith("/memfd:kernel") or to.startswith("/memfd:ramdisk"):
                    images.setdefault(to, []).append(name)
        check(len(images) == 2, f"images: {images}")
        for names in images.values():
            for name in names:
                try:
                    with open(name, "r+b") as f:
                        f.write(b"x")
                except PermissionError:
                    continue
                raise AssertionError(f"{name} could be written")
    finally:
        p.kill()
        p.wait()


@case
def the_documented_source_makes_a_bundle_that_runs(e):
    e.tool("mkimage", "u-boot-tools")
    e.tool("dtc", "device-tree-compiler")
    with open(e.document, encoding="utf-8") as f:
        source = re.search(r"```dts\n(.*?)```", f.read(), re.S).group(1)
    e.put("app.its", source.encode())
    shutil.copy(e.kernel, e.path("vmlinuz"))
    e.good("mkimage", "-f", "app.its", "app.itb")
    check("the hashes are right" in e.bundle("verify", e.path("app.itb")), "verify")
    e.runs(e.path("app.itb"))
    e.good("mkimage", "-E", "-f", "app.its", "outside.itb")
    e.refused(66, "mkimage -E", "run", e.path("outside.itb"))


@case
def the_tools_of_u_boot_read_ours(e):
    e.tool("mkimage", "u-boot-tools")
    pem, _ = e.p384()
    b = e.create("app.itb", "--sign", pem, "--description", "an app", "--firmware", "none")
    listed = e.good("mkimage", "-l", b)
    for word in ("Image 0 (kernel)", "Image 1 (ramdisk)", "Configuration 0 (conf-1)", "an app",
                 "Architecture: AMD x86_64", "Sign algo:    coffer-1,ecdsa384",
                 hashlib.sha256(e.get("initrd")).hexdigest()):
        check(word in listed, f"'{word}' is not in: {listed}")
    for position, path in ((0, e.kernel), (1, e.initrd)):
        e.good("dumpimage", "-T", "flat_dt", "-p", str(position), "-o", e.path("out"), b)
        with open(path, "rb") as f:
            check(f.read() == e.get("out"), f"image {position} differs")


@case
def openssl_agrees_on_what_is_signed(e):
    e.tool("fdtget", "device-tree-compiler")
    pem, pub = e.ed25519()
    b = e.create("app.itb", "--sign", pem)
    e.put("text", e.bundle("show", "--signed", b).encode())
    value = e.good("fdtget", "-t", "bx", b, "/configurations/conf-1/signature-1", "value").split()
    e.put("value", bytes(int(v, 16) for v in value))
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", pub, "-rawin", "-in", e.path("text"), "-sigfile",
              e.path("value")]
    e.good(*verify)
    e.put("text", e.get("text") + b"cpus 64\n")
    check(e.call(*verify).returncode != 0, "openssl accepts anything")


@case
def a_launch_of_a_bundle_measures_what_its_owner_says(e):
    e.kernel = e.put("bzimage", bzimage())
    b = e.path("app.itb")
    e.bundle("create", "-k", e.kernel, "-i", e.initrd, "-a", "quiet", "-m", "4M", "-c", "1", "--policy", "1",
             "--firmware", "none", "-o", b)
    digest = e.good(e.coffer, "owner", "measure", b).split()[0]
    check(digest == e.good(e.coffer, "owner", "measure", "--firmware", "none", "-k", e.kernel, "-i", e.initrd, "-a",
                           "quiet", "-m", "4M", "-c", "1").split()[0], "owner measure says two things")
    plan = json.loads(e.good(e.coffer, "run", "--print-plan", "--protect", "sev", b))
    check(plan["plan_digest"] == digest, plan["plan_digest"])
    run = [e.coffer, "sim", "--", e.coffer, "run", "--debug-exit", "--protect", "sev", "--expect"]
    p = e.call(*run, digest, b)
    if b"RLIMIT_MEMLOCK" in p.stderr:
        raise Skip("too little memory can be locked")
    check(p.returncode == 0, f"{p}")
    other = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    check(e.call(*run, other, b).returncode not in (0, 64), "another digest is accepted")
    cost = json.loads(e.good(e.coffer, "plan", "--json", "--protect", "sev", b))
    check(cost["images"] == os.path.getsize(e.kernel) + os.path.getsize(e.initrd), cost)


@case
def a_firmware_goes_along(e):
    e.kernel = e.put("bzimage", bzimage())
    b = e.create("app.itb", "--firmware", "stage0", "--policy", "1")
    shown = json.loads(e.bundle("show", "--json", b))
    with open(os.path.join(os.path.dirname(e.coffer), "firmware", "stage0.bin"), "rb") as f:
        stage0 = f.read()
    check(shown["firmware"] == {"bytes": len(stage0), "sha256": hashlib.sha256(stage0).hexdigest()}, shown)
    digest = e.good(e.coffer, "owner", "measure", b).split()[0]
    check(digest == e.good(e.coffer, "owner", "measure", "--firmware", "stage0", "-k", e.kernel, "-i", e.initrd,
                           "-a", LINE).split()[0], "owner measure says two things")
    plan = json.loads(e.good(e.coffer, "run", "--print-plan", "--protect", "sev", b))
    check(plan["plan_digest"] == digest, plan["plan_digest"])
    # Launched on the simulated platform, which says what it measured; the guest then ends as well as this KVM can.
    b = e.path("small.itb")
    e.bundle("create", "-k", e.kernel, "-i", e.initrd, "-a", LINE, "-c", "1", "-m", "6M", "--firmware", "stage0",
             "--protect", "sev", "--policy", "1", "-o", b)
    p = e.call(e.coffer, "sim", "--trace", "trace", "--", e.coffer, "run", "--debug-exit", "--timeout", "60",
               "--expect", digest, b)
    if b"RLIMIT_MEMLOCK" in p.stderr:
        raise Skip("too little memory can be locked")
    measured = [t["digest"] for t in map(json.loads, e.get("trace").decode().splitlines()) if "digest" in t]
    check(measured == [digest], f"{measured}, not {digest}: {p}")
    check(p.returncode == 0 or b"what KVM cannot emulate" in p.stderr, f"{p}")
    e.refused(66, "bundle create", "bundle", "create", "-k", e.kernel, "--firmware", e.initrd, "-o", e.path("no.itb"))


if __name__ == "__main__":
    sys.exit(main(CASES, Bundles))
