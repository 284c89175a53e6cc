"""Check the proof of an approved change: python check_change_proof.py proof.json [SIGNERS].

Needs Python and OpenSSH's `ssh-keygen`, and neither Meshline nor its database. SIGNERS is a file of
lines `MAIL ssh-ed25519 AAAA…` that you got from the people themselves; without it the proof only
shows that whoever has the key in it signed. Ends with 0 where everything holds, else with 1.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FORMAT = "meshline proof of an approved change, version 1"
FIRST_LINE = "meshline decision about a change, version 1\n"
FIELDS = {"format", "definition", "evidence", "subject", "message", "signature", "public_key"}
BEGIN, END = "-----BEGIN SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n"


class Wrong(Exception):
    """The proof does not hold; the message says why."""


def check(condition: object, why: str) -> None:
    """Raise Wrong where it does not hold."""
    if not condition:
        raise Wrong(why)


def sha256(text: str) -> str:
    """64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_texts(proof: dict[str, Any]) -> dict[str, Any]:
    """Each text has the digest that the next one names; what was signed, as a mapping."""
    check(set(proof) == FIELDS and proof["format"] == FORMAT, "this is not a proof that I know")
    subject = json.loads(proof["subject"])
    check(proof["message"].startswith(FIRST_LINE), "what was signed is not a decision")
    said = json.loads(proof["message"].removeprefix(FIRST_LINE))
    check(said["digest"] == sha256(proof["subject"]), "another subject was signed")
    check(subject["definition"] == sha256(proof["definition"]), "another definition was signed")
    evidence = {kind: sha256(text) for kind, text in proof["evidence"].items()}
    check(subject.get("evidence", {}) == evidence, "other evidence was signed")
    for name in ("client", "workflow"):
        check(said[name] == subject[name], f"subject and decision name another {name}")
    check(said["decision"] == "approve", f"the decision is {said['decision']}")
    check(f"person:{said['person']}" not in said["authors"], "the approver is one of the authors")
    return {**said, "base": subject["base"], "kind": subject["kind"]}


def check_encodings(proof: dict[str, Any]) -> None:
    """Base64 has spare bits: one spelling counts, so that no bit of the file may differ."""
    kind, key = proof["public_key"].split(" ")
    same = base64.b64encode(base64.b64decode(key)).decode()
    check(f"{kind} {same}" == proof["public_key"], "the key is not as OpenSSH writes it")
    body = proof["signature"].removeprefix(BEGIN).removesuffix(END)
    again = base64.b64encode(base64.b64decode(body)).decode()
    lines = "".join(again[at : at + 70] + "\n" for at in range(0, len(again), 70))
    check(BEGIN + lines + END == proof["signature"], "the signature is not as ssh-keygen writes it")


def check_signature(proof: dict[str, Any], person: str, signers: str | None) -> None:
    """Let ssh-keygen say whether this person's key signed exactly this message."""
    with tempfile.TemporaryDirectory() as folder:
        allowed, signature = Path(folder, "signers"), Path(folder, "signature")
        signature.write_text(proof["signature"])
        for lines in filter(None, (f"{person} {proof['public_key']}\n", signers)):
            allowed.write_text(lines)
            done = subprocess.run(
                ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", person,
                 "-n", "meshline-change", "-s", str(signature)],
                input=proof["message"].encode(), capture_output=True, check=False,
            )  # fmt: skip
            check(done.returncode == 0, f"the signature is not {person}'s over this message")


def main() -> int:
    """Check the file that is named, and say what it proves or why it does not."""
    try:
        proof = json.loads(Path(sys.argv[1]).read_text("utf-8"))
        signers = Path(sys.argv[2]).read_text("utf-8") if len(sys.argv) > 2 else None
        said = check_texts(proof)
        check_encodings(proof)
        check_signature(proof, said["person"], signers)
    except (Wrong, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        print(f"wrong: {error}")
        return 1
    print(f"{said['person']} approved change {said['change']} of {said['workflow']}", end="")
    print(f" (client {said['client']}, {said['kind']}) upon version {said['base']}", end="")
    print(f" at {said['time']}; its authors are {', '.join(said['authors'])}")
    print("the key is in your list" if signers else "whose key it is, this alone does not show")
    return 0


if __name__ == "__main__":
    sys.exit(main())
