#!/usr/bin/env python3
"""A small app that knows nothing of Fermata or its phone: fetches lines from a server and keeps them in a file.

Usage: app.py PORT FILE

It says which line it has already; so it can go on after anything that happens to it or to its connection.
"""
import os
import socket
import sys
import time


def lines_in(path):
    try:
        with open(path, "rb") as file:
            return file.read().count(b"\n")
    except FileNotFoundError:
        return 0


def fetch(port, path):
    """Until the connection breaks. The file is open only while it is written to: a phone may suspend us at any time."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"%d\n" % lines_in(path))
        for line in connection.makefile("rb"):
            if not line.endswith(b"\n"):
                return
            with open(path, "ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    while True:
        try:
            fetch(port, path)
        except OSError as error:  # taken away while we were suspended, or nobody there: once more
            print(f"app: {error}; connecting again", flush=True)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
