# SPDX-License-Identifier: Apache-2.0
"""The vfio-user wire as the specification gives it: numbers, messages, and a client that never
waits without a deadline. Written from QEMU's docs/interop/vfio-user.rst and <linux/vfio.h> alone;
it shares nothing with the server under test.
"""
import array
import dataclasses
import errno
import json
import os
import select
import socket
import struct
import time

# Section "Commands".
VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS = 1, 2, 3, 4, 5, 6
GET_IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE = 7, 8, 9, 10, 11, 12
RESET, REGION_WRITE_MULTI, FEATURE, MIG_DATA_READ, MIG_DATA_WRITE = 13, 15, 16, 17, 18
# Section "Header", flags.
COMMAND, REPLY, NO_REPLY, ERROR = 0, 1, 0x10, 0x20
HEADER = struct.Struct("=HHIII")
# Sections "VFIO_USER_DMA_MAP", "..._GET_INFO", "..._GET_REGION_INFO", "..._SET_IRQS".
READABLE, WRITEABLE = 1, 2
DEVICE_RESETS, DEVICE_PCI = 1, 2
REGION_CAN_READ, REGION_CAN_WRITE, REGION_CAN_MMAP, REGION_HAS_CAPS = 1, 2, 4, 8
IRQ_EVENTFD, IRQ_MASKABLE, IRQ_AUTOMASKED, IRQ_NORESIZE = 1, 2, 4, 8
DATA_NONE, DATA_BOOL, DATA_EVENTFD, ACTION_MASK, ACTION_UNMASK, ACTION_TRIGGER = 1, 2, 4, 8, 16, 32
# <linux/vfio.h>: indices of a PCI device's regions and interrupts.
BAR0, BAR2, ROM, CONFIG, VGA, PCI_REGIONS = 0, 2, 6, 7, 8, 9
INTX, MSI, MSIX, ERR, REQ, PCI_IRQS = 0, 1, 2, 3, 4, 5
CAP_SPARSE_MMAP = 1

DEFAULT_XFER = 1048576  # section "VFIO_USER_VERSION", max_data_xfer_size when it is not given
DEADLINE = 5.0          # seconds; what takes longer counts as no answer
SILENCE = 0.15          # seconds without a byte that count as "says nothing"


class Closed(Exception):
    """The server closed the connection."""


class NoAnswer(Exception):
    """The deadline passed without a whole message."""


class Malformed(Exception):
    """The server sent what the specification rules out."""


@dataclasses.dataclass
class Message:
    id: int
    command: int
    size: int
    flags: int
    error: int
    payload: bytes = b""
    fds: list = dataclasses.field(default_factory=list)

    @property
    def is_error(self):
        return bool(self.flags & ERROR)


def message(command, payload=b"", id=1, flags=COMMAND, error=0, size=None):
    """The bytes of one message; size may lie."""
    length = HEADER.size + len(payload) if size is None else size
    return HEADER.pack(id, command, length, flags, error) + payload


def version(major=0, minor=0, data=None):
    """data: None for no version data, bytes as they are, else an object to be sent as JSON."""
    if data is not None and not isinstance(data, bytes):
        data = json.dumps(data).encode() + b"\0"
    return struct.pack("=HH", major, minor) + (data or b"")


def dma_map(address, size, flags=READABLE | WRITEABLE, offset=0, argsz=32):
    return struct.pack("=IIQQQ", argsz, flags, offset, address, size)


def dma_unmap(address, size, flags=0, argsz=24):
    return struct.pack("=IIQQ", argsz, flags, address, size)


def get_info(argsz=16):
    return struct.pack("=IIII", argsz, 0, 0, 0)


def region_info(index, argsz=32):
    return struct.pack("=IIIIQQ", argsz, 0, index, 0, 0, 0)


def region_io_fds(index, argsz=4096, flags=0, count=0):
    return struct.pack("=IIII", argsz, flags, index, count)


def irq_info(index, argsz=16):
    return struct.pack("=IIII", argsz, 0, index, 0)


def set_irqs(index, flags, start, count, data=b"", argsz=None):
    length = 20 + len(data) if argsz is None else argsz
    return struct.pack("=IIIII", length, flags, index, start, count) + data


def region_access(region, offset, count, data=b""):
    return struct.pack("=QII", offset, region, count) + data


def write_multi(writes, count=None):
    """writes: (region, offset, bytes of 8 or fewer[, count that may lie])."""
    entries = b"".join(region_access(w[0], w[1], w[3] if len(w) > 3 else len(w[2]))
                       + w[2].ljust(8, b"\0") for w in writes)
    return struct.pack("=Q", len(writes) if count is None else count) + entries


class Client:
    """One connection. Answers the server's DMA_READ and DMA_WRITE from `memory` by itself, since
    those may come between a request and its reply (section "Command Concurrency")."""

    def __init__(self, path, deadline=DEADLINE):
        self.deadline = deadline
        self.memory = []    # (address, bytearray) of maps without a descriptor
        self.served = []    # commands of the server that were answered
        self.received = []  # descriptors to close at the end
        self.buffer = b""
        self.fds = []       # received, not yet given to a message
        self.next_id = 0x100
        self.capabilities = {}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(deadline)
        until = time.monotonic() + deadline
        while True:
            try:
                self.socket.connect(path)
                break
            except BlockingIOError:  # the listener's queue is full
                if time.monotonic() > until:
                    self.socket.close()
                    raise
                time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def server_pid(self):
        raw = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return struct.unpack("=iII", raw)[0]

    def close(self, at_once=False):
        """Ends the connection; unless at_once, waits until the server has seen it end, so that
        the next client does not find the function taken."""
        if self.socket.fileno() < 0:
            return
        if not at_once:
            try:
                self.socket.shutdown(socket.SHUT_WR)
                until = time.monotonic() + 1.0
                while time.monotonic() < until and self._receive(until):
                    pass
            except (OSError, Closed, NoAnswer):
                pass
        self.socket.close()
        for fd in self.received:
            try:
                os.close(fd)
            except OSError:
                pass
        self.received = []

    # Sending

    def send_raw(self, data, fds=()):
        """All of data, the descriptors with its first byte."""
        until = time.monotonic() + self.deadline
        ancillary = []
        if fds:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
        try:
            while data:
                self.socket.settimeout(max(0.01, until - time.monotonic()))
                sent = self.socket.sendmsg([data], ancillary, socket.MSG_NOSIGNAL)
                data, ancillary = data[sent:], []
        except (BrokenPipeError, ConnectionResetError) as broken:
            raise Closed() from broken
        except (socket.timeout, BlockingIOError) as late:
            raise NoAnswer("the server reads no more") from late

    def send(self, command, payload=b"", fds=(), flags=COMMAND, id=None):
        """Sends a command and returns the id it was given."""
        if id is None:
            id = self.next_id
            self.next_id = (self.next_id + 1) & 0xffff
        self.send_raw(message(command, payload, id, flags), fds)
        return id

    # Receiving

    def _receive(self, until):
        """Takes what has arrived; False if nothing has by then."""
        ready, _, _ = select.select([self.socket], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data, ancillary, flags, _ = self.socket.recvmsg(1 << 20, socket.CMSG_SPACE(253 * 4))
        except ConnectionResetError as reset:
            raise Closed() from reset
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                fds.frombytes(content[:len(content) // 4 * 4])
                self.fds.extend(fds)
                self.received.extend(fds)
        if not data:
            raise Closed()
        self.buffer += data
        return True

    def receive(self, deadline=None):
        """The next message, whoever's command it is about."""
        until = time.monotonic() + (self.deadline if deadline is None else deadline)
        while True:
            if len(self.buffer) >= HEADER.size:
                head = Message(*HEADER.unpack_from(self.buffer))
                if head.size < HEADER.size or head.size > (64 << 20):
                    raise Malformed(f"a message of {head.size} bytes from the server")
                if len(self.buffer) >= head.size:
                    head.payload = self.buffer[HEADER.size:head.size]
                    self.buffer = self.buffer[head.size:]
                    head.fds, self.fds = self.fds, []
                    return head
            if not self._receive(until):
                raise NoAnswer(f"no whole message; {len(self.buffer)} bytes of one")

    def reply(self, deadline=None):
        """The next reply, after answering the commands that come before it."""
        until = time.monotonic() + (self.deadline if deadline is None else deadline)
        while True:
            got = self.receive(max(0.0, until - time.monotonic()))
            if got.flags & 0xf == REPLY:
                return got
            if got.flags & 0xf != COMMAND:
                raise Malformed(f"type {got.flags & 0xf} of a message from the server")
            self._serve(got)

    def _serve(self, command):
        """Sections "VFIO_USER_DMA_READ" and "VFIO_USER_DMA_WRITE", the client's side."""
        self.served.append(command)
        refuse = command.command not in (DMA_READ, DMA_WRITE) or len(command.payload) < 16
        payload, error = b"", errno.EINVAL
        if not refuse:
            address, count = struct.unpack_from("=QQ", command.payload)
            error = errno.EFAULT
            refuse = True
            for base, content in self.memory:
                at = address - base
                if 0 <= at and at + count <= len(content):
                    refuse = False
                    payload = struct.pack("=QQ", address, count)
                    if command.command == DMA_READ:
                        payload += bytes(content[at:at + count])
                    else:
                        content[at:at + count] = command.payload[16:16 + count]
        if command.flags & NO_REPLY:
            return
        flags = REPLY | (ERROR if refuse else 0)
        self.send_raw(message(command.command, b"" if refuse else payload, command.id, flags,
                              error if refuse else 0))

    def call(self, command, payload=b"", fds=(), id=None):
        """Sends a command and returns its reply, held against section "Header"."""
        id = self.send(command, payload, fds, id=id)
        got = self.reply()
        check_reply(got, command, id)
        return got

    def is_silent(self, seconds=SILENCE):
        """Whether nothing at all arrives in this time."""
        return not self.buffer and not self._receive(time.monotonic() + seconds)

    def negotiate(self, capabilities=None, minor=0):
        got = self.call(VERSION, version(0, minor, {"capabilities": capabilities or {}}))
        if got.is_error:
            raise Closed()
        text = got.payload[4:].rstrip(b"\0")
        self.capabilities = (json.loads(text) if text else {}).get("capabilities", {})
        return got

    @property
    def max_xfer(self):
        return self.capabilities.get("max_data_xfer_size", DEFAULT_XFER)

    # What many tests need

    def read(self, region, offset, count):
        got = self.call(REGION_READ, region_access(region, offset, count))
        if got.is_error:
            raise Malformed(f"read of region {region} at {offset:#x}: errno {got.error}")
        if got.payload[:16] != region_access(region, offset, count) or \
                len(got.payload) != 16 + count:
            raise Malformed(f"reply to a read of {count} bytes: {got.payload[:32].hex()}")
        return got.payload[16:]

    def read_number(self, region, offset, count):
        return int.from_bytes(self.read(region, offset, count), "little")

    def write(self, region, offset, data):
        got = self.call(REGION_WRITE, region_access(region, offset, len(data), data))
        if got.is_error:
            raise Malformed(f"write to region {region} at {offset:#x}: errno {got.error}")
        return got

    def write_number(self, region, offset, count, value):
        return self.write(region, offset, value.to_bytes(count, "little"))


def check_reply(got, command, id):
    """Section "Header": what holds for every reply."""
    if got.flags & 0xf != REPLY:
        raise Malformed(f"flags {got.flags:#x} of a reply: its type is not Reply")
    if got.command != command:
        raise Malformed(f"a reply to command {got.command}, expected to {command}")
    if got.id != id:
        raise Malformed(f"a reply to id {got.id:#x}, expected to {id:#x}")
    if got.is_error and got.size != HEADER.size:
        raise Malformed(f"an error reply of {got.size} bytes: only the header is allowed")


def connect(path, capabilities=None, minor=0, deadline=DEADLINE):
    """A client past its version handshake; tries again while the function is still taken."""
    until = time.monotonic() + deadline
    while True:
        client = Client(path)
        try:
            client.negotiate(capabilities, minor)
            return client
        except (Closed, NoAnswer):
            client.close(at_once=True)
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        except BaseException:
            client.close(at_once=True)
            raise
