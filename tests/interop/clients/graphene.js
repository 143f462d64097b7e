// SPDX-License-Identifier: Apache-2.0
// A program that uses the token through graphene-pk11, and checks the results with Node's own cryptography.
//
// Arguments: the module, the PIN, what to do (a key of `tasks`).

const assert = require("node:assert");
const crypto = require("node:crypto");
const graphene = require("graphene-pk11");

const MESSAGE = Buffer.from("softee signs this message");
const { KeyGenMechanism, KeyType, ObjectClass } = graphene;

function aesKey(session, more = {}) {
    return session.generateKey(KeyGenMechanism.AES, {
        class: ObjectClass.SECRET_KEY, keyType: KeyType.AES, token: false, valueLen: 32, encrypt: true, decrypt: true, ...more,
    });
}

function rsaPair(session) {
    return session.generateKeyPair(KeyGenMechanism.RSA,
        { keyType: KeyType.RSA, modulusBits: 2048, publicExponent: Buffer.from([1, 0, 1]), token: false, verify: true, encrypt: true, wrap: true },
        { keyType: KeyType.RSA, token: false, sign: true, decrypt: true, unwrap: true });
}

function ecPair(session) {
    return session.generateKeyPair(KeyGenMechanism.EC,
        { keyType: KeyType.EC, paramsECDSA: graphene.NamedCurve.getByName("secp256r1").value, token: false, verify: true, derive: true },
        { keyType: KeyType.EC, token: false, sign: true, derive: true });
}

function rsaPublic(key) {
    const { modulus, publicExponent } = key.getAttribute({ modulus: null, publicExponent: null });
    const jwk = { kty: "RSA", n: modulus.toString("base64url"), e: publicExponent.toString("base64url") };
    return crypto.createPublicKey({ key: jwk, format: "jwk" });
}

function ecPublic(key) {
    const point = key.getAttribute("pointEC").subarray(-64);
    const jwk = { kty: "EC", crv: "P-256", x: point.subarray(0, 32).toString("base64url"), y: point.subarray(32).toString("base64url") };
    return crypto.createPublicKey({ key: jwk, format: "jwk" });
}

function thereAndBack(session, mechanism, encryptingKey, decryptingKey) {
    const encrypted = session.createCipher(mechanism, encryptingKey).once(MESSAGE, Buffer.alloc(1024));
    assert(!encrypted.includes(MESSAGE));
    const decrypted = session.createDecipher(mechanism, decryptingKey).once(encrypted, Buffer.alloc(1024));
    assert.deepStrictEqual(decrypted, MESSAGE);
    return encrypted;
}

const tasks = {
    "lists the token"(session) {
        const token = session.slot.getToken();
        assert.strictEqual(token.label.trim(), "mytoken");
        assert(session.slot.getMechanisms().length > 50);
    },
    "digests"(session) {
        const digest = session.createDigest("SHA256");
        digest.update(MESSAGE.subarray(0, 5));
        digest.update(MESSAGE.subarray(5));
        assert.deepStrictEqual(digest.final(), crypto.createHash("sha256").update(MESSAGE).digest());
    },
    "signs with RSA"(session) {
        const keys = rsaPair(session);
        const signature = session.createSign("SHA256_RSA_PKCS", keys.privateKey).once(MESSAGE);
        assert(crypto.verify("sha256", MESSAGE, rsaPublic(keys.publicKey), signature));
        assert(session.createVerify("SHA256_RSA_PKCS", keys.publicKey).once(MESSAGE, signature));
    },
    "signs with RSA-PSS"(session) {
        const keys = rsaPair(session);
        const params = new graphene.RsaPssParams(graphene.MechanismEnum.SHA256, graphene.RsaMgf.MGF1_SHA256, 32);
        const signature = session.createSign({ name: "SHA256_RSA_PKCS_PSS", params }, keys.privateKey).once(MESSAGE);
        const padding = { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
        assert(crypto.verify("sha256", MESSAGE, { key: rsaPublic(keys.publicKey), ...padding }, signature));
    },
    "signs with ECDSA"(session) {
        const keys = ecPair(session);
        const signature = session.createSign("ECDSA_SHA256", keys.privateKey).once(MESSAGE);
        assert(crypto.verify("sha256", MESSAGE, { key: ecPublic(keys.publicKey), dsaEncoding: "ieee-p1363" }, signature));
    },
    "encrypts with AES-CBC"(session) {
        const key = aesKey(session);
        thereAndBack(session, { name: "AES_CBC_PAD", params: crypto.randomBytes(16) }, key, key);
    },
    "encrypts with AES-GCM"(session) {
        const key = aesKey(session);
        const params = new graphene.AesGcmParams(crypto.randomBytes(12), Buffer.from("seen by all"), 128);
        assert.strictEqual(thereAndBack(session, { name: "AES_GCM", params }, key, key).length, MESSAGE.length + 16);
    },
    "encrypts with RSA-OAEP"(session) {
        const keys = rsaPair(session);
        const params = new graphene.RsaOaepParams(graphene.MechanismEnum.SHA256, graphene.RsaMgf.MGF1_SHA256, null);
        thereAndBack(session, { name: "RSA_PKCS_OAEP", params }, keys.publicKey, keys.privateKey);
    },
    "derives with ECDH"(session) {
        const [one, other] = [ecPair(session), ecPair(session)];
        const [first, second] = [[one, other], [other, one]].map(([own, theirs]) => {
            const params = new graphene.EcdhParams(graphene.EcKdf.NULL, null, theirs.publicKey.getAttribute("pointEC"));
            return session.deriveKey({ name: "ECDH1_DERIVE", params }, own.privateKey, {
                class: ObjectClass.SECRET_KEY, keyType: KeyType.AES, valueLen: 32, token: false, sensitive: false, extractable: true,
            }).getAttribute("value");
        });
        assert.strictEqual(first.length, 32);
        assert.deepStrictEqual(first, second);
    },
    "signs with HMAC"(session) {
        const value = crypto.randomBytes(32);
        const key = session.create({ class: ObjectClass.SECRET_KEY, keyType: KeyType.GENERIC_SECRET, token: false, sign: true, value });
        const signature = session.createSign("SHA256_HMAC", key.toType()).once(MESSAGE);
        assert.deepStrictEqual(signature, crypto.createHmac("sha256", value).update(MESSAGE).digest());
    },
    "wraps a key"(session) {
        const wrapping = aesKey(session, { wrap: true, unwrap: true });
        const wrapped = aesKey(session, { extractable: true, sensitive: false });
        const mechanism = { name: "AES_GCM", params: new graphene.AesGcmParams(crypto.randomBytes(12), null, 128) };
        const blob = session.wrapKey(mechanism, wrapping, wrapped);
        const back = session.unwrapKey(mechanism, wrapping, blob, {
            class: ObjectClass.SECRET_KEY, keyType: KeyType.AES, token: false, sensitive: false, extractable: true,
        });
        assert.deepStrictEqual(back.getAttribute("value"), wrapped.getAttribute("value"));
    },
    "finds, changes and destroys objects"(session) {
        const label = crypto.randomBytes(8).toString("hex");
        const made = session.create({ class: ObjectClass.DATA, label, token: true, private: true, value: MESSAGE });
        made.setAttribute({ label: `${label} changed` });
        const found = session.find({ class: ObjectClass.DATA, label: `${label} changed` });
        assert.strictEqual(found.length, 1);
        assert.deepStrictEqual(found.items(0).getAttribute("value"), MESSAGE);
        session.destroy(found.items(0));
        assert.strictEqual(session.find({ label: `${label} changed` }).length, 0);
    },
};

const [library, pin, task] = process.argv.slice(2);
const module_ = graphene.Module.load(library, "softee");
module_.initialize();
try {
    const session = module_.getSlots(0).open(graphene.SessionFlag.SERIAL_SESSION | graphene.SessionFlag.RW_SESSION);
    session.login(pin);
    tasks[task](session);
    session.logout();
    session.close();
    console.log(`${task}: ok`);
} finally {
    module_.finalize();
}
