# SPDX-License-Identifier: Apache-2.0
"""Slots, tokens, sessions, PINs and logins, on a slot of their own; and what no token has."""

from collections.abc import Sequence

from board.differential.mechanisms import LATER, label
from board.differential.script import Script, mechanism, template
from board.differential.zoo import HANDLES, LABEL, OBJECTS, PIN, SO_PIN, text
from softee.names import CKA, CKM

SLOT = 1
WRONG = b"999999"
LABEL_TEXT = f"x:{LABEL.hex()}"
RW, RO = 6, 4
SO, USER, CONTEXT = 0, 1, 2


def _calls(script: Script, label: str, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        script.call(f"{label}, {number}: {line}", line, alone=True)


def slots(script: Script) -> None:
    """The lists of slots and mechanisms, and what is said of them."""
    script.case("slots")
    _calls(script, "info", ("C_GetInfo -", "C_GetInfo o:88", "C_Initialize -", "C_Finalize 1"))
    for present in (0, 1):
        for buffer in ("- 0", "- 5", "o:0 0", "o:16 2", "o:24 3", "o:64 8"):
            out, length = buffer.split()
            script.put("n", length)
            script.call(f"{present}, {buffer}", f"C_GetSlotList {present} {out} &n", alone=True)
    _calls(script, "NULL", ("C_GetSlotList 1 o:64 -", "C_GetSlotInfo 0 -", "C_GetTokenInfo 0 -"))
    _calls(script, "none", ("C_GetSlotInfo 3 o:120", "C_GetTokenInfo 3 o:208", "C_GetSlotInfo ~ o:120"))
    for buffer in ("- 0", "o:0 0", "o:8 1", "o:1600 200"):
        out, length = buffer.split()
        script.put("n", length)
        script.call(buffer, f"C_GetMechanismList 0 {out} &n", alone=True)
    for one in (*(one for one in CKM if one not in LATER), 0x80001234, 0xFFFFFFFF, 0x100001041):
        script.call(label(one), f"C_GetMechanismInfo 0 {int(one):#x} o:24", alone=True)
    _calls(script, "bad", ("C_GetMechanismInfo 3 0x1081 o:24", "C_GetMechanismInfo 0 0x1081 -"))


def opening(script: Script) -> None:
    """Sessions with all flags, and handles that are none."""
    script.case("sessions")
    for flags in (0, 1, 2, 3, 4, 5, 6, 7, 0xE, "0x100000004"):
        script.put("h", "0")
        script.call(f"{flags}", f"C_OpenSession 0 {flags} - - &h", alone=True)
        script.call(f"{flags}", "C_CloseSession $h", alone=True)
    script.put("h", "0")
    _calls(script, "bad", ("C_OpenSession 3 6 - - &h", "C_OpenSession 0 6 - - -", "C_CloseSession 4242"))
    _calls(script, "bad", ("C_CloseSession 0", "C_CloseAllSessions 3", "C_GetSessionInfo 4242 o:32"))
    _calls(script, "bad", ("C_GetSessionInfo $s -", "C_Logout 4242", f"C_Login 4242 1 {text(PIN)}"))
    script.call("mine", "C_GetSessionInfo $s o:32", alone=True)


def _token(script: Script) -> None:
    """The slot's token, new, with both PINs and nobody logged in."""
    _calls(
        script,
        "new token",
        (
            f"C_CloseAllSessions {SLOT}",
            f"C_InitToken {SLOT} {text(SO_PIN)} {LABEL_TEXT}",
            f"C_OpenSession {SLOT} {RW} - - &hs",
            f"C_Login $hs {SO} {text(SO_PIN)}",
            f"C_InitPIN $hs {text(PIN)}",
            "C_Logout $hs",
        ),
    )


def logins(script: Script) -> None:
    """Logins in every state, and what each user may do."""
    script.case("logins")
    _token(script)
    for user in (SO, USER, CONTEXT, 3, "0x100000001"):
        for pin in (SO_PIN, PIN):
            script.call(f"{user}, {pin!r}", f"C_Login $hs {user} {text(pin)}", alone=True)
            script.call(f"{user}, {pin!r}", "C_GetSessionInfo $hs o:32", alone=True)
            script.call(f"{user}, {pin!r}, again", f"C_Login $hs {user} {text(pin)}", alone=True)
            script.call(f"{user}, {pin!r}, other", f"C_Login $hs {1 if user == SO else 0} {text(SO_PIN)}", alone=True)
            script.call(f"{user}, {pin!r}", "C_Logout $hs", alone=True)
    _calls(script, "nobody", ("C_Logout $hs", f"C_InitPIN $hs {text(PIN)}", f"C_SetPIN $hs {text(PIN)} {text(PIN)}"))
    with_ro = (f"C_OpenSession {SLOT} {RO} - - &hr", f"C_Login $hs {SO} {text(SO_PIN)}")
    _calls(script, "read-only", (*with_ro, f"C_Login $hr {USER} {text(PIN)}", "C_GetSessionInfo $hr o:32"))
    _calls(script, "read-only", (f"C_SetPIN $hr {text(PIN)} {text(PIN)}", f"C_InitPIN $hr {text(PIN)}"))
    _calls(script, "open", (f"C_InitToken {SLOT} {text(SO_PIN)} {LABEL_TEXT}", "C_Logout $hs", "C_CloseSession $hr"))
    _calls(script, "SO", (f"C_Login $hs {SO} {text(SO_PIN)}", f"C_OpenSession {SLOT} {RO} - - &hr"))
    _calls(script, "SO", (f"C_OpenSession {SLOT} {RW} - - &hr", "C_GetSessionInfo $hr o:32"))
    public, private = ({**OBJECTS["aes"], CKA.PRIVATE: value} for value in (False, True))
    for attributes in (public, private):
        _calls(script, "SO", (f"C_CreateObject $hs {template(attributes.items())} &ho",))
    _calls(script, "nobody", ("C_Logout $hs", f"C_CreateObject $hs {template(private.items())} &ho"))


def pins(script: Script) -> None:
    """PINs of all lengths, wrong ones until the lock, and the way out of it."""
    script.case("PINs")
    _token(script)
    for size in (0, 3, 4, 128, 129, 1000):
        pin = text(b"1" * size)
        _calls(script, f"{size}", (f"C_Login $hs {SO} {text(SO_PIN)}", f"C_InitPIN $hs {pin}", "C_Logout $hs"))
        _calls(script, f"{size}", (f"C_Login $hs {USER} {pin}", f"C_SetPIN $hs {pin} {text(PIN)}", "C_Logout $hs"))
        _calls(script, f"{size}", (f"C_SetPIN $hs {text(PIN)} {pin}",))
        _token(script)
    _calls(script, "NULL", (f"C_Login $hs {USER} - 6", f"C_Login $hs {USER} - 0"))
    _calls(script, "NULL", ("C_InitPIN $hs - 4", f"C_SetPIN $hs - 4 {text(PIN)}"))
    for user, right in ((USER, PIN), (SO, SO_PIN)):
        _token(script)
        for count in range(9):
            script.call(f"user {user}, wrong {count}", f"C_Login $hs {user} {text(WRONG)}", alone=True)
            script.call(f"user {user}, wrong {count}", f"C_GetTokenInfo {SLOT} o:208", alone=True)
        script.call(f"user {user}, right", f"C_Login $hs {user} {text(right)}", alone=True)
        if user == USER:
            way_out = (f"C_Login $hs {SO} {text(SO_PIN)}", f"C_InitPIN $hs {text(PIN)}", "C_Logout $hs")
            _calls(script, "unlock", (*way_out, f"C_GetTokenInfo {SLOT} o:208", f"C_Login $hs {USER} {text(PIN)}"))
    _calls(script, "locked", ("C_CloseAllSessions 1", f"C_InitToken {SLOT} {text(SO_PIN)} {LABEL_TEXT}"))


def initializing(script: Script) -> None:
    """C_InitToken with PINs and labels of all kinds, on a token that nobody has initialized."""
    script.case("tokens")
    slot = 2
    for pin in ("- 0", "- 8", "x: 0", text(b"123"), text(b"1" * 129)):
        script.call(pin[:10], f"C_InitToken {slot} {pin} {LABEL_TEXT}", alone=True)
        script.call(pin[:10], f"C_GetTokenInfo {slot} o:208", alone=True)
    script.call("no label", f"C_InitToken {slot} {text(SO_PIN)} -", alone=True)
    script.call("no slot", f"C_InitToken 3 {text(SO_PIN)} {LABEL_TEXT}", alone=True)
    script.call("before", f"C_OpenSession {slot} {RW} - - &h", alone=True)
    script.call("before", f"C_Login $h {USER} {text(PIN)}", alone=True)
    script.call("before", f"C_Login $h {SO} {text(SO_PIN)}", alone=True)
    script.call("before", "C_CloseSession $h", alone=True)
    for given in (SO_PIN, SO_PIN, WRONG):
        script.call(given.decode(), f"C_InitToken {slot} {text(given)} {LABEL_TEXT}", alone=True)
        script.call(given.decode(), f"C_GetTokenInfo {slot} o:208", alone=True)


def searching(script: Script) -> None:
    """Searches in every order."""
    script.case("searches")
    begin = f"C_FindObjectsInit $s {template([(CKA.TOKEN, False)])}"
    script.put("n", "0")
    _calls(script, "none", ("C_FindObjects $s &h 1 &n", "C_FindObjectsFinal $s"))
    _calls(script, "one", (begin, begin, "C_FindObjects $s - 0 &n", "C_FindObjects $s - 1 &n"))
    _calls(script, "one", ("C_FindObjects $s &h 1 -", "C_FindObjectsFinal $s", "C_FindObjectsFinal $s"))
    _calls(script, "NULL", ("C_FindObjectsInit $s - 1", "C_FindObjectsInit 4242 - 0", "C_FindObjectsInit $s - 0"))
    _calls(script, "nothing", (f"C_DestroyObject $s {4242}", "C_FindObjectsFinal $s", "C_DestroyObject $s 0"))


def random_numbers(script: Script) -> None:
    """C_GenerateRandom and C_SeedRandom."""
    script.case("random")
    for size in (0, 1, 100, 5000):
        script.call(f"{size}", f"C_GenerateRandom $s o:{size} {size}", chance=True, alone=True)
    _calls(script, "NULL", ("C_GenerateRandom $s - 4", "C_GenerateRandom $s - 0", "C_GenerateRandom 4242 o:4 4"))
    _calls(script, "seed", ("C_SeedRandom $s x:0102 2", "C_SeedRandom $s - 2", "C_SeedRandom $s - 0"))
    _calls(script, "seed", ("C_SeedRandom 4242 x:01 1",))


def without(script: Script) -> None:
    """Functions that the token does not have. Nobody waits for a slot event: ours comes at the end only."""
    script.case("without")
    ecb, sha = mechanism(CKM.AES_ECB), mechanism(CKM.SHA256)
    _calls(
        script,
        "not there",
        (
            "C_GetOperationState $s - &n",
            "C_SetOperationState $s x:00 1 0 0",
            f"C_SignRecoverInit $s {ecb} {HANDLES['rsa-private']}",
            "C_SignRecover $s x:00 1 o:8 &n",
            f"C_VerifyRecoverInit $s {ecb} {HANDLES['rsa-public']}",
            "C_VerifyRecover $s x:00 1 o:8 &n",
            "C_DigestEncryptUpdate $s x:00 1 o:8 &n",
            "C_DecryptDigestUpdate $s x:00 1 o:8 &n",
            "C_SignEncryptUpdate $s x:00 1 o:8 &n",
            "C_DecryptVerifyUpdate $s x:00 1 o:8 &n",
            "C_GetFunctionStatus $s",
            "C_CancelFunction $s",
            "C_WaitForSlotEvent 1 &n -",
            f"C_DigestInit 4242 {sha}",
        ),
    )


ALL = (slots, opening, logins, pins, initializing, searching, random_numbers, without)
"""What is tried."""
