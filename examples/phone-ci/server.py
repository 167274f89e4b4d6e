#!/usr/bin/env python3
"""The app's server: sends "line N" 20 times a second to whoever connects, from the line on that the client asks for.

Says its port on standard output; ends with its standard input.
"""
import socketserver
import sys
import threading
import time

START = time.monotonic()


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            number = int(self.rfile.readline())
            while True:
                while number < (time.monotonic() - START) * 20:
                    self.wfile.write(b"line %d\n" % number)
                    number += 1
                time.sleep(0.05)
        except (OSError, ValueError):
            pass  # the phone took the app's end away; the app comes again


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


with Server(("127.0.0.1", 0), Lines) as server:
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
