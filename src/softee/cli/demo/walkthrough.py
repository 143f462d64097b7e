# SPDX-License-Identifier: Apache-2.0
"""The steps of OP-TEE's "Linux userland integration: PKCS#11 driver", in its order and with its commands."""

from softee.cli.demo.checks import (
    certificate_is_signed_by_the_token,
    exits,
    fails,
    lists_documented_mechanisms,
    remembers,
    request_is_signed_by_the_token,
    says,
    says_times,
)
from softee.cli.demo.step import DemoStep

SLOT = r"^Slot \d \(0x\d\): (OP-TEE PKCS11 TA - TEE UUID [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
UNINITIALIZED = r"^  token state:   uninitialized$"
REQUEST = "openssl req -new -engine pkcs11 -keyform engine -key label_mykey -subj '/CN=My CSR'"
KEY_URI = "'pkcs11:token=mytoken;object=mykey;type=private'"

STEPS = (
    DemoStep(
        "library information",
        "p11 --show-info",
        (
            exits(0),
            says("Cryptoki version 2.40", "Manufacturer Linaro"),
            says("Library OP-TEE PKCS11 Cryptoki library (ver 0.1)"),
        ),
    ),
    DemoStep(
        "three uninitialized slots",
        "p11 --list-slots",
        (exits(0), says_times(3, SLOT), says_times(3, UNINITIALIZED)),
    ),
    DemoStep(
        "initialize the token",
        "p11 --init-token --label mytoken --so-pin 1234567890",
        (exits(0), says("Token successfully initialized")),
    ),
    DemoStep(
        "initialize the user's PIN",
        "p11 --label mytoken --login --so-pin 1234567890 --init-pin --pin 12345",
        (exits(0), says("User PIN successfully initialized")),
    ),
    DemoStep(
        "one initialized slot",
        "p11 --list-slots",
        (
            exits(0),
            says_times(2, UNINITIALIZED),
            says("token label : mytoken", "token manufacturer : Linaro", "token model : OP-TEE TA"),
            says("token flags : login required, rng, token initialized, PIN initialized\n", "pin min/max : 4/128"),
        ),
    ),
    DemoStep("mechanisms", "p11 --list-mechanisms", (exits(0), lists_documented_mechanisms)),
    DemoStep(
        "generate a P-256 key pair",
        "p11 -l --pin 12345 --keypairgen --key-type EC:prime256v1 --label mykey",
        (
            exits(0),
            says("Private Key Object; EC", "Public Key Object; EC EC_POINT 256 bits"),
            says("Access: sensitive, always sensitive, never extractable, local"),
            says("EC_PARAMS: 06082a8648ce3d030107"),
            remembers("point", r"^  EC_POINT:   (044104[0-9a-f]{128})$"),
        ),
    ),
    DemoStep(
        "certificate request by the token's key",
        f"{REQUEST} -out mykey_csr.pem",
        (exits(0), request_is_signed_by_the_token("mykey_csr.pem")),
        engine=True,
    ),
    DemoStep(
        "OpenSSL verifies the request",
        "openssl req -in mykey_csr.pem -text -noout -verify",
        (exits(0), says("verify OK", "NIST CURVE: P-256", "Signature Algorithm: ecdsa-with-SHA256")),
    ),
    DemoStep(
        "self-signed certificate by the token's key",
        f"{REQUEST} -x509 -out mykey_selfsigned_cert.pem",
        (exits(0), certificate_is_signed_by_the_token("mykey_selfsigned_cert.pem")),
        engine=True,
    ),
    DemoStep(
        "OpenSSL reads the certificate",
        "openssl x509 -in mykey_selfsigned_cert.pem -text -noout",
        (exits(0), says("Issuer: CN = My CSR", "NIST CURVE: P-256", "Signature Algorithm: ecdsa-with-SHA256")),
    ),
    DemoStep(
        "OpenSSL verifies the certificate",
        "openssl verify -CAfile mykey_selfsigned_cert.pem mykey_selfsigned_cert.pem",
        (exits(0), says("mykey_selfsigned_cert.pem: OK")),
    ),
    DemoStep(
        "the TLS server's key",
        "openssl ecparam -genkey -name prime256v1 -out server_key.pem",
        (exits(0),),
    ),
    DemoStep(
        "the TLS server's certificate",
        "openssl req -new -x509 -key server_key.pem -subj /CN=Server -out server_cert.pem",
        (exits(0),),
    ),
    DemoStep(
        "a TLS server that wants certificates",
        "openssl s_server -accept 127.0.0.1:0 -cert server_cert.pem -key server_key.pem -www -Verify 1",
        (
            says("verify depth is 1, must return a certificate"),
            remembers("port", r"^ACCEPT 127\.0\.0\.1:(\d+)$"),
        ),
        ready="ACCEPT",
    ),
    DemoStep(
        "curl without a certificate is refused",
        "curl -sS -k https://127.0.0.1:{port}",
        (fails, says("certificate required")),
    ),
    DemoStep(
        "TLS 1.3 with the token's key",
        "openssl s_client -engine pkcs11 -connect 127.0.0.1:{port} -cert mykey_selfsigned_cert.pem"
        " -keyform engine -key label_mykey -ign_eof",
        (exits(0), says("New, TLSv1.3, Cipher is TLS_", "HTTP/1.0 200 ok", "Client certificate", "Subject: CN=My CSR")),
        stdin="GET / HTTP/1.0\r\n\r\n",
        engine=True,
    ),
    DemoStep(
        "curl with the token's key is served",
        "curl -sS -k -i --engine pkcs11 --key-type ENG --cert mykey_selfsigned_cert.pem"
        f" --key {KEY_URI} https://127.0.0.1:{{port}}",
        (exits(0), says("HTTP/1.0 200 ok", "Client certificate", "Subject: CN=My CSR")),
        engine=True,
    ),
)
