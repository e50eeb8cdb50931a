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

from daemon import PATIENCE_S, Daemon, binary
from support import await_true, make_pair, tool


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_expired(folder, key):
    """A certificate for that key whose time is over."""
    request, certificate = folder / "old.csr", folder / "old.pem"
    openssl("req", "-new", "-key", key, "-subj", "/CN=old", "-out", request)
    (folder / "serial").write_text("01\n")
    (folder / "index").write_text("")
    (folder / "ca.conf").write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nserial={folder}/serial\n"
                                    f"new_certs_dir={folder}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
    openssl("ca", "-batch", "-selfsign", "-config", folder / "ca.conf", "-keyfile", key, "-in", request, "-notext",
            "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-out", certificate)
    return certificate


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
        with socket.create_connection(("127.0.0.2", self.tls_port()), timeout=PATIENCE_S) as plain:
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
        with socket.create_connection(("127.0.0.2", self.tls_port()), timeout=PATIENCE_S) as s:
            s.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                self.assertNotIn(b"alive", s.recv(1000))
            except ConnectionError:
                pass  # it has closed before it had read all
        self.assertEqual(self.d.stop(), 0, self.d.log())

    def test_it_is_renewed_while_the_daemon_serves(self):
        self.start()
        self.d.await_ready()
        other, other_key = make_pair(self.d.folder, "two")

        def reload(expected):
            before = self.d.log().count(expected)
            self.d.process.send_signal(signal.SIGHUP)
            await_true(lambda: self.d.log().count(expected) > before, self.d.log)
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

    def test_whoever_asks_for_a_reload_is_told_of_the_certificate(self):
        self.start()
        self.d.await_ready()
        other, other_key = make_pair(self.d.folder, "two")
        expired = make_expired(self.d.folder, other_key)
        self.assertEqual(self.reload("http"), [])
        self.certificate.write_bytes(other.read_bytes())  # half way
        told, = self.reload("http")
        self.assertEqual(told["part"], "http")
        for word in (str(self.certificate), str(self.key), "is not the key of the certificate"):
            self.assertIn(word, told["why"])
        self.assertEqual(self.d.request("GET", "/v1/status").json()["unread"], [told])
        self.assertIn('pathwayd_reload_failed{part="http"} 1', self.d.request("GET", "/metrics").text())
        said = tool("reload", "--url", f"unix:{self.d.socket}")
        self.assertEqual(said.returncode, 1, said)
        self.assertIn("http was not read again", said.stderr)
        self.assertIn("is not the key of the certificate", said.stderr)
        self.certificate.write_bytes(expired.read_bytes())
        self.key.write_bytes(other_key.read_bytes())
        told, = self.reload("http")
        self.assertIn("expired at 2021-01-01T00:00:00Z: renew it", told["why"])
        with self.assertRaises(ssl.SSLError):
            self.get("/livez", other)
        self.certificate.write_bytes(other.read_bytes())
        said = tool("reload", "--url", f"unix:{self.d.socket}")
        self.assertEqual(said.returncode, 0, said)
        self.assertEqual(self.get("/livez", other)[0], 200)
        self.assertEqual(self.d.request("GET", "/v1/status").json()["unread"], [])
        measured = self.d.request("GET", "/metrics").text()
        self.assertIn('pathwayd_reload_failed{part="http"} 0', measured)
        self.assertGreater(float(re.search(r"^pathwayd_http_certificate_expiry_timestamp_seconds (\d+)$", measured,
                                           re.M)[1]), time.time())

    def test_whoever_asks_for_a_reload_is_told_of_the_configuration(self):
        self.start()
        self.d.await_ready()
        right = self.d.config.read_text()
        for more, told in (("\nlissten = x\n", "did you mean \"listen\""), ("\nretry_ms = 1000\n", "takes a restart")):
            self.d.config.write_text(right + more)
            unread, = self.reload("configuration")
            self.assertIn(told, unread["why"])
            self.assertIn(f"{self.d.config}:", unread["why"])
        self.d.config.write_text(right)
        self.assertEqual(self.reload("configuration"), [])

    def test_the_tool_trusts_the_certificates_it_is_given(self):
        self.start()
        self.d.await_ready()
        other, _ = make_pair(self.d.folder, "two")
        url = ("--url", f"https://127.0.0.2:{self.tls_port()}")
        for more in ((), ("--ca", other)):
            said = tool("status", *url, *more)
            self.assertEqual(said.returncode, 3)
            self.assertIn("is not trusted", said.stderr)
            self.assertIn("--ca FILE", said.stderr)
        for said in (tool("status", *url, "--ca", self.certificate), tool("status", *url, PATHWAY_CA=str(self.certificate))):
            self.assertEqual(said.returncode, 0, said.stderr)
        said = tool("status", *url, "--ca", self.d.folder / "no.pem")
        self.assertEqual(said.returncode, 3)
        self.assertIn("no.pem: No such file", said.stderr)

    def reload(self, part):
        answer = self.d.request("POST", "/v1/reload", "{}", {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 200, answer.text())
        return [u for u in answer.json()["unread"] if u["part"] == part]

    def test_it_can_be_a_credential_of_systemd(self):
        self.start({"CREDENTIALS_DIRECTORY": str(self.d.folder)}, "credential:one.pem", "credential:one.key")
        self.d.await_ready()
        self.assertEqual(self.get("/livez", self.certificate)[0], 200)

    def wrong_files(self):
        """(certificate, key, what is said)"""
        f = self.d.folder
        other, other_key = make_pair(f, "two")

        def made(name, content):
            (f / name).write_bytes(content)
            return f / name
        key = self.key.read_bytes()
        openssl("pkey", "-in", self.key, "-aes256", "-passout", "pass:x", "-out", f / "locked.key")
        openssl("pkey", "-in", self.key, "-pubout", "-out", f / "public.key")
        openssl("x509", "-in", self.certificate, "-outform", "der", "-out", f / "one.der")
        chain = made("chain.pem", other.read_bytes() + self.certificate.read_bytes())
        yield f / "no.pem", self.key, "no.pem: No such file or directory; 'certificate' names it"
        yield self.certificate, other_key, "is not the key of the certificate"
        yield self.certificate, made("empty.key", b""), "empty.key is empty; expected a key in PEM"
        yield self.certificate, made("note.key", b"to be done"), "note.key is no key: expected PEM, -----BEGIN PRIVATE"
        yield self.certificate, f / "locked.key", "is encrypted, and nobody can type its passphrase"
        yield self.certificate, f / "public.key", "holds a public key"
        yield self.certificate, made("cut.key", key[:len(key) // 2]), "cut.key is damaged"
        yield self.certificate, made("bent.key", key.replace(b"M", b"?")), "bent.key is damaged"
        yield self.key, self.certificate, "'certificate' and 'key' may be exchanged"
        yield f / "one.der", self.key, "is in DER; expected PEM: openssl x509 -inform der"
        yield chain, self.key, "is the key of certificate 2 in"
        yield f, self.key, "is a folder, no file"

    def test_what_can_not_be_served_is_told_by_check_with_its_line(self):
        config = self.d.config.read_text()
        for certificate, key, told in self.wrong_files():
            with self.subTest(told=told):
                self.d.config.write_text(config + f"\ncertificate = {certificate}\nkey = {key}\n")
                said = subprocess.run([binary("pathwayd"), "--config", str(self.d.config), "--check"],
                                      capture_output=True, text=True, timeout=PATIENCE_S)
                self.assertEqual(said.returncode, 1, said)
                self.assertIn(told, said.stderr)
                self.assertRegex(said.stderr, rf"^{re.escape(str(self.d.config))}:\d+: ")
        self.key.chmod(0o644)
        self.d.config.write_text(config + f"\ncertificate = {self.certificate}\nkey = {self.key}\n")
        said = subprocess.run([binary("pathwayd"), "--config", str(self.d.config), "--check"], capture_output=True,
                              text=True, timeout=PATIENCE_S)
        self.assertIn(f"every user of this machine can read the key {self.key}", said.stderr)
        self.key.chmod(0o600)
        self.d.config.write_text(config + f"\ncertificate = {self.certificate}\nkey = {self.key}\n")
        subprocess.run([binary("pathwayd"), "--config", str(self.d.config), "--check"], check=True, timeout=PATIENCE_S)

    def test_one_that_has_expired_is_served_with_a_warning_at_the_start(self):
        expired = make_expired(self.d.folder, self.key)
        self.key.chmod(0o644)
        self.start(None, expired, self.key)
        self.d.await_ready()
        self.assertIn(f"the certificate {expired} expired at 2021-01-01T00:00:00Z: renew it", self.d.log())
        self.assertIn("can read the key", self.d.log())
        self.assertTrue(self.tls_port())

    def test_what_can_not_be_served_is_told_at_the_start(self):
        other, other_key = make_pair(self.d.folder, "two")
        for certificate, key, told in ((self.d.folder / "no.pem", self.key, "No such file"),
                                       (self.certificate, other_key, "is not the key of the certificate"),
                                       ("credential:x", self.key, "$CREDENTIALS_DIRECTORY")):
            d = self.d = Daemon()
            self.addCleanup(d.close)
            self.start(None, certificate, key)
            self.assertEqual(d.process.wait(PATIENCE_S), 1)
            self.assertIn(told, d.log())


if __name__ == "__main__":
    unittest.main()
