"""The package sources of this machine for a root, whose network ends in itself.

    with Mirror(root.pid, lines) as mirror:
        root.write("/etc/apt/sources.list", "\n".join(mirror.lines))

A server in the root's network fetches what it is asked for as this machine's apt does. Packages are
kept below build/.
"""

import http.server
import os
import shutil
import subprocess
import tempfile
import threading
import zlib

from debian_packages import FOLDER
from harness.namespaces import network_of

PORT = 3142
FETCH = ["/usr/lib/apt/apt-helper", "-o", "APT::Sandbox::User=root", "download-file"]
KEPT = os.path.join(FOLDER, "fetched")


class Mirror:
    """network is a process in whose network the server is, lines those of a sources.list."""

    def __init__(self, network, lines):
        self._sites = sorted({line.split()[1] for line in lines})
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                mirror.answer(self)

            def log_message(self, *_):
                pass

        with network_of(network):
            self._server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.lines = [self._translate(line) for line in lines]

    def _translate(self, line):
        site = line.split()[1]
        return line.replace(site, "http://127.0.0.1:%d/%d/" % (PORT, self._sites.index(site)))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request):
        _, site, path = request.path.split("/", 2)
        with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
            file = fetch(self._sites[int(site)].rstrip("/") + "/" + path, scratch)
            if file is None:
                request.send_error(404)
                return
            with open(file, "rb") as content:
                request.send_response(200)
                request.send_header("Content-Length", os.path.getsize(file))
                request.end_headers()
                shutil.copyfileobj(content, request.wfile)


def fetch(url, scratch):
    """The name of a file with what is there, or None."""
    kept = os.path.join(KEPT, "%08x-%s" % (zlib.crc32(url.encode()), os.path.basename(url)))
    if os.path.exists(kept):
        return kept
    file = os.path.join(scratch, "file")
    done = subprocess.run(FETCH + [url, file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        return None
    if not url.endswith(".deb"):  # an index changes
        return file
    os.makedirs(KEPT, exist_ok=True)
    os.replace(file, kept)
    return kept
