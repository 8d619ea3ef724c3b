"""Keys and signatures for a run, made with the openssl command."""
import os
import subprocess
import tempfile


def _openssl(*arguments, data=b""):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Key:
    """The forms of one private key: pem and der (PKCS#8), old (its own), and public, public_pem."""

    def __init__(self, algorithm, *options):
        self.pem = _openssl("genpkey", "-algorithm", algorithm, *options)
        self.der = _openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", data=self.pem)
        self.public = _openssl("pkey", "-pubout", "-outform", "DER", data=self.pem)
        self.public_pem = _openssl("pkey", "-pubout", data=self.pem)

    def old(self):
        """The key as its algorithm has it, without PKCS#8 around it."""
        return _openssl("pkey", "-traditional", "-outform", "DER", data=self.pem)

    def sign(self, text, digest="sha256"):
        with tempfile.TemporaryDirectory(prefix="weir-keys-") as folder:
            path = os.path.join(folder, "key.pem")
            with open(path, "wb") as file:
                file.write(self.pem)
            return _openssl("dgst", f"-{digest}", "-sign", path, data=text)


RSA = Key("RSA", "-pkeyopt", "rsa_keygen_bits:2048")
EC = Key("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
ED = Key("ed25519")
