#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The suite's own self test needs servers that are wrong on purpose: this small one is right as
far as the suite looks, and wrong in one way by `--fault NAME`. It is no model of any server.

    faulty_server.py --dir DIR [--fault NAME]     listens at DIR/faulty.sock
"""
import array
import errno
import fcntl
import json
import os
import socket
import stat
import struct
import sys

HEADER = struct.Struct("=HHIII")
FIXED = {1: 4, 2: 32, 3: 24, 4: 16, 5: 32, 6: 16, 7: 16, 8: 20, 9: 16, 10: 16, 13: 0, 15: 8}
SIZES = {0: 0x8000, 2: 1 << 24, 7: 256}
VECTORS, XFER, PAGE = 16, 1 << 20, 4096
READ_ONLY_REGISTERS = (0, 0x18)
ID_VALUE = 0x31444f4a4f44 << 16 | 1


class Refused(Exception):
    pass


def need(condition, number=errno.EINVAL):
    if not condition:
        raise Refused(number)


class Device:
    """What outlives a client: configuration space, registers, aperture."""

    def __init__(self, fault):
        self.fault, self.memory = fault, {0: bytearray(0x8000), 2: bytearray(1 << 24)}
        config = self.memory[7] = bytearray(256)
        struct.pack_into("<HHHH", config, 0, 0x1ed1, 0x0d01, 0, 0x10)
        config[8:12] = b"\0\0\0\x12"
        config[0x34] = 0x40
        config[0x40:0x50] = struct.pack("<BBHIII", 0x01, 0x50, 3, 0, 0, 0)
        config[0x50:0x54] = struct.pack("<BBH", 0x10, 0x90, 2)
        config[0x90:0x9c] = struct.pack("<BBHII", 0x11, 0, VECTORS - 1, 0x6000, 0x7000)
        config[0x10], config[0x18] = 4, 4  # BAR0 and BAR2 of 64 bits
        mask = self.mask = bytearray(256)  # bits that a client may write
        mask[4], mask[0x0c], mask[0x3c], mask[0x93] = 6, 0xff, 0xff, 0xc0
        for at, size in ((0x10, SIZES[0]), (0x18, SIZES[2])):
            struct.pack_into("<Q", mask, at, (1 << 64) - size)
        self.reset()

    def reset(self):
        self.memory[0][:] = bytes(0x8000)
        struct.pack_into("<Q", self.memory[0], 0, ID_VALUE)

    def write(self, region, offset, data):
        memory = self.memory[region]
        if region == 7 and self.fault != "writes_read_only_bits":
            for at, byte in enumerate(data, offset):
                memory[at] = memory[at] & ~self.mask[at] | byte & self.mask[at]
            return
        if region == 0 and any(offset < r + 8 and r < offset + len(data)
                               for r in READ_ONLY_REGISTERS):
            return
        memory[offset:offset + len(data)] = data
        if region == 0:
            memory[0x18] = memory[0x10] & 1  # ready as soon as it is enabled


class Session:
    def __init__(self, connection, device):
        self.connection, self.device, self.fault = connection, device, device.fault
        self.maps, self.vectors, self.fds, self.ready = [], {}, [], False
        self.multi, self.asked = False, None

    # The stream

    def take(self, count):
        data = b""
        while len(data) < count:
            part, ancillary, _, _ = self.connection.recvmsg(min(count - len(data), 1 << 16), 2048)
            for _, _, content in ancillary:
                fds = array.array("i")
                fds.frombytes(content[:len(content) // 4 * 4])
                self.fds.extend(fds)
            if not part:
                raise ConnectionError("end")
            data += part
        return data

    def run(self):
        held = []
        while True:
            id, command, size, flags, _ = HEADER.unpack(self.take(16))
            if flags & 0xf and self.asked and id == self.asked[0]:
                self.continue_fence(self.take(size - 16))
                continue
            if flags & 0xf:
                if self.fault != "executes_replies":
                    return
                flags = 0
            if size < 16 or size > XFER + 4096:
                if self.fault != "waits_for_all_of_a_huge_message" or size < 16:
                    return
            payload = self.take(size - 16)
            number, answer = 0, b""
            try:
                answer = self.execute(command, payload)
            except Refused as refused:
                number = refused.args[0]
            if self.fault != "leaks_descriptors":
                for fd in self.fds:
                    os.close(fd)
            self.fds = []
            if flags & 0x10 and self.fault != "replies_to_no_reply":
                continue
            held.append(self.reply(id, command, number, answer))
            if self.fault == "replies_out_of_order" and len(held) < 2 and self.more():
                continue
            self.connection.sendall(b"".join(reversed(held)))
            held = []
            if not self.ready:
                return

    def more(self):
        try:
            return len(self.connection.recv(16, socket.MSG_PEEK | socket.MSG_DONTWAIT)) == 16
        except BlockingIOError:
            return False

    def reply(self, id, command, number, answer):
        fault = self.fault
        flags = (0 if fault == "no_reply_flag" else 1) | (0x20 if number else 0)
        if number and fault == "no_error_flag":
            flags = 1
        if number and fault == "payload_in_error_reply":
            answer = bytes(8)
        size = 16 + len(answer)
        if fault == "size_without_header":
            size -= 16
        if fault == "id_not_echoed":
            id = id + 1 & 0xffff
        if fault == "command_not_echoed":
            command = 0
        return HEADER.pack(id, command, size, flags, number) + answer

    # Commands

    def execute(self, command, payload):
        if not self.ready and self.fault != "works_before_version":
            need(command == 1)
        if self.fault == "exits_on_unknown_command" and command not in FIXED:
            os._exit(3)
        need(command in FIXED, errno.ENOTSUP)
        if self.fault == "ignores_short_payloads":
            payload = payload.ljust(FIXED[command], b"\0")
        need(len(payload) >= FIXED[command])
        return getattr(self, f"command_{command}")(payload)

    def command_1(self, payload):
        need(not self.ready or self.fault == "accepts_version_twice")
        major, minor = struct.unpack_from("=HH", payload)
        need(major == 0 or self.fault == "accepts_any_major")
        try:
            if payload[4:]:
                need(payload[-1:] == b"\0" and payload[4:].count(b"\0") == 1)
                data = json.loads(payload[4:-1].decode())
                asked = data.get("capabilities", {})
                need(isinstance(asked, dict) or self.fault == "accepts_any_version_data")
                for name, kind in (("max_msg_fds", (int, float)), ("twin_socket", dict),
                                   ("max_data_xfer_size", int), ("max_dma_maps", int),
                                   ("pgsizes", int), ("write_multiple", bool)):
                    need(name not in asked or isinstance(asked[name], kind))
                self.multi = asked.get("write_multiple", False)
        except (ValueError, AttributeError, TypeError, RecursionError) as bad:
            if self.fault != "accepts_any_version_data":
                raise Refused(errno.EINVAL) from bad
        self.ready = True
        granted = {"max_msg_fds": 16, "max_data_xfer_size": XFER, "pgsizes": PAGE}
        if self.multi or self.fault == "grants_what_was_not_proposed":
            granted["write_multiple"] = True
        text = json.dumps({"capabilities": granted}).encode()
        end = b"" if self.fault == "version_reply_without_nul" else b"\0"
        return struct.pack("=HH", major, min(minor, 1)) + text + end

    def command_2(self, payload):
        argsz, flags, offset, address, size = struct.unpack("=IIQQQ", payload[:32])
        need(argsz >= 32 and size and size % PAGE == 0 and address % PAGE == 0)
        need(address + size <= 1 << 64)
        if self.fault != "accepts_overlapping_maps":
            need(all(address + size <= a or a + s <= address for a, s, _, _ in self.maps),
                 errno.EEXIST)
        if not self.fds:
            self.maps.append((address, size, -1, offset))
            return b""
        need(len(self.fds) == 1)
        need(stat.S_ISREG(os.fstat(self.fds[0]).st_mode))
        mode = fcntl.fcntl(self.fds[0], fcntl.F_GETFL) & os.O_ACCMODE
        need(not flags & 2 or mode == os.O_RDWR or
             self.fault == "accepts_writeable_maps_of_read_only_files")
        self.maps.append((address, size, self.fds.pop(), offset))
        return b""

    def command_3(self, payload):
        _, _, address, size = struct.unpack("=IIQQ", payload[:24])
        for entry in self.maps:
            if entry[:2] == (address, size) or (
                    self.fault == "unmaps_by_address_alone" and entry[0] == address):
                self.maps.remove(entry)
                if entry[2] >= 0:
                    os.close(entry[2])
                return payload[:24]
        need(self.fault == "unmaps_what_is_not_mapped", errno.ENOENT)
        return payload[:24]

    def command_4(self, payload):
        need(struct.unpack_from("=I", payload)[0] >= 16)
        return struct.pack("=IIII", 16, 3, 9, 5)

    def command_5(self, payload):
        argsz, _, index = struct.unpack_from("=III", payload)
        need(argsz >= 32 and (index < 9 or self.fault == "has_regions_without_end"))
        size = SIZES.get(index, 0)
        return struct.pack("=IIIIQQ", 32, 3 if size else 0, index, 0, size, 0)

    def command_6(self, payload):
        raise Refused(errno.ENOTSUP)

    def command_7(self, payload):
        argsz, _, index = struct.unpack_from("=III", payload)
        need(argsz >= 16 and index < 5)
        return struct.pack("=IIII", 16, 9 if index == 2 else 0, index, VECTORS * (index == 2))

    def command_8(self, payload):
        argsz, flags, index, start, count = struct.unpack_from("=IIIII", payload)
        kind, action, most = flags & 7, flags & 0x38, VECTORS * (index == 2)
        need(argsz >= 20 and index < 5 and not flags & ~0x3f)
        need(kind in (1, 2, 4) and action == 0x20)
        need(start + count <= most or self.fault == "signals_vectors_without_end" or
             (kind == 1 and start == count == 0))
        need(kind != 2 or (argsz >= 20 + count and len(payload) >= 20 + count))
        need(kind != 4 or len(self.fds) in (0, count))
        span = range(start, start + count) if count else range(most if kind == 1 else 0)
        for at in list(span):
            if kind == 4 or not count:
                if at in self.vectors:
                    os.close(self.vectors.pop(at))
                if self.fds:
                    self.vectors[at] = self.fds.pop(0)
            elif (kind == 1 or payload[20 + at - start]) or self.fault == "ignores_booleans":
                self.signal(at)
        return b""

    def signal(self, vector):
        fd = self.vectors.get(vector, -1)
        if fd >= 0:
            try:
                os.set_blocking(fd, False)
                os.write(fd, struct.pack("=Q", 1))
            except OSError:
                pass

    def access(self, payload, data):
        offset, region, count = struct.unpack_from("=QII", payload)
        need(region in SIZES and count <= XFER)
        if self.fault == "wraps_offsets":
            offset &= SIZES[region] - 1
        need(offset + count <= SIZES[region])
        need(data is None or len(data) == count)
        return offset, region, count

    def command_9(self, payload):
        offset, region, count = self.access(payload, None)
        data = bytes(self.device.memory[region][offset:offset + count])
        return payload[:16] + (data[::-1] if self.fault == "swaps_bytes" else data)

    def command_10(self, payload):
        offset, region, _ = self.access(payload, payload[16:])
        self.device.write(region, offset, payload[16:])
        if region == 0 and offset == 0x4000:
            self.doorbell()
        return payload if self.fault == "data_in_write_reply" else payload[:16]

    def command_13(self, _):
        if self.fault != "does_not_reset":
            self.device.reset()
        return b""

    def command_15(self, payload):
        count, = struct.unpack_from("=Q", payload)
        need(self.multi and len(payload) == 8 + 24 * count)
        writes = [payload[8 + 24 * n:32 + 24 * n] for n in range(count)]
        for write in writes:
            need(self.access(write, None)[2] <= 8)
        for write in writes:
            self.command_10(write[:16 + struct.unpack_from("=I", write, 12)[0]])
        return payload[:8]

    # One fence, as far as the suite asks for it

    def doorbell(self):
        registers = self.device.memory[0]
        submission, completion, _, vector = struct.unpack_from("=QQQQ", registers, 0x1000)
        if any(base <= submission < base + size and fd < 0 for base, size, fd, _ in self.maps):
            self.ask(11, struct.pack("=QQ", submission, 64))
            return
        command = self.dma(submission, 64)
        if len(command) == 64:
            self.dma(completion, 32, struct.pack("=QQQHHHH", 0, 0, 0, *struct.unpack_from(
                "=H", command, 2), 1, 0, 1))
            self.signal(vector)

    def ask(self, command, payload):
        self.asked = (0x4d41, command)
        self.connection.sendall(HEADER.pack(0x4d41, command, 16 + len(payload), 0, 0) + payload)
        if self.fault == "stalls_for_its_client":
            _, _, size, _, _ = HEADER.unpack(self.take(16))
            self.continue_fence(self.take(size - 16))

    def continue_fence(self, payload):
        """By messages: the command has come, or the completion has been written."""
        command, self.asked = self.asked[1], None
        completion, = struct.unpack_from("=Q", self.device.memory[0], 0x1008)
        if command == 11 and len(payload) == 80:
            id, = struct.unpack_from("=H", payload, 18)
            entry = struct.pack("=QQQHHHH", 0, 0, 0, id, 1, 0, 1)
            count = 16 if self.fault == "names_a_wrong_dma_count" else 32
            self.ask(12, struct.pack("=QQ", completion, count) + entry)

    def dma(self, address, count, data=None):
        for base, size, fd, offset in self.maps:
            if base <= address and address + count <= base + size:
                at = offset + address - base
                return os.pread(fd, count, at) if data is None else os.pwrite(fd, data, at)
        return b""

    def end(self):
        if self.fault == "leaks_maps":
            return
        shared = [entry[2] for entry in self.maps if entry[2] >= 0]
        for fd in shared + list(self.vectors.values()) + self.fds:
            os.close(fd)


def main():
    options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    device = Device(options.get("--fault"))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.path.join(options["--dir"], "faulty.sock"))
    listener.listen(64)
    while True:
        connection, _ = listener.accept()
        session = Session(connection, device)
        try:
            session.run()
        except (ConnectionError, Refused):
            if device.fault == "serves_one_client":
                os._exit(0)
        session.end()
        connection.close()


if __name__ == "__main__":
    main()
