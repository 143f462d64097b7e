/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of functions that PKCS#11 3.x adds. A part of fuzz_ckteec.c, whose input and blocks they use. */
#ifndef MODERN_CALLS_H
#define MODERN_CALLS_H

static const CK_FUNCTION_LIST_3_2 *all_functions(void)
{
    CK_INTERFACE *interface = NULL;

    require(C_GetInterface(NULL, NULL, &interface, 0) == CKR_OK);
    return interface->pFunctionList;
}

/* The parameter of a message, with room for a nonce and a tag and not a byte more. */
static CK_GCM_MESSAGE_PARAMS gcm_message(void)
{
    const CK_ULONG nonce_size = 1 + take_u8(&input) % 16;

    return (CK_GCM_MESSAGE_PARAMS){.pIv = application_block(nonce_size),
                                   .ulIvLen = nonce_size,
                                   .ivGenerator = take_u8(&input) % 2,
                                   .pTag = application_block(16),
                                   .ulTagBits = 128};
}

static CK_RV message(CK_BYTE *output, CK_ULONG *size)
{
    const CK_FUNCTION_LIST_3_2 *list = all_functions();
    CK_GCM_MESSAGE_PARAMS parameter = gcm_message();
    const CK_FLAGS flags = take_u8(&input) % 2;
    CK_BYTE data[] = "data";

    switch (take_u8(&input) % 4) {
    case 0:
        return list->C_EncryptMessage(SESSION, &parameter, sizeof(parameter), NULL, 0, data, sizeof(data), output,
                                      size);
    case 1:
        return list->C_EncryptMessageNext(SESSION, &parameter, sizeof(parameter), data, sizeof(data), output, size,
                                          flags);
    case 2:
        return list->C_DecryptMessage(SESSION, &parameter, sizeof(parameter), data, sizeof(data), data, sizeof(data),
                                      output, size);
    default:
        return list->C_DecryptMessageNext(SESSION, &parameter, sizeof(parameter), data, sizeof(data), output, size,
                                          flags);
    }
}

static CK_RV sign_message(CK_BYTE *output, CK_ULONG *size)
{
    const CK_FUNCTION_LIST_3_2 *list = all_functions();
    CK_BYTE data[] = "data";

    if (take_u8(&input) % 2 == 0)
        return list->C_SignMessage(SESSION, NULL, 0, data, sizeof(data), output, size);
    return list->C_SignMessageNext(SESSION, NULL, 0, data, sizeof(data), output, size);
}

static CK_RV wrap_authenticated(CK_BYTE *output, CK_ULONG *size)
{
    CK_GCM_MESSAGE_PARAMS parameter = gcm_message();
    CK_MECHANISM mechanism = {CKM_AES_GCM, &parameter, sizeof(parameter)};

    return all_functions()->C_WrapKeyAuthenticated(SESSION, &mechanism, OBJECT, OBJECT, NULL, 0, output, size);
}

static CK_RV encapsulate(CK_BYTE *output, CK_ULONG *size)
{
    CK_MECHANISM mechanism = {CKM_AES_ECB, NULL, 0};
    CK_OBJECT_HANDLE *key = application_block(sizeof(*key));

    return all_functions()->C_EncapsulateKey(SESSION, &mechanism, OBJECT, NULL, 0, output, size, key);
}

/* Functions of 3.x that give numbers, and a message's beginning, which gives its nonce. */
static void call_modern_structures(CK_ULONG *number)
{
    const CK_FUNCTION_LIST_3_2 *list = all_functions();
    CK_GCM_MESSAGE_PARAMS parameter = gcm_message();
    CK_MECHANISM mechanism = {CKM_AES_GCM, &parameter, sizeof(parameter)};
    CK_MECHANISM plain = {CKM_AES_ECB, NULL, 0};

    require_sane(list->C_EncryptMessageBegin(SESSION, &parameter, sizeof(parameter), NULL, 0));
    require_sane(list->C_GetSessionValidationFlags(SESSION, CKS_LAST_VALIDATION_OK, number));
    require_sane(list->C_SessionCancel(SESSION, ~0UL));
    require_sane(list->C_DecapsulateKey(SESSION, &plain, OBJECT, NULL, 0, NULL, 0, number));
    require_sane(list->C_UnwrapKeyAuthenticated(SESSION, &mechanism, OBJECT, NULL, 0, NULL, 0, NULL, 0, number));
}

#endif
