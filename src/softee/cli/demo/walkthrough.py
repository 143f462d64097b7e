# SPDX-License-Identifier: Apache-2.0
"""The steps of OP-TEE's "Linux userland integration: PKCS#11 driver", in its order and with its commands."""

from softee.cli.demo import patterns
from softee.cli.demo.checks import Remembers, Says, exits, fails
from softee.cli.demo.files import certificate_signs_itself, is_private_key, prints_public_key_of, request_signs_itself
from softee.cli.demo.step import DemoStep
from softee.cli.demo.token import (
    KEY,
    LABEL,
    PIN,
    SO_PIN,
    has_flags,
    has_tokens,
    holds_public_key_of,
    holds_the_key_pair,
    offers_documented_mechanisms,
)
from softee.names import TokenFlag

REQUEST = f"openssl req -new -engine pkcs11 -keyform engine -key label_{KEY} -subj '/CN=My CSR'"
KEY_URI = f"'pkcs11:token={LABEL};object={KEY};type=private'"
CERTIFICATE = "mykey_selfsigned_cert.pem"
READY = TokenFlag.RNG | TokenFlag.LOGIN_REQUIRED | TokenFlag.TOKEN_INITIALIZED | TokenFlag.USER_PIN_INITIALIZED

STEPS = (
    DemoStep("library information", "p11 --show-info", (exits(0), Says(patterns.LIBRARY))),
    DemoStep(
        "three uninitialized slots",
        "p11 --list-slots",
        (exits(0), Says(patterns.SLOT, times=3), has_tokens(None, None, None)),
    ),
    DemoStep(
        "initialize the token",
        f"p11 --init-token --label {LABEL} --so-pin {SO_PIN}",
        (exits(0), has_tokens(LABEL, None, None)),
    ),
    DemoStep(
        "initialize the user's PIN",
        f"p11 --label {LABEL} --login --so-pin {SO_PIN} --init-pin --pin {PIN}",
        (exits(0), has_flags(READY)),
    ),
    DemoStep(
        "one initialized slot",
        "p11 --list-slots",
        (exits(0), Says(patterns.SLOT, times=3), Says(patterns.TOKEN), has_tokens(LABEL, None, None)),
    ),
    DemoStep("mechanisms", "p11 --list-mechanisms", (exits(0), offers_documented_mechanisms)),
    DemoStep(
        "generate a P-256 key pair",
        f"p11 -l --pin {PIN} --keypairgen --key-type EC:prime256v1 --label {KEY}",
        (exits(0), holds_the_key_pair),
    ),
    DemoStep(
        "certificate request by the token's key",
        f"{REQUEST} -out mykey_csr.pem",
        (exits(0), request_signs_itself("mykey_csr.pem", "My CSR"), holds_public_key_of("mykey_csr.pem")),
        engine=True,
    ),
    DemoStep(
        "OpenSSL verifies the request",
        "openssl req -in mykey_csr.pem -text -noout -verify",
        (exits(0), Says(patterns.SIGNATURE_RIGHT), prints_public_key_of("mykey_csr.pem")),
    ),
    DemoStep(
        "self-signed certificate by the token's key",
        f"{REQUEST} -x509 -out {CERTIFICATE}",
        (exits(0), certificate_signs_itself(CERTIFICATE, "My CSR"), holds_public_key_of(CERTIFICATE)),
        engine=True,
    ),
    DemoStep(
        "OpenSSL reads the certificate",
        f"openssl x509 -in {CERTIFICATE} -text -noout",
        (exits(0), prints_public_key_of(CERTIFICATE)),
    ),
    DemoStep(
        "OpenSSL verifies the certificate",
        f"openssl verify -CAfile {CERTIFICATE} {CERTIFICATE}",
        (exits(0),),
    ),
    DemoStep(
        "the TLS server's key",
        "openssl ecparam -genkey -name prime256v1 -out server_key.pem",
        (exits(0), is_private_key("server_key.pem")),
    ),
    DemoStep(
        "the TLS server's certificate",
        "openssl req -new -x509 -key server_key.pem -subj /CN=Server -out server_cert.pem",
        (exits(0), certificate_signs_itself("server_cert.pem", "Server")),
    ),
    DemoStep(
        "a TLS server that wants certificates",
        "openssl s_server -accept 127.0.0.1:0 -cert server_cert.pem -key server_key.pem -www -Verify 1",
        (exits(0), Remembers("port", patterns.LISTENING)),
        ready="ACCEPT",
    ),
    DemoStep(
        "curl without a certificate is refused",
        "curl -sS -k https://127.0.0.1:{port}",
        (fails, Says(patterns.CERTIFICATE_WANTED)),
    ),
    DemoStep(
        "TLS 1.3 with the token's key",
        f"openssl s_client -engine pkcs11 -connect 127.0.0.1:{{port}} -cert {CERTIFICATE}"
        f" -keyform engine -key label_{KEY} -ign_eof",
        (exits(0), Says(patterns.TLS_1_3), Says(patterns.SERVED), prints_public_key_of(CERTIFICATE)),
        stdin="GET / HTTP/1.0\r\n\r\n",
        engine=True,
    ),
    DemoStep(
        "curl with the token's key is served",
        f"curl -sS -k -i --engine pkcs11 --key-type ENG --cert {CERTIFICATE}"
        f" --key {KEY_URI} https://127.0.0.1:{{port}}",
        (exits(0), Says(patterns.SERVED), prints_public_key_of(CERTIFICATE)),
        engine=True,
    ),
)
