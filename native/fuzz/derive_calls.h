/* SPDX-License-Identifier: Apache-2.0 */
/* Part of fuzz_ckteec.c: derivations whose answers go to several places in the mechanism's parameter. */
#ifndef DERIVE_CALLS_H
#define DERIVE_CALLS_H

static CK_RV derive(CK_MECHANISM_TYPE type, void *parameter, CK_ULONG size)
{
    CK_MECHANISM mechanism = {type, parameter, size};
    CK_OBJECT_HANDLE *key = application_block(sizeof(*key));

    return C_DeriveKey(SESSION, &mechanism, OBJECT, NULL, 0, key);
}

static CK_RV derive_key_block(CK_MECHANISM_TYPE type)
{
    CK_TLS12_KEY_MAT_PARAMS *params = application_block(sizeof(*params));
    CK_SSL3_KEY_MAT_OUT *out = application_block(sizeof(*out));
    const CK_ULONG vector_size = take_u8(&input) % 80; /* more is refused */

    out->pIVClient = application_block(vector_size);
    out->pIVServer = application_block(vector_size);
    params->ulIVSizeInBits = 8 * vector_size;
    params->pReturnedKeyMaterial = out;
    return derive(type, params, sizeof(*params));
}

static CK_RV derive_master_key(CK_MECHANISM_TYPE type)
{
    CK_TLS12_MASTER_KEY_DERIVE_PARAMS *params = application_block(sizeof(*params));

    params->pVersion = take_u8(&input) % 4 != 0 ? application_block(sizeof(CK_VERSION)) : NULL;
    return derive(type, params, sizeof(*params));
}

static CK_RV derive_extended_master_key(CK_MECHANISM_TYPE type)
{
    CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS *params = application_block(sizeof(*params));

    params->pVersion = take_u8(&input) % 4 != 0 ? application_block(sizeof(CK_VERSION)) : NULL;
    return derive(type, params, sizeof(*params));
}

static CK_RV derive_one_key(CK_MECHANISM_TYPE type)
{
    return derive(type, NULL, 0);
}

static const struct {
    CK_MECHANISM_TYPE type;
    CK_RV (*derive)(CK_MECHANISM_TYPE type);
} derivations[] = {
    {CKM_TLS12_KEY_AND_MAC_DERIVE, derive_key_block},
    {CKM_TLS12_KEY_SAFE_DERIVE, derive_key_block},
    {CKM_TLS12_MASTER_KEY_DERIVE, derive_master_key},
    {CKM_TLS12_MASTER_KEY_DERIVE_DH, derive_master_key},
    {CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, derive_extended_master_key},
    {CKM_SHA256_KEY_DERIVATION, derive_one_key},
};

static void call_derive(void)
{
    const size_t which = take_u8(&input) % COUNT(derivations);

    require_sane(derivations[which].derive(derivations[which].type));
}

#endif
