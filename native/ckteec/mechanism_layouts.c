/* SPDX-License-Identifier: Apache-2.0 */
/* The table of layouts, by the structures of pkcs11.h, and the table of mechanisms, from the Python one. */
#include "mechanism_layouts.h"

#include <stdint.h>
#include <stdlib.h>

enum layout_name {
    LAYOUT_BYTES,
    LAYOUT_ULONG,
    LAYOUT_AES_CTR,
    LAYOUT_GCM,
    LAYOUT_RSA_PKCS_PSS,
    LAYOUT_RSA_PKCS_OAEP,
    LAYOUT_RSA_AES_KEY_WRAP,
    LAYOUT_ECDH1_DERIVE,
    LAYOUT_EDDSA,
    LAYOUT_KEY_DERIVATION_STRING_DATA,
    LAYOUT_AES_CBC_ENCRYPT_DATA,
};

#define FIELD(kind, structure, member) {kind, offsetof(structure, member), 0}
#define COUNTED(structure, member, length) {FIELD_COUNTED, offsetof(structure, member), offsetof(structure, length)}

static const struct layout layouts[] = {
    [LAYOUT_BYTES] = {0, false, {{FIELD_WHOLE, 0, 0}}},
    [LAYOUT_ULONG] = {sizeof(CK_MAC_GENERAL_PARAMS), false, {{FIELD_ULONG, 0, 0}}},
    [LAYOUT_AES_CTR] = {sizeof(CK_AES_CTR_PARAMS),
                        false,
                        {FIELD(FIELD_ULONG, CK_AES_CTR_PARAMS, ulCounterBits),
                         FIELD(FIELD_BLOCK, CK_AES_CTR_PARAMS, cb)}},
    [LAYOUT_GCM] = {sizeof(CK_GCM_PARAMS),
                    false,
                    {COUNTED(CK_GCM_PARAMS, pIv, ulIvLen), COUNTED(CK_GCM_PARAMS, pAAD, ulAADLen),
                     FIELD(FIELD_ULONG, CK_GCM_PARAMS, ulTagBits)}},
    [LAYOUT_RSA_PKCS_PSS] = {sizeof(CK_RSA_PKCS_PSS_PARAMS),
                             false,
                             {FIELD(FIELD_ULONG, CK_RSA_PKCS_PSS_PARAMS, hashAlg),
                              FIELD(FIELD_ULONG, CK_RSA_PKCS_PSS_PARAMS, mgf),
                              FIELD(FIELD_ULONG, CK_RSA_PKCS_PSS_PARAMS, sLen)}},
    [LAYOUT_RSA_PKCS_OAEP] = {sizeof(CK_RSA_PKCS_OAEP_PARAMS),
                              false,
                              {FIELD(FIELD_ULONG, CK_RSA_PKCS_OAEP_PARAMS, hashAlg),
                               FIELD(FIELD_ULONG, CK_RSA_PKCS_OAEP_PARAMS, mgf),
                               FIELD(FIELD_ULONG, CK_RSA_PKCS_OAEP_PARAMS, source),
                               COUNTED(CK_RSA_PKCS_OAEP_PARAMS, pSourceData, ulSourceDataLen)}},
    [LAYOUT_RSA_AES_KEY_WRAP] = {sizeof(CK_RSA_AES_KEY_WRAP_PARAMS),
                                 false,
                                 {FIELD(FIELD_ULONG, CK_RSA_AES_KEY_WRAP_PARAMS, ulAESKeyBits),
                                  FIELD(FIELD_OAEP, CK_RSA_AES_KEY_WRAP_PARAMS, pOAEPParams)}},
    [LAYOUT_ECDH1_DERIVE] = {sizeof(CK_ECDH1_DERIVE_PARAMS),
                             false,
                             {FIELD(FIELD_ULONG, CK_ECDH1_DERIVE_PARAMS, kdf),
                              COUNTED(CK_ECDH1_DERIVE_PARAMS, pSharedData, ulSharedDataLen),
                              COUNTED(CK_ECDH1_DERIVE_PARAMS, pPublicData, ulPublicDataLen)}},
    [LAYOUT_EDDSA] = {sizeof(CK_EDDSA_PARAMS),
                      true,
                      {FIELD(FIELD_FLAG, CK_EDDSA_PARAMS, phFlag),
                       COUNTED(CK_EDDSA_PARAMS, pContextData, ulContextDataLen)}},
    [LAYOUT_KEY_DERIVATION_STRING_DATA] = {sizeof(CK_KEY_DERIVATION_STRING_DATA),
                                           false,
                                           {COUNTED(CK_KEY_DERIVATION_STRING_DATA, pData, ulLen)}},
    [LAYOUT_AES_CBC_ENCRYPT_DATA] = {sizeof(CK_AES_CBC_ENCRYPT_DATA_PARAMS),
                                     false,
                                     {FIELD(FIELD_BLOCK, CK_AES_CBC_ENCRYPT_DATA_PARAMS, iv),
                                      COUNTED(CK_AES_CBC_ENCRYPT_DATA_PARAMS, pData, length)}},
};

struct row {
    uint32_t type;
    enum layout_name layout;
};

static const struct row mechanism_layouts[] = {
#include "mechanism_layouts.gen.h"
};

static int compare(const void *key, const void *row)
{
    CK_MECHANISM_TYPE wanted = *(const CK_MECHANISM_TYPE *)key;
    uint32_t type = ((const struct row *)row)->type;

    return (wanted > type) - (wanted < type);
}

const struct layout *mechanism_layout(CK_MECHANISM_TYPE type)
{
    const struct row *row = bsearch(&type, mechanism_layouts, sizeof(mechanism_layouts) / sizeof(mechanism_layouts[0]),
                                    sizeof(mechanism_layouts[0]), compare);

    return row != NULL ? &layouts[row->layout] : NULL;
}

const struct layout *oaep_layout(void)
{
    return &layouts[LAYOUT_RSA_PKCS_OAEP];
}
