#!/usr/bin/env bash
# Linux tells a received RST once: to whichever of send, recv and SO_ERROR asks first. To the others
# the connection looks as if it had ended in good order.
#
# Version: Linux 6.18.44.
# Expected: after a RST recv fails with ECONNRESET, whoever asked what before; a clean end of stream
#   (0) means that the peer sent a FIN.
# Seen: the peer sends 5 octets and resets. If recv asks first: the 5 octets, then ECONNRESET. If
#   getsockopt(SO_ERROR) asks first, it gives ECONNRESET (104), and recv then the 5 octets and a
#   clean 0. If send asks first: the same, and poll falls from 0x201d to 0x2015 (POLLERR is gone).
# Consequence: a relay or a server notes every ECONNRESET of a socket, of whichever call, before it
#   takes an end of stream for a complete answer.
set -euo pipefail
python3 - <<'PYTHON'
import select, socket, struct, sys

def reset_connection():
    listener = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(listener.getsockname())
    peer, _ = listener.accept()
    peer.sendall(b"hello")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()  # with SO_LINGER 0: a RST
    return ours

def told(call):
    try:
        return call()
    except OSError as error:
        return type(error).__name__

def poll(ours):
    poller = select.poll()
    poller.register(ours, 0x201D)
    return hex(dict(poller.poll(0)).get(ours.fileno(), 0))

def story(first):
    ours = reset_connection()
    before = poll(ours)
    asked = [told(lambda: first(ours))] if first else []
    after = poll(ours)
    return [before, *asked, after, told(lambda: ours.recv(99)), told(lambda: ours.recv(99))]

seen = {
    "recv": story(None),
    "SO_ERROR": story(lambda s: s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)),
    "send": story(lambda s: s.send(b"x")),
}
for first, told_what in seen.items():
    print(f"{first} first:", *told_what)
wanted = {
    "recv": ["0x201d", "0x201d", b"hello", "ConnectionResetError"],
    "SO_ERROR": ["0x201d", 104, "0x2015", b"hello", b""],
    "send": ["0x201d", "ConnectionResetError", "0x2015", b"hello", b""],
}
sys.exit(seen != wanted)
PYTHON
