"""TLS with a certificate of one's own, and its renewal."""

import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import time
import unittest

from daemon import Daemon


def make_pair(folder, name):
    """A self-signed certificate for 127.0.0.1, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


class Tls(unittest.TestCase):
    def setUp(self):
        self.d = Daemon()
        self.addCleanup(self.d.close)
        self.certificate, self.key = make_pair(self.d.folder, "one")

    def start(self, environment=None, certificate=None, key=None):
        config = self.d.config.read_text().replace("listen = 127.0.0.1:0", "listen = plain:127.0.0.1:0 127.0.0.2:0")
        self.d.config.write_text(config + f"\ncertificate = {certificate or self.certificate}\nkey = {key or self.key}\n")
        self.d.environment = environment or {}
        self.d.start(wait=False)

    def tls_port(self):
        return int(re.search(r"listening address=127\.0\.0\.2:(\d+) tls=yes", self.d.log())[1])

    def get(self, path, trusted):
        context = ssl.create_default_context(cafile=str(trusted))
        context.check_hostname = False
        with socket.create_connection(("127.0.0.2", self.tls_port()), timeout=60) as plain:
            with context.wrap_socket(plain) as s:
                self.version = s.version()
                s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                answer = http.client.HTTPResponse(s)
                answer.begin()
                return answer.status, json.loads(answer.read())

    def test_it_is_served_beside_plain_http_and_the_socket(self):
        self.start()
        self.d.await_ready()
        self.assertEqual(self.get("/livez", self.certificate), (200, {"status": "alive"}))
        self.assertIn(self.version, ("TLSv1.2", "TLSv1.3"))
        self.assertEqual(self.d.request("GET", "/v1/schools").status, 200)
        self.assertEqual(self.d.request("GET", "/v1/schools", unix=True).status, 200)
        other, _ = make_pair(self.d.folder, "two")
        with self.assertRaises(ssl.SSLError):
            self.get("/livez", other)
        with socket.create_connection(("127.0.0.2", self.tls_port()), timeout=60) as s:
            s.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"alive", s.recv(1000))
        self.assertEqual(self.d.stop(), 0, self.d.log())

    def test_it_is_renewed_while_the_daemon_serves(self):
        self.start()
        self.d.await_ready()
        other, other_key = make_pair(self.d.folder, "two")

        def reload(expected):
            before = self.d.log().count(expected)
            self.d.process.send_signal(signal.SIGHUP)
            for _ in range(600):
                if self.d.log().count(expected) > before:
                    return
                time.sleep(0.05)
            self.fail(f"no '{expected}' in the log:\n{self.d.log()}")
        kept, kept_key = self.certificate.read_bytes(), self.key.read_bytes()
        self.certificate.write_bytes(other.read_bytes())
        reload("is not the key of the certificate")  # half way: the one before stays
        with self.assertRaises(ssl.SSLError):
            self.get("/livez", other)
        self.key.write_bytes(other_key.read_bytes())
        reload("certificate read again")
        self.assertEqual(self.get("/livez", other)[0], 200)
        self.certificate.write_bytes(kept)
        self.key.write_bytes(kept_key)
        reload("certificate read again")
        self.assertEqual(self.get("/livez", self.certificate)[0], 200)

    def test_it_can_be_a_credential_of_systemd(self):
        self.start({"CREDENTIALS_DIRECTORY": str(self.d.folder)}, "credential:one.pem", "credential:one.key")
        self.d.await_ready()
        self.assertEqual(self.get("/livez", self.certificate)[0], 200)

    def test_what_can_not_be_served_is_told_at_the_start(self):
        other, other_key = make_pair(self.d.folder, "two")
        for certificate, key, told in ((self.d.folder / "no.pem", self.key, "No such file"),
                                       (self.certificate, other_key, "is not the key of the certificate"),
                                       ("credential:x", self.key, "$CREDENTIALS_DIRECTORY")):
            d = self.d = Daemon()
            self.addCleanup(d.close)
            self.start(None, certificate, key)
            self.assertEqual(d.process.wait(60), 1)
            self.assertIn(told, d.log())


if __name__ == "__main__":
    unittest.main()
