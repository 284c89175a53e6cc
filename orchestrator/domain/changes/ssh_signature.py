"""Public keys and signatures of OpenSSH, as `ssh-keygen -Y` writes them: PROTOCOL.sshsig."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from orchestrator.domain.errors import Refused

_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_DIGESTS = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_RSA_HASHES = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}
_CURVES = {
    b"ecdsa-sha2-nistp256": hashes.SHA256(),
    b"ecdsa-sha2-nistp384": hashes.SHA384(),
    b"ecdsa-sha2-nistp521": hashes.SHA512(),
}
_LEAST_RSA_BITS = 2048
_LONGEST = 16_384  # characters of a key or a signature


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicKey:
    """A public key of OpenSSH."""

    line: str  # `ssh-ed25519 AAAA…`, without a comment
    fingerprint: str  # `SHA256:…`, as `ssh-keygen -l` shows it
    comment: str

    @property
    def blob(self) -> bytes:
        """Its bytes, as a signature names them."""
        return base64.b64decode(self.line.split()[1])


def read_public_key(text: str) -> PublicKey:
    """The key in a file such as id_ed25519.pub. Raises Refused for what is none of ours."""
    words = text.strip().split(maxsplit=2)
    if len(words) < 2 or len(text) > _LONGEST or "\n" in text.strip():
        raise _no_key("it is not a public key of OpenSSH")
    try:
        line = f"{words[0]} {words[1]}"
        blob = base64.b64decode(words[1], validate=True)
        key = load_ssh_public_key(line.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _no_key("it is not a public key of OpenSSH") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_RSA_BITS:
        raise _no_key(f"an RSA key needs {_LEAST_RSA_BITS} bits at least")
    kinds = (ed25519.Ed25519PublicKey, ec.EllipticCurvePublicKey, rsa.RSAPublicKey)
    if not isinstance(key, kinds):
        raise _no_key("its kind is not taken")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    comment = words[2] if len(words) > 2 else ""
    return PublicKey(line=line, fingerprint=f"SHA256:{digest}", comment=comment)


def _no_key(why: str) -> Refused:
    fix = "give the file that ends in .pub, of an ed25519, ecdsa or rsa key"
    return Refused(f"this key cannot be used: {why}", field="key", fix=fix)


def is_signed(key: PublicKey, message: str, signature: str, *, namespace: str) -> bool:
    """Whether this is the key's signature over the message for that use."""
    try:
        return _is_signed(key, message.encode(), signature, namespace.encode())
    except (ValueError, IndexError, InvalidSignature, UnsupportedAlgorithm):
        return False


def _is_signed(key: PublicKey, message: bytes, armored: str, namespace: bytes) -> bool:
    blob = _unarmored(armored)
    if not blob.startswith(_MAGIC) or blob[6:10] != b"\x00\x00\x00\x01":
        return False
    public, used_for, reserved, digest, signature = _strings(blob[10:])
    if public != key.blob or used_for != namespace or digest not in _DIGESTS:
        return False
    said = (namespace, reserved, digest, _DIGESTS[digest](message).digest())
    _verify(key, _MAGIC + b"".join(map(_string, said)), signature)
    return True


def _verify(key: PublicKey, data: bytes, signature: bytes) -> None:
    """Raises InvalidSignature, ValueError."""
    kind, raw = _strings(signature)
    public = load_ssh_public_key(key.line.encode())
    if isinstance(public, ed25519.Ed25519PublicKey) and kind == b"ssh-ed25519":
        public.verify(raw, data)
    elif isinstance(public, rsa.RSAPublicKey) and kind in _RSA_HASHES:
        public.verify(raw, data, padding.PKCS1v15(), _RSA_HASHES[kind])
    elif isinstance(public, ec.EllipticCurvePublicKey) and kind in _CURVES:
        r, s = (int.from_bytes(one) for one in _strings(raw))
        public.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(_CURVES[kind]))
    else:
        raise InvalidSignature


def _unarmored(text: str) -> bytes:
    lines = text.strip().splitlines()
    if len(text) > _LONGEST or len(lines) < 3 or (lines[0], lines[-1]) != (_BEGIN, _END):
        raise ValueError
    return base64.b64decode("".join(lines[1:-1]), validate=True)


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


def _strings(data: bytes) -> list[bytes]:
    return list(_each_string(data))


def _each_string(data: bytes) -> Iterator[bytes]:
    """Each has its length in four bytes before it. Raises ValueError where one is cut."""
    while data:
        length = int.from_bytes(data[:4])
        if len(data) < 4 + length:
            raise ValueError
        yield data[4 : 4 + length]
        data = data[4 + length :]
