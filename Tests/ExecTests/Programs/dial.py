"""Dials in every way the standard library has, and prints what it saw of it."""
import errno
import os
import select
import socket
import sys
import threading

SERVER = ("127.0.0.1", 7001)


def name(number):
    return errno.errorcode.get(number, str(number))


def listen(address, count, seen, closes_last=False):
    listener = socket.create_server(address, backlog=4096)

    def accept():
        for _ in range(count):
            connection, peer = listener.accept()
            seen.append(peer[0])
            # Whoever closes first keeps the port in TIME_WAIT.
            if closes_last:
                connection.recv(1)
            connection.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    return thread


def kinds():
    seen = []
    thread = listen(SERVER, 9, seen)
    socket.create_connection(SERVER).close()
    plain = socket.socket()
    plain.setblocking(False)
    print("non-blocking", name(plain.connect_ex(SERVER)))
    select.select([], [plain], [])
    print("SO_ERROR", plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    plain.connect_ex(SERVER)
    print("once more", name(plain.connect_ex(SERVER)))
    plain.close()
    mapped = socket.socket(socket.AF_INET6)
    mapped.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    mapped.connect(("::ffff:127.0.0.1", 7001))
    mapped.close()
    threads = [threading.Thread(target=lambda: socket.create_connection(SERVER).close()) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    child = os.fork()
    if child == 0:
        program = "import socket; socket.create_connection(('127.0.0.1', 7001)).close()"
        os.execvp(sys.executable, [sys.executable, "-c", program])
    os.waitpid(child, 0)
    bound = socket.socket()
    bound.bind(("127.5.5.5", 0))
    bound.connect(SERVER)
    print("bound", bound.getsockname()[0])
    bound.close()
    six = socket.create_server(("::1", 7002), family=socket.AF_INET6)
    socket.create_connection(("::1", 7002)).close()
    six.close()
    refused = socket.socket()
    print("refused", name(refused.connect_ex(("127.0.0.1", 9))))
    later = socket.socket()
    later.setblocking(False)
    print("refused later", name(later.connect_ex(("127.0.0.1", 9))))
    select.select([], [later], [])
    print("SO_ERROR", name(later.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
    print("unreachable", name(socket.socket().connect_ex(("10.1.2.3", 9))))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.connect(("127.0.0.1", 53))
    thread.join()


def sources(count):
    seen = []
    thread = listen(("0.0.0.0", 7001), count, seen, closes_last=True)
    for _ in range(count):
        socket.create_connection(SERVER).close()
    thread.join()
    print("\n".join(seen))


def pending():
    """A full accept queue: two dials given up, the others let in; one more is refused when the listener goes."""
    listener = socket.socket()
    listener.bind(SERVER)
    listener.listen(1)
    dials = []
    for _ in range(6):
        dial = socket.socket()
        dial.setblocking(False)
        dial.connect_ex(SERVER)
        dials.append(dial)
    dials.pop().close()
    dials.pop().close()
    for _ in range(4):
        listener.accept()
    while len(select.select([], dials, [])[1]) < 4:
        pass
    print([dial.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for dial in dials])


def timeout():
    listener = socket.socket()
    listener.bind(SERVER)
    listener.listen(0)
    first = socket.create_connection(SERVER)
    blocking = socket.socket()
    print("blocking", name(blocking.connect_ex(SERVER)))
    later = socket.socket()
    later.setblocking(False)
    later.connect_ex(SERVER)
    select.select([], [later], [])
    print("SO_ERROR", name(later.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
    first.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(int, sys.argv[2:]))
