#!/usr/bin/env python3
"""Measured launches of stage0 on the simulated platform that then run: what it starts is what was measured,
whatever the host does to the files afterwards. The kernel is a few instructions long, so this host's KVM will do.

stage0_launch_test.py --coffer FILE --payloads DIR CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped.
"""
import os
import struct
import sys

from firmware_test import FirmwareEnv, validate
from harness import PATIENCE, Skip, check, main
from sev_test import Paused

CASES = {}
SECRET_GUID = b"736869e5-84f0-4973-92ec-06879ce3da0b"
DONE = 42
# With RSI at boot_params: look for the name of a secret's file at the end of the initrd; EAX is 1 when it is not there.
#	mov 0x218(%rsi),%edi; mov 0x21c(%rsi),%ecx; add %rdi,%rcx        the initrd, its end
#	mov (bytes of the GUID, 8 of them),%rax
# 1:	cmp %rcx,%rdi; jae 2f; cmp %rax,(%rdi); je 3f; inc %rdi; jmp 1b
# 2:	mov $1,%eax; out %eax,$0xf4; 3: mov $42,%eax; out %eax,$0xf4; hlt
LOOK = (bytes.fromhex("8bbe18020000 8b8e1c020000 4801f9 48b8") + SECRET_GUID[:8] +
        bytes.fromhex("4839cf 730a 483907 740c 48ffc7 ebf1 b801000000 e7f4 b82a000000 e7f4 f4"))
EXIT = bytes.fromhex("b82a000000 e7f4 f4")  # mov $42,%eax; out %eax,$0xf4; hlt


def case(f):
    CASES[f.__name__] = f
    return f


def tiny_kernel(program):
    """A bzImage whose 64-bit entry is @program."""
    setup, code = bytearray(5 * 512), bytearray(4096)
    setup[0x1f1] = 4
    setup[0x1fe:0x206] = b"\x55\xaa\xeb\x6aHdrS"
    code[0x200:0x200 + len(program)] = program
    for at, form, value in ((0x1f4, "<I", len(code) // 16), (0x206, "<H", 0x20f), (0x211, "B", 1),
                            (0x22c, "<I", 0x7fffffff), (0x230, "<I", 0x200000), (0x234, "B", 1), (0x236, "<H", 1),
                            (0x238, "<I", 2047), (0x258, "<Q", 0x1000000), (0x260, "<I", 0x100000)):
        struct.pack_into(form, setup, at, value)
    return bytes(setup + code)


def unified(**sections):
    """A unified kernel image with no program in it: coffer takes out the sections."""
    def padded(b):
        return b + bytes(-len(b) % 512)

    head = bytearray(512)
    for at, form, value in ((0, "2s", b"MZ"), (0x3c, "<I", 0x40), (0x40, "2s", b"PE"), (0x44, "<H", 0x8664),
                            (0x46, "<H", len(sections)), (0x54, "<H", 240), (0x58, "<H", 0x20b)):
        struct.pack_into(form, head, at, value)
    at, body = 0x58 + 240, b""
    for name, data in sections.items():
        struct.pack_into("<8sIIII", head, at, b"." + name.encode(), len(data), 0, len(padded(data)), 512 + len(body))
        at, body = at + 40, body + padded(data)
    return bytes(head) + body


class Stage0Env(FirmwareEnv):
    def __init__(self, coffer, payloads, tmp):
        super().__init__(coffer, payloads, tmp)
        self.put("kernel", tiny_kernel(EXIT))

    def args(self, protect="sev", policy="1", session="vm", more=()):
        return super().args(protect, policy, session, more=["--debug-exit", *more])


def ends(e, status, says, after_measuring=lambda g: None):
    """Launch, let the host do something, run: the exit status, and a text on stderr or the guest's console."""
    e.session()
    with Paused(e) as g:
        after_measuring(g)
        r = g.ctl("resume")
        check(r.returncode == 0, r.stderr)
        out, err = g.p.communicate(timeout=PATIENCE)
        if "what KVM cannot emulate" in err:
            raise Skip("this KVM interprets the guest's kernel, and cannot hash")
        check(g.p.returncode == status, f"status {g.p.returncode}, not {status}: {err}{out}")
        check(says in out + err, f"no '{says}' in: {err}{out}")


def change(name, at=-1, length=None):
    """As a host would: in place, the file that is open."""
    with open(name, "r+b") as f:
        if length is not None:
            f.truncate(length)
            return
        data = bytearray(f.read())
        data[at] ^= 1
        f.seek(0)
        f.write(data)


@case
def what_was_measured_runs(e):
    ends(e, DONE, "kernel, initrd and command line are those that were measured")


@case
def a_unified_image_is_launched_by_its_parts(e):
    def verify(g):
        p = e.own("owner", "verify", "--tik", "vm_tik.bin", "--launch", "launch.json", "--firmware", "stage0",
                  "-k", "kernel")
        check(p.returncode == 0, p.stderr)

    e.put("kernel", unified(linux=tiny_kernel(EXIT), initrd=b"initial RAM disk", cmdline=b"console=ttyS0\n"))
    e.content = lambda: ["-k", "kernel"]
    ends(e, DONE, "those that were measured", verify)
    ends(e, 80, "stage0 stopped: the initrd is not the one that was measured",
         lambda g: change("kernel", 512 + len(tiny_kernel(EXIT))))


@case
def four_cpus_do_not_change_that(e):
    e.cpus = 4
    ends(e, DONE, "those that were measured")


@case
def a_kernel_changed_after_measuring_stops(e):
    for at in (-1, 0x20):  # its code, its setup part
        ends(e, 80, "stage0 stopped: the kernel is not the one that was measured",
             lambda g, at=at: change("kernel", at))
        change("kernel", at)


@case
def an_initrd_changed_after_measuring_stops(e):
    ends(e, 80, "stage0 stopped: the initrd is not the one that was measured", lambda g: change("initrd"))


@case
def a_kernel_cut_after_measuring_stops(e):
    ends(e, 80, "stage0 stopped: fw_cfg refused a transfer", lambda g: change("kernel", length=4000))


@case
def the_owners_secret_becomes_a_file(e):
    def inject(g):
        p = e.own("owner", "verify", "--tik", "vm_tik.bin", "--launch", "launch.json", "--firmware", "stage0",
                  *e.content())
        check(p.returncode == 0, p.stderr)
        p = e.own("owner", "secret", "--tik", "vm_tik.bin", "--tek", "vm_tek.bin", "--launch", "launch.json",
                  "--secret", SECRET_GUID.decode() + ":secret", "header", "payload")
        check(p.returncode == 0, p.stderr)
        p = g.ctl("secret", "header", "payload")
        check(p.returncode == 0, p.stderr)

    e.put("kernel", tiny_kernel(LOOK))
    ends(e, DONE, "those that were measured", inject)
    for f in ("header", "payload"):
        os.unlink(f)
    ends(e, 1, "those that were measured")  # nobody sent one


@case
def the_validators_secret_becomes_a_file(e):
    """libvirt's, which finds the launch to be right before it packs one."""
    def inject(g):
        check(validate(e, g, "1", "--inject-secret", SECRET_GUID.decode() + ":secret", "--secret-header", "header",
                       "--secret-payload", "payload") == 0, "validator")
        p = g.ctl("secret", "header", "payload")
        check(p.returncode == 0, p.stderr)

    e.put("kernel", tiny_kernel(LOOK))
    ends(e, DONE, "those that were measured", inject)


if __name__ == "__main__":
    sys.exit(main(CASES, Stage0Env))
